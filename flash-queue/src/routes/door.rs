//! What the handlers share.

use crate::routes::Auth;
use crate::{Queue, Queues};

/// The endpoints behind a router.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) endpoints: Endpoints,
    pub(super) auth: Auth,
}

#[derive(Debug)]
pub(super) enum Endpoints {
    One(Queue),
    All(Queues),
}

impl Door {
    pub(super) const fn one(queue: Queue, auth: Auth) -> Self {
        Self { endpoints: Endpoints::One(queue), auth }
    }

    pub(super) const fn all(queues: Queues, auth: Auth) -> Self {
        Self { endpoints: Endpoints::All(queues), auth }
    }
}
