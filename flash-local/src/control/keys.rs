//! Who may use the control plane.

use flash_queue::routes::{Auth, Caller};
use http::HeaderMap;

/// The keys of the control plane. They are compared in constant time.
#[derive(Debug)]
pub(super) struct Keys {
    auth: Auth,
    key: String,
}

const NOBODY: Caller<'_> = Caller::Client { endpoint: "" };

impl Keys {
    pub(super) fn new(key: String) -> Self {
        Self { auth: Auth::keys([key.clone()]), key }
    }

    /// The key that a login hands out.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Whether a request with these headers is served.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        self.auth.allows(NOBODY, headers)
    }

    /// Whether this is a key.
    pub(super) fn accept(&self, key: &str) -> bool {
        self.auth.accepts(NOBODY, key)
    }

    /// Whether a request with this query is served: GraphQL takes the key there too (platform contract D.1).
    pub(super) fn allow_query(&self, query: Option<&str>) -> bool {
        let pairs = query.unwrap_or_default().split('&');
        let key = pairs.filter_map(|pair| pair.strip_prefix("api_key=")).next().unwrap_or_default();
        self.accept(key)
    }
}
