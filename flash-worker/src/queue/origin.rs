use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderValue, Uri};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connection::{Connection, Stream};

/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Servers close connections that nobody uses; from here on it is likelier that this one is gone.
const IDLE: Duration = Duration::from_secs(50);

/// A host, and the connections to it that are free.
pub(crate) struct Origin {
    is_tls: bool,
    host: String,
    port: u16,
    /// What the header `host` says.
    authority: HeaderValue,
    /// The one used last is on top, so the others grow old and go.
    free: Mutex<Vec<(Instant, Connection)>>,
}

impl Origin {
    /// Splits an address into its host and what stands behind it. The error does not repeat the address.
    pub(crate) fn parse(text: &str) -> Result<(Self, String), String> {
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
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.is_tls, &self.host, self.port) == (other.is_tls, &other.host, other.port)
    }

    /// What the header `host` says.
    pub(crate) fn authority(&self) -> HeaderValue {
        self.authority.clone()
    }

    /// A connection that is free, the youngest first.
    pub(crate) fn free(&self) -> Option<Connection> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, connection) = free.pop()?;
        if since.elapsed() < IDLE {
            return Some(connection);
        }
        // All below it are older still.
        free.clear();
        None
    }

    /// Lets go of the connections that are free: one of them was found closed, so the others are suspect.
    pub(crate) fn forget_free(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Gives a connection back for the next request.
    pub(crate) fn give_back(&self, connection: Connection) {
        if !connection.is_open() {
            return;
        }
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), connection));
    }

    /// A new connection.
    ///
    /// # Errors
    /// In words without the address.
    pub(crate) async fn connect(&self) -> Result<Connection, String> {
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
    CONFIG.get_or_init(|| Ok(TlsConnector::from(Arc::new(flash_platform::tls_config()?)))).clone()
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
