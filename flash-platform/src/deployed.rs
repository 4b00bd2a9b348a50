use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use flash_core::boot::Boot;
use flash_core::{
    App, CallFailure, CallFuture, CallRequest, ChunkStream, DoorKind, Error, InProcess, Registry,
    SubmitFuture, Transport, code, unfold,
};

use crate::base::Bases;
use crate::credentials::Credentials;
use crate::discovery::{Gateway, Peer, Peers, StateManager};
use crate::http::HttpClient;
use crate::jobs::JobsClient;
use crate::queue_call::QueueCall;
use crate::route_call::RouteCall;

/// Carries remote calls: to this process when it owns the callee's endpoint, else to the deployed endpoint.
#[derive(Debug)]
pub struct Deployed {
    routes: Arc<Routes>,
    own: Option<String>,
    /// The endpoints that `own` may call, worked out on its first call.
    declared: OnceLock<BTreeSet<&'static str>>,
}

/// The way to other endpoints.
#[derive(Debug)]
struct Routes {
    http: HttpClient,
    credentials: Credentials,
    peers: Peers,
    bases: Bases,
}

impl Deployed {
    /// The way to these peers, from the endpoint `own`.
    #[must_use]
    pub fn new(http: HttpClient, credentials: Credentials, peers: Peers, own: Option<String>) -> Self {
        let routes = Arc::new(Routes { http, credentials, peers, bases: Bases::default() });
        Self { routes, own, declared: OnceLock::new() }
    }

    /// Whether the call stays here. Otherwise it may leave, which it has to have declared.
    fn stays(&self, request: &mut CallRequest) -> Result<bool, Error> {
        let callee = request.callee;
        let Some(own) = &self.own else { return Ok(false) };
        if own == callee.resource.name() {
            request.local_because = "this worker owns the endpoint";
            return Ok(true);
        }
        let declared = self
            .declared
            .get_or_init(|| request.app.registry().calls_of(own).resources.into_keys().collect());
        if declared.contains(callee.resource.name()) {
            return Ok(false);
        }
        let caller = request
            .caller
            .as_ref()
            .and_then(flash_core::Scope::function)
            .map_or("the function", |meta| meta.ident);
        Err(Error::new(
            code::UNDECLARED_CALL,
            format!(
                "endpoint `{own}` calls `{}` without having declared it, so it was deployed without key and \
                 addresses\nhelp: add `calls({})` to the #[remote(…)] of `{caller}`",
                callee.name, callee.ident
            ),
        )
        .terminal())
    }
}

impl Routes {
    async fn find(&self, request: &CallRequest) -> Result<Peer, Error> {
        let (endpoint, door) = (request.callee.resource.name(), request.callee.door());
        let clock = request.app.clock();
        let finding = self.peers.find(clock, endpoint, door);
        let peer = match request.deadline {
            None => finding.await?,
            Some(deadline) => clock.timeout_at(deadline, finding).await.unwrap_or_else(|_| {
                let text = format!("the address of endpoint `{endpoint}` was not found in the call's time");
                Err(Error::new(code::TIMEOUT, text).retryable())
            })?,
        };
        tracing::debug!(
            callee = request.callee.name,
            endpoint,
            address = peer.url,
            trace = request.trace.trace_id(),
            "remote call goes to the endpoint: it is deployed, and this process does not own it"
        );
        Ok(peer)
    }

    /// The key goes to the platform and to what is configured; a record alone opens no other host.
    fn credentials_for(&self, peer: &Peer) -> Credentials {
        self.credentials.to_peer(peer.is_configured)
    }

    fn queue(&self, peer: &Peer, request: &CallRequest) -> Result<QueueCall, CallFailure> {
        let jobs = JobsClient::new(self.http.clone(), self.credentials_for(peer), &peer.url);
        QueueCall::of(jobs.with_headers(peer.headers.clone()), request, peer.speaks_flash)
    }

    fn route(&self, peer: Peer, request: Arc<CallRequest>) -> Result<RouteCall, CallFailure> {
        Ok(RouteCall {
            http: self.http.clone(),
            credentials: self.credentials_for(&peer),
            base: self.bases.at(&peer.url).map_err(CallFailure::Transport)?,
            headers: peer.headers,
            request,
        })
    }

    /// Sends a request to where its endpoint is; and once more, when it turns out that it is somewhere else now.
    async fn sent<T, F>(
        self: Arc<Self>,
        request: CallRequest,
        send: impl Fn(Arc<Self>, Peer, Arc<CallRequest>) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let request = Arc::new(request);
        let peer = self.find(&request).await.map_err(CallFailure::Transport)?;
        let failure = match send(Arc::clone(&self), peer.clone(), Arc::clone(&request)).await {
            Err(CallFailure::Transport(error)) if is_elsewhere(&error) => CallFailure::Transport(error),
            other => return other,
        };
        self.peers.invalidate(request.callee.resource.name());
        match self.find(&request).await {
            Ok(now) if now != peer => {
                self.bases.forget(&peer.url);
                // Boxed, because a future has room for everything in it, and this is rare.
                Box::pin(send(Arc::clone(&self), now, request)).await
            }
            _ => Err(failure),
        }
    }
}

