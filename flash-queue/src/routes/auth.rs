//! Who may call.

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::{Choice, ConstantTimeEq};

/// Who a request comes from, as far as its path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A client of this endpoint.
    Client {
        /// The endpoint.
        endpoint: &'a str,
    },
    /// A worker of this endpoint.
    Worker {
        /// The endpoint.
        endpoint: &'a str,
    },
}

type Check = dyn Fn(Caller<'_>, &str) -> bool + Send + Sync;

/// Decides whether a request is served. The token is what `Authorization` carries, with or without `Bearer`: RunPod's
/// clients send it with, its workers without.
#[derive(Clone, Default)]
pub struct Auth(Option<Arc<Check>>);

impl Auth {
    /// Everybody may call.
    pub const fn open() -> Self {
        Self(None)
    }

    /// Those may call whose token `check` accepts. A missing token is an empty one.
    pub fn check(check: impl Fn(Caller<'_>, &str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// Those may call who have one of these keys. Keys are compared in constant time.
    pub fn keys<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        let keys: Vec<String> = keys.into_iter().map(Into::into).filter(|key| !key.is_empty()).collect();
        Self::check(move |_, token| {
            // All of them are compared, and each whole: how long it takes tells nothing but their lengths.
            let same = |key: &String| key.as_bytes().ct_eq(token.as_bytes());
            keys.iter().fold(Choice::from(0), |found, key| found | same(key)).into()
        })
    }

    /// Whether a request with these headers is served.
    pub fn allows(&self, caller: Caller<'_>, headers: &HeaderMap) -> bool {
        // Nothing is looked for that nobody asks for.
        let Some(check) = &self.0 else { return true };
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        check(caller, without_scheme(token))
    }

    /// Whether a request with this token is served.
    pub fn accepts(&self, caller: Caller<'_>, token: &str) -> bool {
        self.0.as_ref().is_none_or(|check| check(caller, token))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Auth(check)" } else { "Auth(open)" })
    }
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_with_and_without_bearer() {
        let auth = Auth::keys(["one", "two", ""]);
        let allows = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.extend(value.map(|value| (AUTHORIZATION, value.parse().unwrap())));
            auth.allows(Caller::Client { endpoint: "e" }, &headers)
        };
        assert!(allows(Some("one")) && allows(Some("Bearer two")) && allows(Some("bearer  two")));
        assert!(!allows(Some("Basic one")) && !allows(Some("on")) && !allows(Some("")) && !allows(None));
    }
}
