//! One endpoint of a platform.

use std::ffi::OsStr;
use std::sync::{Mutex, PoisonError};

use flash_core::ids::EndpointId;
use flash_queue::Queue;

use crate::gateway::Pool;
use crate::spec::{EndpointSpec, Kind};

/// An endpoint. Its address is known from its declaration on; its workers come later.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Where its jobs are. `None` for an HTTP endpoint.
    pub(crate) queue: Option<Queue>,
    /// The workers that requests can go to. Empty for a queue endpoint.
    pub(crate) pool: Pool,
    spec: Mutex<Option<EndpointSpec>>,
}

impl Endpoint {
    pub(crate) fn new(name: String, kind: Kind, queue: Option<Queue>) -> Self {
        let id = EndpointId::from(name.as_str());
        Self { id, name, kind, queue, pool: Pool::default(), spec: Mutex::default() }
    }

    /// Its address for callers, under the platform's `base`.
    pub(crate) fn url(&self, base: &str) -> String {
        match self.kind {
            Kind::Queue => format!("{base}/v2/{}", self.id),
            Kind::LoadBalanced => format!("{base}/lb/{}", self.id),
        }
    }

    /// Says how its workers are started. `false`: that was said before.
    pub(crate) fn equip(&self, spec: EndpointSpec) -> bool {
        let mut slot = self.spec.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = slot.is_none();
        if is_first {
            *slot = Some(spec);
        }
        is_first
    }

    pub(crate) fn spec(&self) -> Option<EndpointSpec> {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path that says whether a worker is healthy (`HEALTH_CHECK_PATH` of its environment, else `/ping`).
    pub(crate) fn health_path(&self) -> String {
        let spec = self.spec.lock().unwrap_or_else(PoisonError::into_inner);
        let path = spec.as_ref().and_then(|spec| spec.env.get(OsStr::new("HEALTH_CHECK_PATH")));
        path.and_then(|path| path.to_str()).unwrap_or("/ping").to_owned()
    }

    /// The GPU type that its workers are told they run on.
    pub(crate) fn gpu(&self) -> String {
        let spec = self.spec.lock().unwrap_or_else(PoisonError::into_inner);
        let gpu = spec.as_ref().map(|spec| spec.gpu.clone()).unwrap_or_default();
        if gpu.is_empty() { "CPU".to_owned() } else { gpu }
    }
}
