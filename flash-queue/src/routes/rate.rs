//! Tells callers how many requests they may make.

use axum::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::Pass;

/// What is left. The data plane's own headers are not documented; these are those of REST v2 (the IETF's draft of rate limit
/// header fields).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

pub(super) fn write(pass: &Pass, headers: &mut HeaderMap) {
    let seconds = |time: std::time::Duration| time.as_millis().div_ceil(1_000);
    let left = format!(r#""default";r={};t={}"#, pass.remaining, seconds(pass.reset));
    let policy = format!(r#""default";q={};w={}"#, pass.limit, seconds(pass.window));
    for (name, value) in [(RATE_LIMIT, left), (RATE_LIMIT_POLICY, policy)] {
        // Digits and ASCII punctuation are always possible.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

pub(super) fn write_retry_after(after: std::time::Duration, headers: &mut HeaderMap) {
    let seconds = u64::try_from(after.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}
