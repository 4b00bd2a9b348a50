use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use flash_core::boot::Boot;
use flash_core::ids::WorkerId;
use flash_core::{
    App, DoorKind, Endpoint, Fields, Kind, Origin, Registry, Scope, WireError, code, openapi, result_limit,
};
use flash_queue::{QueueOptions, Queues, routes};
use http::{Request, Response, header};
use tokio_util::task::TaskTracker;

use super::in_process::InProcessSlot;
use super::table;
use super::webhook::Webhooks;
use crate::describe::project_name;
use crate::http as door;
use crate::identity::request_id;
use crate::queue::Door;
use crate::shutdown::Shutdown;

/// Every endpoint of an app, served by this process: HTTP endpoints as routes below `/{endpoint}`, queue endpoints as
/// the client operations below `/{endpoint}`, and their jobs run here.
#[derive(Debug)]
pub struct LocalServer {
    app: App,
    listener: door::Listener,
    service: door::Service,
    slots: TaskTracker,
    shutdown: Shutdown,
}

impl LocalServer {
    /// Binds the address that `boot` names, by default 127.0.0.1:8888 or the next free of 20, and starts the queues.
    ///
    /// # Errors
    /// No address is free; or, as `InvalidInput`, routes cannot stand beside each other.
    pub async fn bind(app: App, boot: &Boot) -> io::Result<Self> {
        let listener = door::bind_local(boot).await?;
        let shutdown = Shutdown::new();
        let slots = TaskTracker::new();
        let queues = Queues::memory().webhooks(Arc::new(Webhooks::of(listener.address()?)));
        let mut router = Router::new();
        let mut sites = HashMap::new();
        for endpoint in app.registry().resources() {
            let routes = match endpoint.kind() {
                Kind::Http => {
                    sites.insert(endpoint.name(), door::site(&app, endpoint).map_err(invalid)?);
                    door::other_routes(&app, endpoint).map_err(invalid)?
                }
                Kind::Queue => queue_routes(&app, endpoint, &queues, &slots, &shutdown).await?,
            };
            router = router.nest(&format!("/{}", endpoint.name()), routes);
        }
        let table = table::render(app.registry(), &format!("http://{}", listener.address()?));
        let router = router.merge(common(&app, table)).fallback(not_found);
        let limits = door::Limits::of(boot);
        let service = door::Service {
            app: app.clone(),
            sites: door::Sites::Named(sites),
            others: router,
            limits,
            budget: door::Budget::new(limits.bodies),
            leaving: Shutdown::new(),
            broken: Shutdown::new(),
        };
        Ok(Self { app, listener, service, slots, shutdown })
    }

    /// The bound address.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// What can be called, for people.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn table(&self) -> io::Result<String> {
        Ok(table::render(self.app.registry(), &format!("http://{}", self.address()?)))
    }

    /// Serves until `shutdown` begins, then finishes what runs.
    ///
    /// # Errors
    /// The server ended by itself.
    pub async fn run(self, shutdown: Shutdown) -> io::Result<()> {
        let mine = self.shutdown.clone();
        let serving =
            door::serve(self.listener, self.service, shutdown.clone(), std::future::ready(()), LOCAL_GRACE);
        let drained = async {
            shutdown.started().await;
            mine.start();
            self.slots.close();
            // A `/runsync` that waits for a running job ends with it; what never ends is cut off.
            let _ = tokio::time::timeout(LOCAL_GRACE, self.slots.wait()).await;
        };
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => served.map(drop),
            () = drained => serving.await.map(drop),
        }
    }
}

/// Routes that cannot stand beside each other.
fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

async fn queue_routes(
    app: &App,
    endpoint: &'static Endpoint,
    queues: &Queues,
    slots: &TaskTracker,
    shutdown: &Shutdown,
) -> io::Result<Router> {
    let queue =
        queues.open(endpoint.name().into(), QueueOptions::default()).await.map_err(io::Error::other)?;
    let door = Arc::new(Door::new(app.clone(), endpoint));
    for slot in 0..endpoint.jobs_per_worker() {
        let slot = InProcessSlot {
            door: Arc::clone(&door),
            queue: queue.clone(),
            worker: WorkerId::from(format!("local-{slot}")),
        };
        slots.spawn(slot.run(shutdown.clone()));
    }
    Ok(routes::client(queue, routes::Auth::open()))
}

/// What belongs to no endpoint.
fn common(app: &App, table: String) -> Router {
    let document: Arc<str> =
        openapi::document(app.registry(), &project_name(), openapi::Paths::PerEndpoint).to_string().into();
    let execute = {
        let app = app.clone();
        move |request: Request<Body>| execute(app, request)
    };
    Router::new()
        // What a person who opens the address wants to see first.
        .route("/", get(move || std::future::ready(table)))
        .route("/ping", get(async || json(r#"{"status":"healthy"}"#.to_owned())))
        .route("/openapi.json", get(move || std::future::ready(json(document.to_string()))))
        .route("/execute", post(execute))
}

/// Runs a registered function by name: `{"function": "f", "arguments": {…}}`. There is no such route on a deployed
/// worker.
async fn execute(app: App, request: Request<Body>) -> Response<Body> {
    match try_execute(app, request).await {
        Ok(body) => json(body),
        Err(error) => door::refuse(error),
    }
}

async fn try_execute(app: App, request: Request<Body>) -> Result<String, WireError> {
    let (limits, clock) = (door::Limits::default(), app.clock().clone());
    let body = door::Reader::new(request.into_body(), None, &limits, &clock).whole().await?;
    let mut fields = Fields::from_json(Origin::Body, &body)?;
    let shape = || {
        WireError::new(
            code::INVALID_REQUEST,
            "the body has to be {\"function\": \"name\", \"arguments\": {…}}; functions are named, never sent",
        )
        .terminal()
    };
    let name: String =
        fields.remove("function").and_then(|json| serde_json::from_str(json).ok()).ok_or_else(shape)?;
    let arguments = fields.remove("arguments").unwrap_or("{}");
    if !fields.is_empty() {
        return Err(shape());
    }
    let names = || app.registry().functions().map(|function| function.meta().name);
    let function = app.registry().get(&name).ok_or_else(|| {
        WireError::new(code::UNKNOWN_FUNCTION, app.registry().unknown_function(&name, names())).terminal()
    })?;
    let fields = Fields::from_json(Origin::Body, arguments.as_bytes())?;
    let scope = Scope::builder(app.clone()).request_id(request_id()).function(function.meta()).build();
    let encoded = function.start(fields, scope, result_limit(DoorKind::Http))?.run_whole().await?;
    String::from_utf8(encoded.json).map_err(|error| WireError::new(code::INTERNAL, error.to_string()))
}

async fn not_found(request: Request<Body>) -> Response<Body> {
    let text = format!(
        "nothing is served at {} {}; the endpoints stand below their names, see /openapi.json",
        request.method(),
        request.uri().path()
    );
    door::refuse(WireError::new(code::NOT_FOUND, text).terminal())
}

fn json(body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

/// How long the local role waits for running work when it is stopped.
pub(crate) const LOCAL_GRACE: Duration = Duration::from_secs(10);

/// Refuses to serve nothing.
pub(crate) fn check_not_empty(registry: &Registry) -> Result<(), String> {
    if registry.is_empty() { Err(Registry::empty_help()) } else { Ok(()) }
}
