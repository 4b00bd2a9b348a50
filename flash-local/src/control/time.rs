//! Moments on the wire.

use flash_core::clock::Timestamp;
use jiff::Timestamp as Moment;

/// RFC 3339 with milliseconds, in UTC.
pub(super) fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    // What is outside of jiff's range is a clock of a test, or nonsense.
    Moment::from_millisecond(millis).unwrap_or(Moment::MAX).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The other way round. `None`: it is none.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let moment: Moment = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_travel_as_rfc_3339() {
        let at = Timestamp::from_millis(1_764_158_461_007);
        assert_eq!(rfc3339(at), "2025-11-26T12:01:01.007Z");
        assert_eq!(parse("2025-11-26T12:01:01.007Z"), Some(at));
        assert_eq!(parse("2025-11-26T13:01:01.007+01:00"), Some(at));
        assert_eq!(parse("yesterday"), None);
        assert!(rfc3339(Timestamp::from_millis(u64::MAX)).starts_with("9999"));
    }
}
