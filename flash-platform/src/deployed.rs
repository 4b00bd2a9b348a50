use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use flash_core::boot::Boot;
use flash_core::{
    App, CallFailure, CallFuture, CallRequest, DefaultApp, DoorKind, Error, InProcess, Registry, Transport,
    code,
};

use crate::credentials::Credentials;
use crate::discovery::Peers;
use crate::http::HttpClient;
use crate::jobs::JobsClient;
use crate::{queue_call, route_call};

/// Carries remote calls: to this process when it owns the callee's endpoint, else to the deployed endpoint.
#[derive(Debug)]
pub struct Deployed {
    http: HttpClient,
    credentials: Credentials,
    peers: Peers,
    own: Option<String>,
    /// The endpoints that `own` may call, worked out on its first call.
    declared: OnceLock<BTreeSet<&'static str>>,
}

impl Deployed {
    /// The way to these peers, from the endpoint `own`.
    #[must_use]
    pub fn new(http: HttpClient, credentials: Credentials, peers: Peers, own: Option<String>) -> Self {
        Self { http, credentials, peers, own, declared: OnceLock::new() }
    }

    fn check_declared(&self, request: &CallRequest) -> Result<(), Error> {
        let Some(own) = &self.own else { return Ok(()) };
        let callee = request.callee;
        let declared = self
            .declared
            .get_or_init(|| request.app.registry().calls_of(own).resources.into_keys().collect());
        if declared.contains(callee.resource.name()) {
            return Ok(());
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

impl Transport for Deployed {
    fn call(&self, request: CallRequest) -> CallFuture {
        let endpoint = request.callee.resource.name();
        if self.own.as_deref() == Some(endpoint) {
            tracing::debug!(
                callee = request.callee.name,
                endpoint,
                "remote call runs here: this worker owns it"
            );
            return InProcess.call(request);
        }
        if let Err(error) = self.check_declared(&request) {
            return Box::pin(async { Err(CallFailure::Transport(error)) });
        }
        let address = match self.peers.address(endpoint) {
            Ok(address) => address.to_owned(),
            Err(error) => return Box::pin(async { Err(CallFailure::Transport(error)) }),
        };
        tracing::debug!(callee = request.callee.name, endpoint, address, "remote call goes to the endpoint");
        match request.callee.door() {
            DoorKind::Queue => {
                let jobs = JobsClient::new(self.http.clone(), self.credentials.clone(), address);
                Box::pin(queue_call::call(jobs, request))
            }
            DoorKind::Http => {
                Box::pin(route_call::call(self.http.clone(), self.credentials.clone(), address, request))
            }
        }
    }
}

/// The app of a process that was booted this way. Its calls leave the process as soon as a deployment is configured.
#[must_use]
pub fn app_from_boot(registry: Arc<Registry>, boot: &Boot, own: Option<String>) -> App {
    let app = App::of(registry);
    if boot.peers.is_empty() && !boot.is_deployed() {
        return app;
    }
    let credentials = Credentials::new(boot.api_key.clone(), boot.peers.values().cloned());
    let peers = Peers::new(boot.peers.clone());
    app.with_transport(Arc::new(Deployed::new(HttpClient::new(), credentials, peers, own)))
}

// A plain program that only calls never boots; its environment is read on its first call.
flash_core::inventory::submit! {
    DefaultApp(|registry| match Boot::from_env() {
        Ok(boot) => Some(app_from_boot(registry, &boot, None)),
        Err(error) => {
            tracing::error!(%error, "the environment is not usable, so remote calls run in this process");
            None
        }
    })
}
