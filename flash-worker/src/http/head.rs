use std::fmt;
use std::sync::Arc;

use flash_core::clock::Timestamp;
use flash_core::wire::headers as names;
use flash_core::{RequestHead, Scope, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::identity::request_id;

/// Longest id that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// The header with a request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static(names::REQUEST_ID);

/// The headers of a request, for the function that answers it.
pub(super) struct Headers(pub(super) HeaderMap);

impl RequestHead for Headers {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn headers(&self) -> Box<dyn Iterator<Item = (&str, &str)> + '_> {
        Box::new(self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))))
    }
}

/// Names only: values may be keys.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The caller's own id where it is harmless, else a new one.
pub(super) fn id_of(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            id.into()
        }
        _ => request_id(),
    }
}

/// Names the request in its answer.
pub(super) fn name(answer: &mut HeaderMap, id: &str) {
    // An id has printable characters only.
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.insert(REQUEST_ID, id);
    }
}

/// When the caller stops to wait, where it says so.
pub(super) fn deadline(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(names::DEADLINE)?.to_str().ok()?;
    text.trim().parse().ok().map(Timestamp::from_millis)
}

/// The trace that the request belongs to, where it says so.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get(names::TRACEPARENT)?.to_str().ok()?.trim().parse().ok()
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The id of the request that is being answered.
pub(super) fn current_id() -> Option<String> {
    Scope::current().map(|scope| scope.request_id().to_owned())
}
