//! Keeps pages of strangers out. A browser on this machine reaches a loopback port, and runs whatever page somebody opens in
//! it: without this, any web page could empty a queue.
//!
//! Programs that are not browsers are not concerned. Neither is `/lb/…`, where an endpoint's own code decides.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The layer.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let is_gateway = request.uri().path().starts_with("/lb/");
    if is_gateway || !is_foreign(request.method(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "a web page of another site was refused");
    let text = serde_json::json!({
        "error": "requests of other web sites are not served\nhelp: open the platform's own page by its IP address"
    });
    let mut response = Response::new(Body::from(text.to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether a browser sent this for a page that is not the platform's.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (origin, site) = (text(&ORIGIN), text(&SITE));
    if origin.is_none() && site.is_none() {
        return false;
    }
    let host = text(&HOST).unwrap_or_default();
    // Whoever owns a name can let it point to this machine, and is then of the same origin.
    if !is_local_name(host) {
        return true;
    }
    match (origin, site) {
        (Some(origin), _) => origin.strip_prefix("http://") != Some(host),
        (None, Some("same-origin" | "none")) => false,
        // Somebody followed a link to here. The page it is on does not see the answer.
        (None, _) => method != Method::GET || text(&MODE) != Some("navigate"),
    }
}

/// Whether a host is a number or `localhost`, which nobody else can own.
fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let number = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || number.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(method: &Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_foreign(method, &headers)
    }

    #[test]
    fn programs_and_the_own_page_are_served() {
        assert!(!foreign(&Method::POST, &[("host", "anything")]));
        assert!(!foreign(&Method::POST, &[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80")]));
        assert!(!foreign(&Method::POST, &[("host", "[::1]:80"), ("origin", "http://[::1]:80")]));
        assert!(!foreign(&Method::GET, &[("host", "localhost:80"), ("sec-fetch-site", "same-origin")]));
        assert!(!foreign(&Method::GET, &[("host", "192.168.0.7:80"), ("sec-fetch-site", "none")]));
        let link =
            [("host", "127.0.0.1:80"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert!(!foreign(&Method::GET, &link));
    }

    #[test]
    fn pages_of_others_are_not() {
        let host = ("host", "127.0.0.1:80");
        for origin in ["http://evil.example", "null", "http://127.0.0.1:81", "https://127.0.0.1:80", ""] {
            assert!(foreign(&Method::POST, &[host, ("origin", origin)]), "{origin}");
        }
        // A name that was made to point here.
        let named = ("host", "evil.example:80");
        assert!(foreign(&Method::POST, &[named, ("origin", "http://evil.example:80")]));
        assert!(foreign(&Method::GET, &[named, ("sec-fetch-site", "same-origin")]));
        // An image or a script of another page, even of one on this machine.
        for site in ["cross-site", "same-site"] {
            assert!(foreign(&Method::GET, &[host, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]));
            assert!(foreign(
                &Method::POST,
                &[host, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")]
            ));
        }
    }
}
