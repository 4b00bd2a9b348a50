//! One endpoint of a platform.

use std::ffi::OsStr;

use flash_core::ids::EndpointId;
use flash_queue::Queue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::gateway::Pool;
use crate::spec::Kind;
use crate::supervisor::Plan;

/// An endpoint. Its address is known from its declaration on; its workers come later.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    /// The name of its resource.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Where its jobs are. `None` for an HTTP endpoint.
    pub(crate) queue: Option<Queue>,
    /// The workers that requests can go to. Empty for a queue endpoint.
    pub(crate) pool: Pool,
    /// Whether it comes from the control plane.
    #[cfg_attr(
        not(feature = "control-plane"),
        expect(dead_code, reason = "only a control plane takes endpoints away")
    )]
    pub(crate) is_deployed: bool,
    /// Its workers are to stop for good.
    pub(crate) stop: CancellationToken,
    plan: watch::Sender<Option<Plan>>,
    /// Why it has no new workers.
    #[cfg(any(feature = "control-plane", feature = "ui"))]
    note: std::sync::Mutex<Option<String>>,
}

impl Endpoint {
    pub(crate) fn new(
        id: EndpointId,
        name: String,
        kind: Kind,
        queue: Option<Queue>,
        is_deployed: bool,
        stop: CancellationToken,
    ) -> Self {
        Self {
            id,
            name,
            kind,
            queue,
            pool: Pool::default(),
            is_deployed,
            stop,
            plan: watch::Sender::default(),
            #[cfg(any(feature = "control-plane", feature = "ui"))]
            note: std::sync::Mutex::default(),
        }
    }

    /// Says why it has no new workers.
    #[cfg(feature = "control-plane")]
    pub(crate) fn set_note(&self, note: Option<String>) {
        *self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = note;
    }

    /// Why it has no new workers.
    #[cfg(feature = "ui")]
    pub(crate) fn note(&self) -> Option<String> {
        self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Its address for callers, under the platform's `base`.
    pub(crate) fn url(&self, base: &str) -> String {
        match self.kind {
            Kind::Queue => format!("{base}/v2/{}", self.id),
            Kind::LoadBalanced => format!("{base}/lb/{}", self.id),
        }
    }

    /// Says how its workers are started from now on, and how many there are.
    pub(crate) fn follow(&self, plan: Plan) {
        self.plan.send_replace(Some(plan));
    }

    /// How its workers are started. `None`: nobody has said so yet.
    pub(crate) fn plan(&self) -> Option<Plan> {
        self.plan.borrow().clone()
    }

    pub(crate) fn watch_plan(&self) -> watch::Receiver<Option<Plan>> {
        self.plan.subscribe()
    }
}

impl Plan {
    /// The path that says whether a worker is healthy (`HEALTH_CHECK_PATH` of its environment, else `/ping`).
    pub(crate) fn health_path(&self) -> &str {
        let path = self.spec.env.get(OsStr::new("HEALTH_CHECK_PATH"));
        path.and_then(|path| path.to_str()).unwrap_or("/ping")
    }

    /// Whether callers of an HTTP endpoint need no key.
    pub(crate) fn is_public(&self) -> bool {
        self.spec.env.get(OsStr::new("FLASH_DISABLE_RP_AUTH")).is_some_and(|value| value == "true")
    }

    /// The GPU type that workers are told they run on.
    pub(crate) fn gpu(&self) -> &str {
        if self.spec.gpu.is_empty() { "CPU" } else { &self.spec.gpu }
    }
}
