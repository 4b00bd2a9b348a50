use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Names of environments that go away again begin with one of these.
const PREFIXES: [&str; 2] = ["tmp-", "live-"];
/// The moment within the name, in UTC.
const MOMENT: &str = "%Y%m%dt%H%M%Sz";

/// The name of an environment that is to be gone at `until`: `tmp-20261126t163005z-1a2b`.
///
/// The lease is in the name, so whoever lists environments or endpoints sees it, from any machine and without a record
/// of its own: `flash gc` needs nothing else.
pub(crate) fn leased_name(prefix: &str, until: Timestamp) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}-{}-{}", until.strftime(MOMENT), &random[..4])
}

/// When the lease of an environment is over; `None` for one that stays.
pub(crate) fn lease_of(environment: &str) -> Option<Timestamp> {
    let rest = PREFIXES.iter().find_map(|prefix| environment.strip_prefix(prefix))?;
    let (moment, _) = rest.split_once('-')?;
    let moment = DateTime::strptime(MOMENT, moment).ok()?;
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The same for people and programs.
pub(crate) fn leased_until(environment: &str) -> Option<String> {
    lease_of(environment).map(|until| until.to_string())
}

/// How long until then; nothing when it is over.
pub(crate) fn left_until(until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_when_it_is_over_to_everybody_who_reads_it() {
        let until: Timestamp = "2026-11-26T16:30:05Z".parse().unwrap();
        for prefix in ["tmp", "live"] {
            let name = leased_name(prefix, until);
            assert!(name.starts_with(&format!("{prefix}-20261126t163005z-")), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
            assert_eq!(lease_of(&name), Some(until));
        }
        assert_ne!(leased_name("tmp", until), leased_name("tmp", until));
    }

    #[test]
    fn an_environment_of_another_name_has_no_lease() {
        for name in ["production", "tmp-blue", "tmp-20261126t163005z", "x-20261126t163005z-1a2b", "live-"] {
            assert_eq!(lease_of(name), None, "{name}");
        }
    }
}
