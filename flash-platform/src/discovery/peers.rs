use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flash_core::clock::Clock;
use flash_core::{DoorKind, Error, code};

use super::kept::Kept;
use super::snapshot::Snapshot;
use super::state_manager::{Known, StateManager};

/// How long what the State Manager said is used, about.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long a peer without an address is waited for, and how often it is asked for meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// The platform's data plane, and the addresses of its HTTP endpoints (platform contract A.1, C).
const ENDPOINT_BASE: &str = "https://api.runpod.ai/v2";
const LB_TEMPLATE: &str = "https://{id}.api.runpod.ai";

/// The platform's own gateway to the endpoints of an app, which finds them by name (platform contract D.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// `FLASH_APP`.
    pub app: String,
    /// `FLASH_ENV`.
    pub environment: String,
}

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its address, without a slash at its end.
    pub url: String,
    /// Headers that select it, where the address is that of a gateway.
    pub headers: Vec<(&'static str, String)>,
    /// Whether the address was made from what is configured here, and was not only told by a record.
    pub(crate) is_configured: bool,
    /// Whether its workers read what Flash reserves in a job's input.
    pub speaks_flash: bool,
}

/// Where the endpoints of this app are. Clones share what was found out.
#[derive(Debug, Clone)]
pub struct Peers {
    sources: Arc<Sources>,
}

#[derive(Debug)]
struct Sources {
    /// `FLASH_RESOURCES_ENDPOINTS`.
    addresses: BTreeMap<String, String>,
    state_manager: Option<Snapshot>,
    gateway: Option<Gateway>,
    endpoint_base: String,
    lb_template: String,
    patience: Duration,
    /// Endpoints whose address in the environment did not work.
    suspects: Mutex<BTreeSet<String>>,
}

/// How peers are found.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Finder {
    addresses: BTreeMap<String, String>,
    state_manager: Option<StateManager>,
    gateway: Option<Gateway>,
    endpoint_base: Option<String>,
    lb_template: Option<String>,
    lifetime: Option<Duration>,
    patience: Option<Duration>,
    kept: Option<PathBuf>,
}

impl Finder {
    /// Asks the State Manager for what the environment does not name.
    pub fn state_manager(mut self, state_manager: StateManager) -> Self {
        self.state_manager = Some(state_manager);
        self
    }

    /// Uses the gateway for what nobody else names.
    pub fn gateway(mut self, gateway: Gateway) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// The address under which queue endpoints are, by default `https://api.runpod.ai/v2`.
    pub fn endpoint_base(mut self, base: impl Into<String>) -> Self {
        self.endpoint_base = Some(base.into());
        self
    }

    /// The address of an HTTP endpoint with `{id}` in place of its id, by default `https://{id}.api.runpod.ai`.
    pub fn lb_url_template(mut self, template: impl Into<String>) -> Self {
        self.lb_template = Some(template.into());
        self
    }

    /// How long an answer of the State Manager is used, give or take a tenth; by default 300 s.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The worker's manifest, in which the State Manager's answers outlive the process. A worker that starts while the State
    /// Manager is down uses what stands there.
    pub fn kept_in(mut self, manifest: impl Into<PathBuf>) -> Self {
        self.kept = Some(manifest.into());
        self
    }

    /// How long a peer without an address is waited for, by default 30 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The peers.
    #[must_use]
    pub fn build(self) -> Peers {
        let lifetime = self.lifetime.unwrap_or(LIFETIME);
        let trimmed = |url: Option<String>, default: &str| {
            url.map_or_else(|| default.to_owned(), |url| url.trim_end_matches('/').to_owned())
        };
        Peers {
            sources: Arc::new(Sources {
                addresses: self.addresses,
                state_manager: self.state_manager.map(|asked| {
                    let kept = self.kept.map(|path| Kept::new(path, asked.environment()));
                    Snapshot::new(asked, lifetime, kept)
                }),
                gateway: self.gateway,
                endpoint_base: trimmed(self.endpoint_base, ENDPOINT_BASE),
                lb_template: trimmed(self.lb_template, LB_TEMPLATE),
                patience: self.patience.unwrap_or(PATIENCE),
                suspects: Mutex::default(),
            }),
        }
    }
}

impl Peers {
    /// Peers with known addresses: `FLASH_RESOURCES_ENDPOINTS`.
    #[must_use]
    pub fn new(addresses: BTreeMap<String, String>) -> Self {
        Self::finder(addresses).build()
    }

    /// Peers of whom some have known addresses, and others are found.
    pub fn finder(addresses: BTreeMap<String, String>) -> Finder {
        Finder { addresses, ..Finder::default() }
    }

