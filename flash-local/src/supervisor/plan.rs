//! What the workers of an endpoint are started from.

use std::sync::Arc;

use crate::{EndpointSpec, Scaling};

/// A release: how workers are started and how many there are. Another version replaces all workers, another scaling does
/// not.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Counts from 1.
    pub(crate) version: u32,
    pub(crate) spec: Arc<EndpointSpec>,
    pub(crate) scaling: Scaling,
}
