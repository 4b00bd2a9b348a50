use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use flash_core::boot::Boot;
use flash_core::{App, Endpoint};
use tokio::task::JoinHandle;

use super::admission::Admission;
use super::budget::Budget;
use super::health::{Health, HealthState};
use super::limits::Limits;
use super::listener::Listener;
use super::routes::Routes;
use super::server::{Drained, serve};
use super::service::{Service, Site, Sites};
use super::{mounts, others};
use crate::ready;
use crate::shutdown::Shutdown;

/// A worker of one HTTP endpoint.
#[derive(Debug)]
pub struct HttpWorker {
    app: App,
    endpoint: &'static Endpoint,
    site: Site,
    others: Router,
    listener: Listener,
    health_listener: Option<Listener>,
    boot: Boot,
    limits: Limits,
}

/// Why an HTTP worker did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// An address is taken, or not this machine's.
    #[error(
        "{address} cannot be bound: {source}\nhelp: choose another port with PORT, or end the program that has it"
    )]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Routes that cannot stand beside each other.
    #[error("{0}")]
    Routes(String),
    /// State that a function needs could not be built.
    #[error("{0}")]
    State(String),
    /// Requests were still running when the grace time was over.
    #[error("{0}")]
    NotDrained(String),
    /// A function said that the worker cannot go on.
    #[error("{0}")]
    Unhealthy(String),
    /// The server ended by itself.
    #[error("the server ended: {0}")]
    Server(#[from] io::Error),
}

impl HttpWorker {
    /// Checks the routes of `endpoint` and binds the addresses that `boot` names.
    ///
    /// # Errors
    /// Routes that cannot stand beside each other, or an address that cannot be bound.
    pub async fn bind(app: App, endpoint: &'static Endpoint, boot: Boot) -> Result<Self, HttpError> {
        let site = site(&app, endpoint).map_err(HttpError::Routes)?;
        let others = mounts::router(&app, endpoint).map_err(HttpError::Routes)?;
        let host = boot.host.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let port = boot.port.unwrap_or(80);
        let bind = async |port| {
            let address = SocketAddr::new(host, port);
            Listener::bind(address).await.map_err(|source| HttpError::Bind { address, source })
        };
        let listener = bind(port).await?;
        let health_listener = match boot.port_health.filter(|other| *other != port) {
            Some(port) => Some(bind(port).await?),
            None => None,
        };
        if health_listener.is_none() {
            mounts::check_health_path(&site, &others, &boot.health_path).map_err(HttpError::Routes)?;
        }
        let limits = Limits::of(&boot);
        Ok(Self { app, endpoint, site, others, listener, health_listener, boot, limits })
    }

    /// The address of the routes.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Serves until `shutdown` begins, then finishes the requests that are under way, within the grace time.
    ///
    /// # Errors
    /// State that could not be built, requests that did not end in time, a function that failed fatally.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), HttpError> {
        let Self { app, endpoint, site, others, listener, health_listener, boot, limits } = self;
        let health = Health::new(boot.endpoint_id.as_deref().unwrap_or_default());
        let probe = health.router(&boot.health_path);
        let address = listener.address()?;
        let broken = Shutdown::new();
        let service = |sites, others| Service {
            app: app.clone(),
            sites,
            others,
            limits,
            budget: Budget::new(limits.bodies),
            leaving: Shutdown::new(),
            broken: broken.clone(),
        };
        let (routes, health_server) = match health_listener {
            None => (probe.merge(others), None),
            Some(listener) => {
                let only_health = service(Sites::none(), probe.fallback(others::not_found));
                // Goes on answering while the requests drain, so that the gateway sees why.
                let serving =
                    serve(listener, only_health, Shutdown::new(), std::future::pending(), boot.grace);
                (others, Some(tokio::spawn(serving)))
            }
        };
        let grace = boot.grace;
        let lingered = {
            let (health, clock) = (health.clone(), app.clock().clone());
            let linger = limits.linger.min(grace / 4);
            async move {
                // A gateway that has been told sends nothing more, but what it sent before it read that is still on its way.
                // One that does not ask is given some time.
                let settled = async {
                    health.told().await;
                    clock.sleep(limits.settle).await;
                };
                let _ = clock.timeout(linger, settled).await;
            }
        };
        let service = service(Sites::Root(site), routes);
        let serving = tokio::spawn(serve(listener, service, shutdown.clone(), lingered, grace));
        if let Err(error) = ready::prepare(&app, endpoint.name()).await {
            serving.abort();
            health_server.iter().for_each(JoinHandle::abort);
            return Err(HttpError::State(error));
        }
        health.set(HealthState::Ready);
        tracing::info!(endpoint = endpoint.name(), %address, "worker serves");
        tokio::select! {
            () = shutdown.started() => health.set(HealthState::Draining),
            () = broken.started() => {
                health.set(HealthState::Unhealthy);
                shutdown.start();
            }
        }
        let served = serving.await;
        health_server.iter().for_each(JoinHandle::abort);
        match served {
            Ok(drained) => {
                if drained? == Drained::Unfinished {
                    return Err(HttpError::NotDrained(format!(
                        "requests were not finished within the grace time of {grace:?}"
                    )));
                }
            }
            Err(error) => return Err(HttpError::NotDrained(format!("the server ended: {error}"))),
        }
        if broken.has_started() {
            return Err(HttpError::Unhealthy("a function failed fatally, so the worker ended".to_owned()));
        }
        Ok(())
    }
}

/// The routes of an endpoint and the places that it has.
pub(crate) fn site(app: &App, endpoint: &Endpoint) -> Result<Site, String> {
    Ok(Site {
        routes: Routes::new(app, endpoint)?,
        admission: Arc::new(Admission::new(endpoint.jobs_per_worker())),
    })
}
