//! What the handlers share.

use crate::routes::Auth;
use crate::{Queue, Queues};

/// The endpoints behind a router.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) endpoints: Endpoints,
    pub(super) auth: Auth,
    /// Whether the rate limits of the platform hold. They do not where an endpoint is served for its developer alone.
    pub(super) limited: bool,
}

#[derive(Debug)]
pub(super) enum Endpoints {
    One(Queue),
    All(Queues),
}

impl Door {
    pub(super) const fn one(queue: Queue, auth: Auth) -> Self {
        Self { endpoints: Endpoints::One(queue), auth, limited: false }
    }

    pub(super) const fn all(queues: Queues, auth: Auth) -> Self {
        Self { endpoints: Endpoints::All(queues), auth, limited: true }
    }
}
