//! Which headers go through.

use http::header::{
    AUTHORIZATION, CONNECTION, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

use flash_core::ids::WorkerId;

/// Headers that belong to one connection and not to the message (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
];

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Whether the sender closes the connection after this message.
pub(super) fn closes(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("close"))
}

/// What a worker gets: not the caller's key, which is for the platform (platform contract C, seen on the live platform).
pub(super) fn to_worker(headers: &mut HeaderMap, host: &HeaderValue) {
    drop_hop_by_hop(headers);
    headers.remove(AUTHORIZATION);
    headers.insert(HOST, host.clone());
}

/// What the caller gets: also who answered.
pub(super) fn to_caller(headers: &mut HeaderMap, worker: &WorkerId) {
    drop_hop_by_hop(headers);
    if let Ok(worker) = HeaderValue::from_str(worker.as_str()) {
        headers.insert(HeaderName::from_static("x-runpod-worker-id"), worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_connection_stays_there() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("authorization", "Bearer key"),
            ("host", "outside"),
            ("x-kept", "2"),
            ("content-type", "application/json"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        to_worker(&mut headers, &HeaderValue::from_static("127.0.0.1:1"));
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-type", "host", "x-kept"]);
        assert_eq!(headers["host"], "127.0.0.1:1");
        to_caller(&mut headers, &WorkerId::from("w-1"));
        assert_eq!(headers["x-runpod-worker-id"], "w-1");
    }
}