    /// The address of an endpoint: from the environment, else from the State Manager, else through the gateway.
    ///
    /// # Errors
    /// `no_address`, with the sources that were asked, after the State Manager was waited for.
    pub async fn find(&self, clock: &Clock, endpoint: &str, door: DoorKind) -> Result<Peer, Error> {
        let sources = &*self.sources;
        let fixed = sources.addresses.get(endpoint).map(|url| plain(url));
        if let Some(peer) = &fixed
            && !(sources.is_suspect(endpoint) && sources.askable().is_some())
        {
            return Ok(peer.clone());
        }
        let Some(asked) = sources.askable() else {
            return sources.through_gateway(endpoint, door).ok_or_else(|| sources.unknown(endpoint, None));
        };
        let (known, mut answers) = asked.get(clock, endpoint).await;
        if let Some(peer) = known.map(|known| sources.peer(known, door)).or(fixed) {
            return Ok(peer);
        }
        if let Some(peer) = sources.through_gateway(endpoint, door) {
            return Ok(peer);
        }
        // It may just be on its way: the app is being deployed.
        let start = clock.now();
        loop {
            asked.renew(clock, answers).await;
            let known;
            (known, answers) = asked.get(clock, endpoint).await;
            if let Some(known) = known {
                return Ok(sources.peer(known, door));
            }
            let waited = clock.now().since(start);
            if waited >= sources.patience {
                return Err(sources.unknown(endpoint, Some(waited)));
            }
            clock.sleep(ASK_AGAIN.min(sources.patience.saturating_sub(waited))).await;
        }
    }

    /// The address of an endpoint did not work: it is asked for anew.
    pub fn invalidate(&self, endpoint: &str) {
        let sources = &self.sources;
        let mut suspects = sources.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        suspects.insert(endpoint.to_owned());
        if let Some(asked) = &sources.state_manager {
            asked.expire();
        }
    }
}

impl Sources {
    /// The State Manager, where it can be asked: without a key it would answer nothing.
    fn askable(&self) -> Option<&Snapshot> {
        self.state_manager.as_ref().filter(|asked| asked.state_manager().has_key())
    }

    fn is_suspect(&self, endpoint: &str) -> bool {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner).contains(endpoint)
    }

    fn peer(&self, known: Known, door: DoorKind) -> Peer {
        let Known { id, url, speaks_flash } = known;
        let id = id.unwrap_or_default();
        let is_configured = url.is_none();
        let url = match door {
            _ if url.is_some() => url.unwrap_or_default(),
            DoorKind::Queue => format!("{}/{id}", self.endpoint_base),
            DoorKind::Http => self.lb_template.replace("{id}", &id),
        };
        Peer { is_configured, speaks_flash, ..plain(&url) }
    }

    fn through_gateway(&self, endpoint: &str, door: DoorKind) -> Option<Peer> {
        let gateway = self.gateway.as_ref()?;
        let url = match door {
            DoorKind::Queue => format!("{}/flash", self.endpoint_base),
            DoorKind::Http => self.lb_template.replace("{id}", "flash"),
        };
        let headers = vec![
            ("x-flash-app", gateway.app.clone()),
            ("x-flash-environment", gateway.environment.clone()),
            ("x-flash-endpoint", endpoint.to_owned()),
        ];
        Some(Peer { headers, ..plain(&url) })
    }

    fn unknown(&self, endpoint: &str, waited: Option<Duration>) -> Error {
        let names = self.addresses.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "nothing".to_owned() } else { names };
        let mut tried = vec![format!("FLASH_RESOURCES_ENDPOINTS names {names}")];
        tried.push(match (&self.state_manager, self.askable()) {
            (_, Some(asked)) => {
                let environment = asked.state_manager().environment();
                let waited = waited.map(|waited| format!(" after {waited:?}")).unwrap_or_default();
                format!("the State Manager, for environment `{environment}`, {}{waited}", asked.describe())
            }
            (Some(_), None) => "the State Manager is not asked without RUNPOD_API_KEY".to_owned(),
            (None, None) => "FLASH_ENVIRONMENT_ID is not set, so the State Manager is not asked".to_owned(),
        });
        if self.gateway.is_none() {
            tried.push("FLASH_APP and FLASH_ENV do not both name a gateway".to_owned());
        }
        Error::new(
            code::NO_ADDRESS,
            format!(
                "no address is known for endpoint `{endpoint}`: {}\nhelp: deploy the app, which fills the addresses in, or \
                 name it in FLASH_RESOURCES_ENDPOINTS",
                tried.join("; ")
            ),
        )
    }
}

fn plain(url: &str) -> Peer {
    Peer {
        url: url.trim_end_matches('/').to_owned(),
        headers: Vec::new(),
        is_configured: true,
        speaks_flash: true,
    }
}
