//! A value of the table, as a person writes it.

use std::time::Duration;

use super::{Overdue, Oversized, Rate};

/// A value that can be set by its text: what [`LimitValue`](super::LimitValue) prints is read again.
pub(super) trait Setting: Sized {
    /// What is possible, for errors.
    const SHAPE: &'static str;

    fn read(text: &str) -> Option<Self>;
}

impl Setting for Duration {
    const SHAPE: &'static str = "a time such as `45 s`, `250 ms`, `2 min` or `24 h`";

    fn read(text: &str) -> Option<Self> {
        let unit = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let number = number.parse::<u64>().ok()?;
        let millis = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "min" | "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        Some(Self::from_millis(number.checked_mul(millis)?))
    }
}

impl Setting for usize {
    const SHAPE: &'static str = "a number";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for u32 {
    const SHAPE: &'static str = "a number";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for bool {
    const SHAPE: &'static str = "`true` or `false`";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for Rate {
    const SHAPE: &'static str =
        "requests per window, and those at the same time: `1000/200`, or `1000` without that limit";

    fn read(text: &str) -> Option<Self> {
        let (requests, concurrent) = text.split_once('/').unwrap_or((text, "0"));
        Some(Self::new(requests.trim().parse().ok()?, concurrent.trim().parse().ok()?))
    }
}

impl Setting for Oversized {
    const SHAPE: &'static str = "`COMPLETED without output` or `FAILED`";

    fn read(text: &str) -> Option<Self> {
        match text {
            "COMPLETED without output" => Some(Self::Vanish),
            "FAILED" => Some(Self::Fail),
            _ => None,
        }
    }
}

impl Setting for Overdue {
    const SHAPE: &'static str = "`TIMED_OUT` or `FAILED`";

    fn read(text: &str) -> Option<Self> {
        match text {
            "TIMED_OUT" => Some(Self::TimedOut),
            "FAILED" => Some(Self::Failed),
            _ => None,
        }
    }
}
