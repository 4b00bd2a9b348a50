use std::sync::Arc;

use flash_core::{Error, Secret, code};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Url};

/// The one place that puts a key on a request.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `None` when there is nothing to send.
    known: Option<Arc<Known>>,
    /// One more host that may see the key.
    also: Option<String>,
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
        Self { known: key.map(|key| Arc::new(Known { key, hosts: hosts() })), also: None }
    }

    /// The same, and the host of this address may see the key too.
    #[must_use]
    pub(crate) fn and(&self, url: &str) -> Self {
        let known = self.known.clone();
        let also = known.as_ref().and_then(|_| host(&Url::parse(url).ok()?));
        Self { known, also }
    }

    /// Adds the key, where there is one and the host may see it.
    pub fn authorize(&self, request: RequestBuilder, url: &str) -> RequestBuilder {
        let Some(known) = &self.known else { return request };
        match Url::parse(url) {
            Ok(url) if self.may_see(&url) => request.bearer_auth(known.key.expose()),
            _ => request,
        }
    }

    /// What the header `authorization` says to an address, which may see the key anyway where it `is_trusted`. `None`: nothing.
    ///
    /// # Errors
    /// The key has characters that no header can hold.
    pub(crate) fn bearer(&self, url: &Url, is_trusted: bool) -> Result<Option<HeaderValue>, Error> {
        let Some(known) = self.known.as_ref().filter(|_| is_trusted || self.may_see(url)) else {
            return Ok(None);
        };
        let mut value = HeaderValue::try_from(format!("Bearer {}", known.key.expose())).map_err(|_| {
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

    fn may_see(&self, url: &Url) -> bool {
        let Some(name) = url.host_str() else { return false };
        let is_platform = url.scheme() == "https"
            && PLATFORM
                .iter()
                .any(|domain| name.strip_suffix(domain).is_some_and(|s| s.is_empty() || s.ends_with('.')));
        let is_named = |host: String| {
            self.also.as_ref() == Some(&host)
                || self.known.as_ref().is_some_and(|known| known.hosts.contains(&host))
        };
        is_platform || host(url).is_some_and(is_named)
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
            assert_eq!(credentials.may_see(&Url::parse(url).unwrap()), may, "{url}");
        }
    }

    #[test]
    fn a_key_never_shows_itself() {
        let credentials = Credentials::new(Secret::new("fake-key"), []);
        assert!(!format!("{credentials:?}").contains("fake-key"));
    }
}
