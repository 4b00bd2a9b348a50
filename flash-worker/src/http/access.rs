use std::time::Instant;

use http::{Method, Request, StatusCode, Uri};

/// The target of the access log: `RUST_LOG=flash::access=debug` turns it on.
const TARGET: &str = "flash::access";

/// What the access log says of a request. Neither its query nor a header, because both may hold keys.
pub(super) struct Line(Option<(Method, Uri)>);

impl Line {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        // Most servers run without it, and pay nothing for it.
        let is_on = tracing::enabled!(target: TARGET, tracing::Level::DEBUG);
        Self(is_on.then(|| (request.method().clone(), request.uri().clone())))
    }

    pub(super) fn log(self, id: &str, status: StatusCode, began: Instant) {
        let Some((method, uri)) = self.0 else { return };
        let millis = began.elapsed().as_secs_f64() * 1000.0;
        tracing::debug!(
            target: TARGET,
            request_id = id,
            "{method} {} {} {millis:.1} ms",
            uri.path(),
            status.as_u16()
        );
    }
}