/// Nobody is at the address, or somebody who does not know the endpoint. Either way nothing was carried out.
fn is_elsewhere(error: &Error) -> bool {
    error.code() == code::NOT_FOUND || (error.code() == code::UNREACHABLE && !error.is_in_doubt())
}

impl Transport for Deployed {
    fn call(&self, mut request: CallRequest) -> CallFuture {
        match self.stays(&mut request) {
            Ok(true) => return InProcess.call(request),
            Ok(false) => {}
            Err(error) => return Box::pin(async { Err(CallFailure::Transport(error)) }),
        }
        let routes = Arc::clone(&self.routes);
        Box::pin(routes.sent(request, |routes, peer, request| async move {
            match request.callee.door() {
                // Boxed, so that the call of a route is not moved about in a place for this one.
                DoorKind::Queue => Box::pin(routes.queue(&peer, &request)?.call()).await,
                DoorKind::Http => routes.route(peer, request)?.call().await,
            }
        }))
    }

    fn stream(&self, mut request: CallRequest) -> ChunkStream {
        match self.stays(&mut request) {
            Ok(true) => return InProcess.stream(request),
            Ok(false) => {}
            Err(error) => {
                let mut error = Some(error);
                return Box::pin(unfold((), move |()| {
                    let error = error.take();
                    async move { Some((Err(CallFailure::Transport(error?)), ())) }
                }));
            }
        }
        enum Step {
            Open(Arc<Routes>, Box<CallRequest>),
            Read(ChunkStream),
        }
        let open = Step::Open(Arc::clone(&self.routes), Box::new(request));
        Box::pin(unfold(Some(open), |step| async move {
            let mut items = match step? {
                Step::Read(items) => items,
                Step::Open(routes, request) => match routes.open(*request).await {
                    Ok(items) => items,
                    Err(failure) => return Some((Err(failure), None)),
                },
            };
            let item = std::future::poll_fn(|cx| items.as_mut().poll_next(cx)).await?;
            Some((item, Some(Step::Read(items))))
        }))
    }

    fn submit(&self, mut request: CallRequest) -> SubmitFuture {
        match self.stays(&mut request) {
            Ok(true) => return InProcess.submit(request),
            Ok(false) => {}
            Err(error) => return Box::pin(async { Err(CallFailure::Transport(error)) }),
        }
        let routes = Arc::clone(&self.routes);
        Box::pin(routes.sent(request, |routes, peer, request| async move {
            routes.queue(&peer, &request)?.submit().await
        }))
    }
}

impl Routes {
    async fn open(&self, request: CallRequest) -> Result<ChunkStream, CallFailure> {
        let peer = self.find(&request).await.map_err(CallFailure::Transport)?;
        Ok(match request.callee.door() {
            DoorKind::Queue => self.queue(&peer, &request)?.stream(),
            DoorKind::Http => self.route(peer, Arc::new(request))?.stream(),
        })
    }
}

/// The app of a process that was booted this way. Its calls leave the process as soon as a deployment is configured.
#[must_use]
pub fn app_from_boot(registry: Arc<Registry>, boot: &Boot, own: Option<String>) -> App {
    let app = App::of(registry);
    let gateway = boot.app.clone().zip(boot.environment.clone());
    let is_configured = !boot.peers.is_empty() || boot.environment_id.is_some() || gateway.is_some();
    if !is_configured && !boot.is_deployed() {
        return app;
    }
    let http = HttpClient::new().proxied(boot.uses_proxy);
    let lb_host = boot.lb_url_template.as_ref().map(|template| template.replace("{id}", "id"));
    let configured = boot.peers.values().cloned().chain([boot.endpoint_base.clone(), boot.api_base.clone()]);
    let credentials = Credentials::new(boot.api_key.clone(), configured.chain(lb_host));
    let mut finder = Peers::finder(boot.peers.clone())
        .endpoint_base(&boot.endpoint_base)
        .lifetime(boot.discovery_lifetime)
        .patience(boot.discovery_patience);
    if let Some(template) = &boot.lb_url_template {
        finder = finder.lb_url_template(template);
    }
    if let Some(environment) = &boot.environment_id {
        let state_manager = StateManager::new(http.clone(), credentials.clone(), &boot.api_base, environment);
        finder = finder.state_manager(state_manager);
        if let Some(manifest) = &boot.manifest_path {
            finder = finder.kept_in(manifest);
        }
    }
    if let Some((app, environment)) = gateway {
        finder = finder.gateway(Gateway { app, environment });
    }
    app.with_transport(Arc::new(Deployed::new(http, credentials, finder.build(), own)))
}

// A plain program that only calls never boots; its environment is read on its first call.
flash_core::submit_default_app! {
    |registry| match Boot::from_env() {
        Ok(boot) => Some(app_from_boot(registry, &boot, None)),
        Err(error) => {
            tracing::error!(%error, "the environment is not usable, so remote calls run in this process");
            None
        }
    }
}
