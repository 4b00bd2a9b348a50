//! The platform.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, RwLock};

use axum::middleware;
use flash_core::ids::{EndpointId, WorkerId};
use flash_queue::routes::{Auth, Caller};
use flash_queue::{Queue, QueueOptions, Queues, routes};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::browser;
#[cfg(feature = "control-plane")]
use crate::control::{self, Control};
use crate::environment::Common;
use crate::faults::{self, Faults, Injector};
use crate::gateway::{self, Gateway};
use crate::jobs::Jobs;
use crate::metrics;
use crate::outbox::Outbox;
use crate::plane::Plane;
use crate::server::serve;
use crate::supervisor::{Archive, LogLine, Roster, Signal, WorkerInfo, is_own};
use crate::table::Table;
use crate::traffic::{self, Exchange, Traffic};
#[cfg(feature = "ui")]
use crate::ui;
use crate::webhook;
use crate::{Builder, EndpointSpec, Kind, PlatformError};

/// A platform that runs in this process, with its workers as child processes.
///
/// Dropping it kills all workers at once; [`shutdown`](Self::shutdown) lets them finish.
#[derive(Debug)]
pub struct LocalPlatform {
    address: SocketAddr,
    plane: Arc<Plane>,
    traffic: Traffic,
    closed: CancellationToken,
    store: Jobs,
    faults: Faults,
    api_key: Option<String>,
    #[cfg(feature = "control-plane")]
    _control: Option<Arc<Control>>,
    /// Goes after the workers.
    _outbox: Outbox,
}

