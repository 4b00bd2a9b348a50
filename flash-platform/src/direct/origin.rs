use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Full;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connection::{Broken, Connection, Stream};

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Servers close connections that nobody uses; from here on it is likelier that this one is gone.
const IDLE: Duration = Duration::from_secs(50);

/// A host, and the connections to it that are free.
///
/// It speaks through hyper's connections itself: a general client's layers (redirects, cookies, URLs, pools with their own
/// tasks) cost as much CPU as all the rest of a call, or of a job. It knows no proxies.
pub struct Origin {
    is_tls: bool,
    host: String,
    port: u16,
    /// What the header `host` says.
    authority: HeaderValue,
    /// The one used last is taken first, so the others grow old and go.
    free: Mutex<VecDeque<(Instant, Connection)>>,
}

/// Why there was no answer. Holds no address, because those have keys in some places.
#[derive(Debug)]
pub enum Lost {
    /// Nothing was sent.
    Unsent(String),
    /// The connection broke while the request was on its way, so the server may have seen it.
    OnTheWay {
        /// How.
        text: String,
        /// Whether the connection had carried requests before: then it may only have been closed at the wrong moment.
        was_reused: bool,
    },
    /// The answer is larger than so many bytes.
    TooLarge(usize),
}

impl Lost {
    /// Whether the server may have seen the request.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        !matches!(self, Self::Unsent(_))
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(text) => f.write_str(text),
            Self::OnTheWay { text, .. } => write!(f, "the connection broke: {text}"),
            Self::TooLarge(limit) => write!(f, "the answer is over {limit} bytes"),
        }
    }
}

impl Origin {
    /// Splits an address into its host and what stands behind it.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub fn parse(text: &str) -> Result<(Self, String), String> {
        let no_address = |what: &str| format!("is no address: {what}");
        let uri: Uri = text.parse().map_err(|error| no_address(&format!("{error}")))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(no_address("it begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| no_address("it has no host"))?;
        let host = authority.host().to_owned();
        // What stands behind the host and is no port is ignored by `Authority`.
        let behind = authority.as_str().rsplit('@').next().and_then(|rest| rest.strip_prefix(&host));
        if behind != Some("") && authority.port_u16().is_none() {
            return Err(no_address("its port is no port"));
        }
        let header = match authority.port() {
            Some(port) => HeaderValue::try_from(format!("{host}:{port}")),
            None => HeaderValue::try_from(&host),
        };
        let default = if is_tls { 443 } else { 80 };
        let target = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let origin = Self {
            is_tls,
            port: authority.port_u16().unwrap_or(default),
            host,
            authority: header.map_err(|error| no_address(&error.to_string()))?,
            free: Mutex::default(),
        };
        Ok((origin, target))
    }

    /// Whether both are the same host.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.is_tls, &self.host, self.port) == (other.is_tls, &other.host, other.port)
    }

    /// What the header `host` says.
    #[must_use]
    pub fn authority(&self) -> HeaderValue {
        self.authority.clone()
    }

    /// Sends a request over a connection that is free, else over a new one, and reads at most `limit` bytes of the answer.
    ///
    /// A free connection may have been closed by the other side meanwhile. That says nothing, so the request goes over a new
    /// one then; but only if nothing of it was sent.
    ///
    /// # Errors
    /// See [`Lost`].
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), Lost> {
        if let Some(mut connection) = self.free() {
            let broken = match connection.exchange(request, limit).await {
                Ok(answer) => {
                    self.give_back(connection);
                    return Ok(answer);
                }
                Err(broken) => broken,
            };
            // One of them was found closed, so the others are suspect.
            self.lock().clear();
            match broken {
                Broken::Closed(unsent) => request = *unsent,
                Broken::OnTheWay(text) => return Err(Lost::OnTheWay { text, was_reused: true }),
                Broken::TooLarge(limit) => return Err(Lost::TooLarge(limit)),
            }
        }
        // Boxed, because it is rare, and would make every request's future larger.
        let mut connection = Box::pin(self.connect()).await.map_err(Lost::Unsent)?;
        match connection.exchange(request, limit).await {
            Ok(answer) => {
                self.give_back(connection);
                Ok(answer)
            }
            Err(Broken::Closed(_)) => Err(Lost::Unsent("the connection was closed".to_owned())),
            Err(Broken::OnTheWay(text)) => Err(Lost::OnTheWay { text, was_reused: false }),
            Err(Broken::TooLarge(limit)) => Err(Lost::TooLarge(limit)),
        }
    }

    /// A connection that is free, the youngest first.
    fn free(&self) -> Option<Connection> {
        let mut free = self.lock();
        let (since, connection) = free.pop_back()?;
        if since.elapsed() < IDLE {
            return Some(connection);
        }
        // All before it are older still.
        free.clear();
        None
    }

    /// Gives a connection back for the next request.
    fn give_back(&self, connection: Connection) {
        if !connection.is_open() {
            return;
        }
        let (mut free, now) = (self.lock(), Instant::now());
        // What was needed in a rush is not kept for ever.
        while free.front().is_some_and(|(since, _)| now.duration_since(*since) >= IDLE) {
            free.pop_front();
        }
        free.push_back((now, connection));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Connection)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection.
    ///
    /// # Errors
    /// In words without the address.
    async fn connect(&self) -> Result<Connection, String> {
        let connecting = async {
            // Literal IPv6 addresses stand in brackets in a URL only.
            let host = self.host.trim_start_matches('[').trim_end_matches(']');
            let tcp = TcpStream::connect((host, self.port)).await.map_err(|error| error.to_string())?;
            tcp.set_nodelay(true).map_err(|error| error.to_string())?;
            let stream = if self.is_tls {
                let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
                let stream = connector()?.connect(name, tcp).await.map_err(|error| error.to_string())?;
                Stream::Tls(Box::new(stream))
            } else {
                Stream::Plain(tcp)
            };
            Connection::open(stream).await
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|error| format!("cannot connect: {error}")),
            Err(_) => Err(format!("cannot connect within {CONNECT_TIMEOUT:?}")),
        }
    }
}

/// Set up on the first `https` address: reading certificates costs a worker's start, and the local platform needs none.
fn connector() -> Result<TlsConnector, String> {
    static CONFIG: OnceLock<Result<TlsConnector, String>> = OnceLock::new();
    CONFIG.get_or_init(|| Ok(TlsConnector::from(Arc::new(crate::tls::config()?)))).clone()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority.to_str().unwrap_or_default())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}
