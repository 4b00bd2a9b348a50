use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flash_core::{Error, code};

use crate::public;

/// What we are called in the head of a request.
pub const AGENT: &str = concat!("flash/", env!("CARGO_PKG_VERSION"));

/// The one HTTP client. TLS is set up on the first `https` address: reading certificates would cost every worker
/// start, and a worker of the local platform never needs them.
#[derive(Debug, Clone, Default)]
pub struct HttpClient {
    clients: Arc<Clients>,
    /// Whether only public addresses are reached.
    public: bool,
    is_proxied: bool,
}

#[derive(Debug, Default)]
struct Clients {
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<Result<reqwest::Client, String>>,
}

impl HttpClient {
    /// A client with its own connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether the environment names a proxy. Where it does, calls of routes go by this client too, which reads there how to
    /// speak to it; elsewhere they need no general client.
    #[must_use]
    pub fn proxied(mut self, is_proxied: bool) -> Self {
        self.is_proxied = is_proxied;
        self
    }

    pub(crate) fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    /// A client for addresses that come from strangers: it reaches no loopback, private, link-local or otherwise special
    /// address, whatever a name resolves to at the moment it connects.
    #[must_use]
    pub fn public() -> Self {
        Self { public: true, ..Self::default() }
    }

    /// Starts a request.
    ///
    /// # Errors
    /// An address that is no URL, or `https` without a TLS feature; a private one for a [public](Self::public) client.
    pub fn request(&self, method: reqwest::Method, url: &str) -> Result<reqwest::RequestBuilder, Error> {
        let url = parsed(url)?;
        Ok(self.client_of(&url)?.request(method, url))
    }

    /// The client for an address.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub(crate) fn client_of(&self, url: &reqwest::Url) -> Result<&reqwest::Client, Error> {
        if self.public && !public::may_reach(url) {
            let text = format!("`{url}` is not a public address, and only those are reached here");
            return Err(Error::new(code::NO_ADDRESS, text).terminal());
        }
        self.client(url.scheme() == "https")
    }

    /// Posts JSON to an address that a caller named (a webhook), and gives the status of the answer. A redirect is not
    /// followed: it is a status like any other.
    ///
    /// # Errors
    /// Why there was no answer, in words without the address, which may hold a key.
    pub async fn notify(&self, url: &str, body: Vec<u8>) -> Result<u16, String> {
        let request = self.request(reqwest::Method::POST, url).map_err(|error| error.to_string())?;
        let request = request.header("content-type", "application/json").body(body);
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        Ok(response.status().as_u16())
    }

    fn client(&self, tls: bool) -> Result<&reqwest::Client, Error> {
        if !tls {
            return Ok(self.clients.plain.get_or_init(|| {
                // A configuration without roots reads nothing from the disk. reqwest refuses to be built without one,
                // but a plain address never uses it.
                build(crate::tls::config_without_roots(), self.public).unwrap_or_default()
            }));
        }
        let built = self
            .clients
            .tls
            .get_or_init(|| build(Some(crate::tls::config()?), self.public).map_err(|e| e.to_string()));
        built.as_ref().map_err(|text| Error::new(code::UNREACHABLE, text.clone()).terminal())
    }
}

/// The address as reqwest takes it.
pub(crate) fn parsed(url: &str) -> Result<reqwest::Url, Error> {
    reqwest::Url::parse(url)
        .map_err(|error| Error::new(code::NO_ADDRESS, format!("`{url}` is no address: {error}")).terminal())
}

fn build(tls: Option<rustls::ClientConfig>, public: bool) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        // A redirect could carry the key to another host.
        .redirect(reqwest::redirect::Policy::none())
        // Whether a request may be sent twice is decided where it is known what it does; and reqwest would copy every one.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .user_agent(AGENT);
    if public {
        // A proxy would connect for us, to whatever it likes.
        builder = builder.no_proxy().dns_resolver(public::PublicOnly);
    }
    if let Some(tls) = tls {
        builder = builder.tls_backend_preconfigured(tls);
    }
    builder.build()
}

/// A transport failure in words that hold no key: the address without its query, and the causes.
pub(crate) fn unreachable(error: reqwest::Error) -> Error {
    let address = error.url().map(|url| {
        let mut url = url.clone();
        url.set_query(None);
        url.to_string()
    });
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    let address = address.unwrap_or_else(|| "the peer".to_owned());
    if error.is_timeout() {
        Error::new(code::TIMEOUT, format!("{address} did not answer in time")).retryable()
    } else {
        Error::new(code::UNREACHABLE, format!("{address} could not be reached: {text}")).retryable()
    }
}
