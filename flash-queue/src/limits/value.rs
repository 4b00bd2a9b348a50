//! A value of the table, as it is printed.

use std::fmt;
use std::time::Duration;

use super::{Overdue, Oversized, Rate};

/// The value of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitValue {
    /// A time.
    Time(Duration),
    /// A number of bytes, lines or tries.
    Count(u64),
    /// A number of requests per window, and at the same time.
    Rate(Rate),
    /// A behaviour that is on or off.
    Switch(bool),
    /// One of several behaviours.
    Choice(&'static str),
}

impl fmt::Display for LimitValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if time.subsec_millis() == 0 => write!(f, "{} s", time.as_secs()),
            Self::Time(time) => write!(f, "{} ms", time.as_millis()),
            Self::Count(count) => write!(f, "{count}"),
            Self::Rate(Rate { requests, concurrent: 0 }) => write!(f, "{requests}"),
            Self::Rate(Rate { requests, concurrent }) => write!(f, "{requests}/{concurrent}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Choice(choice) => f.write_str(choice),
        }
    }
}

impl From<Duration> for LimitValue {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl From<Rate> for LimitValue {
    fn from(rate: Rate) -> Self {
        Self::Rate(rate)
    }
}

impl From<usize> for LimitValue {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<u32> for LimitValue {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<bool> for LimitValue {
    fn from(on: bool) -> Self {
        Self::Switch(on)
    }
}

impl From<Oversized> for LimitValue {
    fn from(choice: Oversized) -> Self {
        Self::Choice(match choice {
            Oversized::Vanish => "COMPLETED without output",
            Oversized::Fail => "FAILED",
        })
    }
}

impl From<Overdue> for LimitValue {
    fn from(choice: Overdue) -> Self {
        Self::Choice(choice.status().as_str())
    }
}