impl LocalPlatform {
    /// Starts a platform with the default settings.
    ///
    /// # Errors
    /// When no port can be opened.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start() -> Result<Self, PlatformError> {
        Self::builder().start().await
    }

    /// A platform with other settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn from_builder(builder: Builder) -> Result<Self, PlatformError> {
        let store = Jobs::open(&builder).await?;
        #[cfg(feature = "control-plane")]
        let (serves, directory) = (builder.control_plane, builder.directory().map(std::path::Path::to_owned));
        let outbox = Outbox::open(builder.directory()).map_err(PlatformError::Outbox)?;
        let (archive, roster) = earlier(&builder).await?;
        let Builder { limits, clock, api_key, record_traffic, faults, address, .. } = builder;
        let asked = address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let refused = |error| PlatformError::Listen(asked, error);
        let listener = TcpListener::bind(asked).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let queues = Queues::new(store.store(), clock.clone(), limits.clone())
            .webhooks(Arc::new(webhook::Post::new(limits.webhook_private)))
            .departed(is_own);
        // Made of randomness, and new for each platform: workers of another one are strangers.
        let worker_key = Uuid::new_v4().simple().to_string();
        let auth = auth(api_key.as_deref(), &worker_key);
        let plane = Arc::new(Plane {
            common: Common {
                base: base_of(address),
                worker_key,
                outbox: outbox.path().to_owned(),
                api_key: api_key.clone(),
            },
            limits,
            clock: clock.clone(),
            queues: queues.clone(),
            table: Table::default(),
            roster,
            archive,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            making: RwLock::default(),
        });
        let traffic = Traffic::default();
        let injector = Injector { faults: faults.clone(), clock, plane: plane.clone() };
        let mut app = routes::platform(queues, auth.clone());
        #[cfg(feature = "control-plane")]
        let data = app.clone();
        #[cfg(feature = "control-plane")]
        let (control, api_key) = if serves {
            // It asks for a key in any case.
            let key = api_key.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
            let control = Control::open(plane.clone(), key.clone(), directory.as_deref())?;
            control.announce().await?;
            plane.tasks.spawn(control::applies(control.clone()));
            app = app.merge(control::routes(&control, data, auth.clone()));
            (Some(control), Some(key))
        } else {
            (None, api_key)
        };
        app = app.merge(gateway::routes(Gateway {
            plane: plane.clone(),
            auth: auth.clone(),
            #[cfg(feature = "control-plane")]
            control: control.clone(),
        }));
        app = app.merge(metrics::routes(plane.clone(), auth.clone()));
        #[cfg(feature = "ui")]
        {
            app = app.merge(ui::routes(ui::Ui::new(plane.clone(), auth)));
        }
        app = app.layer(middleware::from_fn(browser::guard));
        if record_traffic {
            app = app.layer(middleware::from_fn_with_state(traffic.clone(), traffic::record));
        }
        app = app.layer(middleware::from_fn_with_state(injector, faults::inject));
        let closed = CancellationToken::new();
        tokio::spawn(serve(listener, app, closed.clone()));
        Ok(Self {
            address,
            plane,
            traffic,
            closed,
            store,
            faults,
            api_key,
            #[cfg(feature = "control-plane")]
            _control: control,
            _outbox: outbox,
        })
    }

    pub(crate) fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// The platform's address: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        base_of(self.address)
    }

    /// The key that callers need: the one that was set, else the one that the control plane made for itself.
    pub fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// The address of the web page: `http://127.0.0.1:PORT/ui/`.
    #[cfg(feature = "ui")]
    pub fn page_url(&self) -> String {
        format!("{}/ui/", self.base_url())
    }

    /// What a client uses as its `RUNPOD_ENDPOINT_BASE_URL`: `http://127.0.0.1:PORT/v2`.
    pub fn api_url(&self) -> String {
        format!("{}/v2", self.base_url())
    }

    /// Announces an endpoint: its address is known from now on, and requests to it wait for its workers. Declare all
    /// endpoints of an app before the first one is added, so that all workers know all addresses.
    ///
    /// # Errors
    /// When the name can not be part of a URL, or belongs to an endpoint of the other kind.
    pub async fn declare(&self, name: &str, kind: Kind) -> Result<EndpointId, PlatformError> {
        Ok(self.plane.declare(name, name, kind, QueueOptions::new()).await?.id.clone())
    }

    /// Adds an endpoint and starts its workers.
    ///
    /// # Errors
    /// When the name can not be part of a URL, or belongs to an endpoint of the other kind or one that has its workers.
    /// A program that can not be started is no error here: it is logged and tried again.
    pub async fn add_endpoint(&self, spec: EndpointSpec) -> Result<EndpointId, PlatformError> {
        self.plane.add(spec).await
    }

    /// Changes how the workers of an endpoint are started and how many there are. What is started from now on is a new
    /// release: its workers are ready before the old ones go, and those finish what they have. An endpoint that is not
    /// there is added.
    ///
    /// # Errors
    /// As [`add_endpoint`](Self::add_endpoint).
    pub async fn update_endpoint(&self, spec: EndpointSpec) -> Result<EndpointId, PlatformError> {
        self.plane.update(spec).await
    }

    /// Declares all endpoints, then starts their workers: each finds the addresses of all in its environment.
    ///
    /// # Errors
    /// As [`add_endpoint`](Self::add_endpoint).
    pub async fn add_endpoints(
        &self,
        specs: impl IntoIterator<Item = EndpointSpec>,
    ) -> Result<(), PlatformError> {
        let specs: Vec<_> = specs.into_iter().collect();
        for spec in &specs {
            self.plane.declare(&spec.name, &spec.name, spec.kind, spec.queue_options()).await?;
        }
        for spec in specs {
            self.add_endpoint(spec).await?;
        }
        Ok(())
    }

    /// The address of an endpoint for callers: `…/v2/{id}` or `…/lb/{id}`.
    pub fn endpoint_url(&self, name: &str) -> Option<String> {
        Some(self.plane.table.get(name)?.url(&self.plane.common.base))
    }

    /// The addresses of all endpoints by name: what `FLASH_RESOURCES_ENDPOINTS` holds, which each worker gets.
    pub fn resources_endpoints_json(&self) -> String {
        self.plane.table.addresses(&self.plane.common.base)
    }

    /// The queue of a queue endpoint, for a worker or a caller in this process.
    pub fn queue(&self, name: &str) -> Option<Queue> {
        self.plane.table.get(name)?.queue.clone()
    }

    /// All workers, oldest first: those that live, and the last of those that have ended.
    pub fn workers(&self) -> Vec<WorkerInfo> {
        self.plane.roster.workers()
    }

    /// Waits until `what` holds for the workers, and answers them.
    pub async fn until_workers(&self, mut what: impl FnMut(&[WorkerInfo]) -> bool) -> Vec<WorkerInfo> {
        let mut changes = self.plane.roster.watch();
        loop {
            changes.borrow_and_update();
            let workers = self.workers();
            if what(&workers) {
                return workers;
            }
            // The sender lives as long as `self`, so this can not fail.
            let _ = changes.changed().await;
        }
    }

    /// The last lines that a worker wrote, also after its end. `None`: there is no such worker (any more).
    pub fn logs(&self, worker: &WorkerId) -> Option<Vec<LogLine>> {
        self.plane.roster.logs(worker.as_str())
    }

    /// Sends a signal to a worker. One that ends by it is replaced, and its jobs go back to the queue.
    ///
    /// # Errors
    /// When there is no such worker, it has ended, or the signal can not be sent.
    pub fn kill_worker(&self, worker: &WorkerId, signal: Signal) -> Result<(), PlatformError> {
        let sent = self.plane.roster.signal(worker.as_str(), signal).map_err(PlatformError::Signal)?;
        sent.ok_or_else(|| PlatformError::UnknownWorker(worker.clone()))
    }

    /// Stops a worker for good: no more requests, `SIGTERM`, and after a grace time `SIGKILL`. Waits for its end.
    ///
    /// # Errors
    /// When there is no such worker, or it has ended.
    pub async fn stop_worker(&self, worker: &WorkerId) -> Result<(), PlatformError> {
        let roster = &self.plane.roster;
        roster.stop(worker.as_str()).ok_or_else(|| PlatformError::UnknownWorker(worker.clone()))?;
        self.until_workers(|workers| !workers.iter().any(|info| info.id == *worker && info.state.is_alive()))
            .await;
        Ok(())
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// All requests and answers so far, if [they are recorded](Builder::record_traffic).
    pub fn traffic(&self) -> Vec<Exchange> {
        self.traffic.exchanges()
    }

    /// Stops all workers (`SIGTERM`, and after a grace time `SIGKILL`), then the server. Nothing is left afterwards.
    pub async fn shutdown(self) {
        self.plane.stop.cancel();
        self.plane.tasks.close();
        self.plane.tasks.wait().await;
        // The server goes after them: workers post their last results to it.
        self.closed.cancel();
        self.store.close().await;
        if let Some(archive) = self.plane.archive.clone() {
            // It waits for the disk.
            let _ = tokio::task::spawn_blocking(move || archive.close()).await;
        }
    }
}

