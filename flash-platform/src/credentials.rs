use std::sync::Arc;

use flash_core::{Error, Secret, code};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Url};

/// The one place that puts a key on a request.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `None` when there is nothing to send.
    known: Option<Arc<Known>>,
    /// Whether whoever is asked may see the key.
    is_trusting: bool,
}

#[derive(Debug)]
struct Known {
    key: Secret,
    /// Hosts that were configured as peers, beside the platform's own.
    hosts: Vec<String>,
}

/// The platform's domains. Subdomains count.
const PLATFORM: [&str; 2] = ["runpod.ai", "runpod.io"];

impl Credentials {
    /// Sends `key` to the platform and to the hosts of these addresses, and to nobody else.
    #[must_use]
    pub fn new(key: Option<Secret>, addresses: impl IntoIterator<Item = String>) -> Self {
        let hosts =
            || addresses.into_iter().filter_map(|address| host(&Url::parse(&address).ok()?)).collect();
        Self { known: key.map(|key| Arc::new(Known { key, hosts: hosts() })), is_trusting: false }
    }

    /// The same, for requests to a single peer, who `is_trusted` with the key or is not.
    #[must_use]
    pub(crate) fn to_peer(&self, is_trusted: bool) -> Self {
        Self { known: self.known.clone(), is_trusting: is_trusted }
    }

    /// Adds the key, where there is one and the host may see it.
    pub fn authorize(&self, request: RequestBuilder, url: &str) -> RequestBuilder {
        match Url::parse(url).ok().as_ref().and_then(|url| self.key_for(url)) {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }

    /// What the header `authorization` says to an address. `None`: nothing.
    ///
    /// # Errors
    /// The key has characters that no header can hold.
    pub(crate) fn bearer(&self, url: &Url) -> Result<Option<HeaderValue>, Error> {
        let Some(key) = self.key_for(url) else { return Ok(None) };
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(|_| {
            let text = "RUNPOD_API_KEY has characters that no header can hold";
            Error::new(code::INVALID_REQUEST, text).terminal()
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Whether there is a key at all.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.known.is_some()
    }

    /// The key, where there is one and this address may see it.
    fn key_for(&self, url: &Url) -> Option<&Secret> {
        let known = self.known.as_ref()?;
        (self.is_trusting || known.may_see(url)).then_some(&known.key)
    }
}

impl Known {
    fn may_see(&self, url: &Url) -> bool {
        let Some(name) = url.host_str() else { return false };
        let is_platform = url.scheme() == "https"
            && PLATFORM
                .iter()
                .any(|domain| name.strip_suffix(domain).is_some_and(|s| s.is_empty() || s.ends_with('.')));
        is_platform || host(url).is_some_and(|host| self.hosts.contains(&host))
    }
}

/// Host and port, because another port is another server.
fn host(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_to_the_platform_and_to_configured_hosts_only() {
        let credentials =
            Credentials::new(Secret::new("fake-key"), ["http://127.0.0.1:4000/v2/x".to_owned()]);
        for (url, may) in [
            ("https://api.runpod.ai/v2/abc/run", true),
            ("https://abc.api.runpod.ai/x", true),
            ("http://api.runpod.ai/v2/abc/run", false),
            ("https://evilrunpod.ai/", false),
            ("https://runpod.ai.evil.example/", false),
            ("http://127.0.0.1:4000/other", true),
            ("http://127.0.0.1:4001/other", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(credentials.key_for(&url).is_some(), may, "{url}");
            assert_eq!(credentials.to_peer(false).key_for(&url).is_some(), may, "{url}");
            assert!(credentials.to_peer(true).key_for(&url).is_some(), "{url}");
            assert!(Credentials::default().to_peer(true).key_for(&url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_key_never_shows_itself() {
        let credentials = Credentials::new(Secret::new("fake-key"), []);
        assert!(!format!("{credentials:?}").contains("fake-key"));
    }
}
