//! What runs: the endpoints of a platform, their queues and their workers.

use std::sync::{Arc, PoisonError, RwLock};

use flash_core::clock::Clock;
use flash_core::ids::EndpointId;
use flash_queue::{Limits, QueueOptions, Queues};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::Endpoint;
use crate::environment::Common;
use crate::spec::{Kind, check_name};
use crate::supervisor::{Archive, Plan, Roster, fleet};
use crate::table::Table;
use crate::{EndpointSpec, PlatformError};

/// Everything that endpoints have in common.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) common: Common,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) queues: Queues,
    pub(crate) table: Table,
    pub(crate) roster: Roster,
    /// Where the logs of workers are kept, when there is a data directory.
    pub(crate) archive: Option<Archive>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Keeps two callers from making the same endpoint.
    pub(crate) making: RwLock<()>,
}

impl Plane {
    /// Announces an endpoint: its address is known from now on, and whoever calls it waits for its workers.
    pub(crate) async fn declare(
        self: &Arc<Self>,
        id: &str,
        name: &str,
        kind: Kind,
        options: QueueOptions,
    ) -> Result<Arc<Endpoint>, PlatformError> {
        self.announce(id, name, kind, options, false).await
    }

    /// As [`declare`](Self::declare), also for an endpoint that was deployed.
    pub(crate) async fn announce(
        self: &Arc<Self>,
        id: &str,
        name: &str,
        kind: Kind,
        options: QueueOptions,
        is_deployed: bool,
    ) -> Result<Arc<Endpoint>, PlatformError> {
        check_name(id)?;
        if let Some(there) = self.table.get(id) {
            if there.kind != kind {
                return Err(PlatformError::Duplicate(id.to_owned()));
            }
            if let Some(queue) = &there.queue {
                queue.set_options(options);
            }
            return Ok(there);
        }
        let queue = match kind {
            Kind::Queue => Some(self.queues.open(EndpointId::from(id), options).await?),
            Kind::LoadBalanced => None,
        };
        let _making = self.making.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = self.table.get(id) {
            return Ok(there);
        }
        let endpoint = Endpoint::new(
            EndpointId::from(id),
            name.to_owned(),
            kind,
            queue,
            is_deployed,
            self.stop.child_token(),
        );
        let endpoint = self.table.add(endpoint)?;
        self.tasks.spawn(fleet(self.clone(), endpoint.clone()));
        Ok(endpoint)
    }

    #[cfg(feature = "control-plane")]
    /// Takes an endpoint out: its workers stop, its jobs stay in the store.
    pub(crate) fn remove(&self, id: &str) {
        if let Some(endpoint) = self.table.remove(id) {
            self.queues.close(id);
            endpoint.stop.cancel();
        }
    }

    /// Adds an endpoint of this program, whose name is its id.
    pub(crate) async fn add(self: &Arc<Self>, spec: EndpointSpec) -> Result<EndpointId, PlatformError> {
        let endpoint = self.declare(&spec.name, &spec.name, spec.kind, spec.queue_options()).await?;
        let scaling = spec.scaling;
        if endpoint.plan().is_some() {
            return Err(PlatformError::Duplicate(spec.name));
        }
        endpoint.follow(Plan { version: 1, spec: Arc::new(spec), scaling });
        Ok(endpoint.id.clone())
    }

    /// A new release of an endpoint of this program.
    pub(crate) async fn update(self: &Arc<Self>, spec: EndpointSpec) -> Result<EndpointId, PlatformError> {
        let endpoint = self.declare(&spec.name, &spec.name, spec.kind, spec.queue_options()).await?;
        let scaling = spec.scaling;
        let version = endpoint.plan().map_or(1, |plan| plan.version + 1);
        endpoint.follow(Plan { version, spec: Arc::new(spec), scaling });
        Ok(endpoint.id.clone())
    }
}
