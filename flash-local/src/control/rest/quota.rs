//! How often may be asked: a quota for each minute, hour and day, shown in the headers of each answer.

use std::sync::{Mutex, PoisonError};

use flash_core::clock::Timestamp;
use flash_queue::Limits;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The quotas, and what is left of them.
#[derive(Debug)]
pub(in crate::control) struct Quota(Mutex<[Window; 3]>);

#[derive(Clone, Copy, Debug)]
struct Window {
    name: &'static str,
    seconds: u64,
    quota: usize,
    used: usize,
    until: Timestamp,
}

/// What a request got.
pub(in crate::control) struct Taken {
    windows: [Window; 3],
    now: Timestamp,
    /// Seconds until there is more. `None`: the request may pass.
    pub(super) retry_after: Option<u64>,
}

impl Quota {
    pub(in crate::control) fn new(limits: &Limits) -> Self {
        let window =
            |name, seconds, quota| Window { name, seconds, quota, used: 0, until: Timestamp::default() };
        Self(Mutex::new([
            window("minute", 60, limits.rest_minute),
            window("hour", 3_600, limits.rest_hour),
            window("day", 86_400, limits.rest_day),
        ]))
    }

    pub(super) fn take(&self, now: Timestamp) -> Taken {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for window in &mut *windows {
            if now >= window.until {
                window.until = now + std::time::Duration::from_secs(window.seconds);
                window.used = 0;
            }
        }
        let full = windows.iter().filter(|window| window.used >= window.quota);
        let retry_after = full.map(|window| window.left(now)).max();
        if retry_after.is_none() {
            windows.iter_mut().for_each(|window| window.used += 1);
        }
        Taken { windows: *windows, now, retry_after }
    }
}

impl Window {
    /// Seconds until it is over, at least one.
    fn left(&self, now: Timestamp) -> u64 {
        self.until.since(now).as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX)
    }
}

impl Taken {
    /// Writes the headers (IETF draft of rate limit headers, as structured fields).
    pub(super) fn show(&self, headers: &mut HeaderMap) {
        let left = self.windows.iter().map(|window| {
            format!(
                "\"{}\";r={};t={}",
                window.name,
                window.quota.saturating_sub(window.used),
                window.left(self.now)
            )
        });
        let policy = self
            .windows
            .iter()
            .map(|window| format!("\"{}\";q={};w={}", window.name, window.quota, window.seconds));
        for (name, text) in
            [("ratelimit", left.collect::<Vec<_>>()), ("ratelimit-policy", policy.collect::<Vec<_>>())]
        {
            if let Ok(value) = HeaderValue::from_str(&text.join(", ")) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_quota_ends_and_begins_again() {
        let quota = Quota::new(&Limits { rest_minute: 2, rest_hour: 3, ..Limits::default() });
        let now = Timestamp::from_millis(1_000_000);
        let after = |seconds| quota.take(now + Duration::from_secs(seconds)).retry_after;
        assert_eq!([after(0), after(1), after(20)], [None, None, Some(40)]);
        assert_eq!(after(60), None, "the next minute");
        assert_eq!(after(61), Some(3_539), "the hour is used up");
        let mut headers = HeaderMap::new();
        quota.take(now + Duration::from_secs(61)).show(&mut headers);
        assert_eq!(
            headers["ratelimit"],
            "\"minute\";r=1;t=59, \"hour\";r=0;t=3539, \"day\";r=199997;t=86339"
        );
        assert!(
            headers["ratelimit-policy"].to_str().unwrap().starts_with("\"minute\";q=2;w=60, \"hour\";q=3")
        );
    }
}