impl Drop for LocalPlatform {
    fn drop(&mut self) {
        self.plane.stop.cancel();
        self.plane.roster.kill_all();
        self.closed.cancel();
    }
}

/// The logs of the data directory, and the workers that earlier platforms left in it.
async fn earlier(builder: &Builder) -> Result<(Option<Archive>, Roster), PlatformError> {
    let Some(data) = builder.directory().map(std::path::Path::to_owned) else {
        return Ok((None, Roster::default()));
    };
    let (limits, clock) = (builder.limits.clone(), builder.clock.clone());
    let opening = tokio::task::spawn_blocking(move || {
        let archive = Archive::open(&data, &limits)?;
        let roster = Roster::after(&archive, &limits, &clock);
        Ok((Some(archive), roster))
    });
    match opening.await {
        Ok(opened) => opened.map_err(PlatformError::Logs),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Where workers and callers on this machine find a platform that listens there.
fn base_of(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://127.0.0.1:{}", address.port());
    }
    format!("http://{address}")
}

/// Workers have a key of their own, which opens nothing but the worker protocol.
fn auth(api_key: Option<&str>, worker_key: &str) -> Auth {
    let Some(api_key) = api_key else { return Auth::open() };
    let (clients, workers) = (Auth::keys([api_key]), Auth::keys([worker_key]));
    Auth::check(move |caller, token| match caller {
        Caller::Client { .. } => clients.accepts(caller, token),
        Caller::Worker { .. } => workers.accepts(caller, token),
    })
}
