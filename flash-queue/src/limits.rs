//! Every number of the platform, once: its value, where it comes from, and how sure that is.

use std::fmt;
use std::time::Duration;

mod switch;
mod value;

pub use switch::{Overdue, Oversized};
pub use value::LimitValue;

/// How sure a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grade {
    /// RunPod's documentation says so.
    Documented,
    /// The live platform or its clients were seen to behave so.
    Observed,
    /// Nobody outside knows; this is a choice.
    Assumed,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumed => "assumed",
        })
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name of the field of [`Limits`].
    pub name: &'static str,
    /// What it bounds.
    pub about: &'static str,
    /// The value in force.
    pub value: LimitValue,
    /// How sure it is.
    pub grade: Grade,
    /// Where it is from.
    pub source: &'static str,
}

macro_rules! limits {
    ($( $(#[doc = $about:literal])+ $name:ident: $type:ty = $value:expr, $grade:ident, $source:literal; )+) => {
        /// The numbers in force. `Limits::default()` is RunPod as far as it is known; tests and other platforms change fields.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $( $(#[doc = $about])+ pub $name: $type, )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $( $name: $value, )+ }
            }
        }

        impl Limits {
            /// The table: every number with its value in force, its source and its grade.
            pub fn rows(&self) -> Vec<Row> {
                vec![$( Row {
                    name: stringify!($name),
                    about: concat!($($about,)+).trim_ascii(),
                    value: LimitValue::from(self.$name),
                    grade: Grade::$grade,
                    source: $source,
                }, )+]
            }
        }
    };
}

// Decimal, the smaller reading of the documentation: what fits here fits there.
const MB: usize = 1_000_000;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

limits! {
    /// Largest body of `/run`.
    run_body: usize = 10 * MB, Documented, "operation reference, run: 10 MB";
    /// Largest body of `/runsync`.
    runsync_body: usize = 20 * MB, Documented, "operation reference, runsync: 20 MB";
    /// Largest result of a `/run` job.
    run_result: usize = 10 * MB, Documented, "handler functions: the request limits apply to results";
    /// Largest result of a `/runsync` job.
    runsync_result: usize = 20 * MB, Documented, "handler functions: the request limits apply to results";
    /// What happens to a result over its limit.
    oversized_result: Oversized = Oversized::Vanish, Observed, "runpod-python issue 309: job-done answers 400, the job is COMPLETED without output";
    /// Largest piece of a streamed result; RunPod splits larger ones, here they are refused.
    stream_chunk: usize = MB, Documented, "operation reference, stream: 1 MB";
    /// Bytes of streamed pieces that a job may have waiting to be read.
    stream_backlog: usize = 64 * MB, Assumed, "unknown: bounds memory";
    /// How long `/runsync` waits when the caller does not say.
    wait_default: Duration = 90 * SECOND, Documented, "operation reference, runsync";
    /// Shortest `?wait=`; less is raised to it.
    wait_min: Duration = SECOND, Documented, "operation reference, runsync";
    /// Longest `?wait=`; more is lowered to it.
    wait_max: Duration = 300 * SECOND, Documented, "operation reference, runsync";
    /// How long an ended `/run` job is kept.
    run_retention: Duration = 30 * MINUTE, Documented, "operation reference, run: 30 min";
    /// How long an ended `/runsync` job is kept.
    runsync_retention: Duration = MINUTE, Documented, "operation reference, runsync: 1 min (up to 5 with wait)";
    /// How long a job may run when neither it nor its endpoint says.
    execution_timeout: Duration = 600 * SECOND, Documented, "send requests, policy";
    /// Shortest `policy.executionTimeout`.
    execution_timeout_min: Duration = 5 * SECOND, Documented, "send requests, policy";
    /// Longest `policy.executionTimeout`.
    execution_timeout_max: Duration = Duration::from_secs(7 * 86_400), Documented, "send requests, policy";
    /// Where a job ends that ran too long.
    overdue_status: Overdue = Overdue::TimedOut, Assumed, "job states: the worker did not report back before the threshold";
    /// How long a job may exist, from its submission.
    ttl: Duration = DAY, Documented, "send requests, policy";
    /// Shortest `policy.ttl`.
    ttl_min: Duration = 10 * SECOND, Documented, "send requests, policy";
    /// Longest `policy.ttl`.
    ttl_max: Duration = Duration::from_secs(7 * 86_400), Documented, "send requests, policy";
    /// Whether a job whose ttl is over is removed, so that its status is 404 (else it ends as TIMED_OUT and is kept).
    ttl_removes: bool = true, Documented, "send requests, policy: a hard limit, removed in any state";
    /// Whether a worker gets no `input` key when the caller sent `{}`.
    strip_empty_input: bool = true, Observed, "platform contract A.3: flash sends {\"__empty\": true} because of it";
    /// How often a job whose worker was lost is dispatched again before it fails.
    lost_worker_retries: u32 = 1, Observed, "live trace: job timed out after 1 retries";
    /// How long a worker that holds jobs may be silent before it counts as lost.
    lease: Duration = 45 * SECOND, Observed, "live trace: dispatched again after about 45 s";
    /// Interval of the heartbeat that workers are told to send.
    ping_interval: Duration = 10 * SECOND, Documented, "runpod-python: RUNPOD_PING_INTERVAL, default 10000 ms";
    /// How long `job-take` is held when there is no job; clients give up after 90 s.
    take_hold: Duration = 30 * SECOND, Assumed, "unknown: below the clients' 90 s and the lease";
    /// How long `job-stop` is held when there is nothing to stop.
    stop_hold: Duration = 30 * SECOND, Assumed, "unknown: below the clients' 90 s and the lease";
    /// Most jobs that one batch take answers.
    batch_max: usize = 1_000, Assumed, "unknown: bounds the answer";
    /// Largest body, request or response, of an HTTP endpoint.
    http_body: usize = 30 * MB, Documented, "load balancing overview: 30 MB";
    /// How long a request to an HTTP endpoint waits for a worker.
    http_no_worker: Duration = 2 * MINUTE, Documented, "load balancing overview: 2 min, then no workers available";
    /// How long a worker may process a request to an HTTP endpoint.
    http_processing: Duration = Duration::from_secs(330), Documented, "load balancing overview: 5.5 min";
    /// How often the health path of a worker that is not healthy yet is asked.
    health_poll_starting: Duration = Duration::from_millis(50), Assumed, "unknown: short, since the worker is on this machine";
    /// How often the health path of a healthy worker is asked.
    health_poll: Duration = 5 * SECOND, Assumed, "unknown (flash documents 30 s)";
    /// How long the answer of a health path may take.
    health_timeout: Duration = 5 * SECOND, Assumed, "unknown";
    /// How long a worker may live without ever answering its health path before it counts as misconfigured.
    http_start: Duration = 8 * MINUTE, Documented, "load balancing overview: lives 8 min, callers get 502";
    /// How long a worker that was asked to stop may take before it is killed.
    stop_grace: Duration = 30 * SECOND, Assumed, "unknown";
    /// Pause before a worker that died is started again, doubled with each death in a row.
    crash_pause: Duration = Duration::from_millis(250), Assumed, "unknown";
    /// Longest pause between two starts of a worker that keeps dying.
    crash_pause_max: Duration = MINUTE, Assumed, "unknown";
    /// How long a worker must live for its earlier deaths to be forgotten.
    crash_forgiven: Duration = MINUTE, Assumed, "unknown";
    /// Lines of output that are kept per worker.
    log_lines: usize = 10_000, Assumed, "unknown: bounds memory";
    /// Bytes of ended jobs that the memory store keeps per endpoint; the oldest go first, before their retention is over.
    memory_ended: usize = 512 * MB, Assumed, "no limit is documented: bounds memory";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_what_and_where_from() {
        let rows = Limits::default().rows();
        let mut names: Vec<_> = rows.iter().map(|row| row.name).collect();
        names.dedup();
        assert_eq!(names.len(), rows.len());
        for row in &rows {
            assert!(row.about.ends_with('.') && !row.about.starts_with(' '), "{row:?}");
            assert!(!row.source.is_empty() && !row.value.to_string().is_empty(), "{row:?}");
        }
        let shown = |name: &str| rows.iter().find(|row| row.name == name).unwrap().value.to_string();
        assert_eq!(shown("run_body"), "10000000");
        assert_eq!(shown("wait_default"), "90 s");
        assert_eq!(shown("crash_pause"), "250 ms");
        assert_eq!(shown("overdue_status"), "TIMED_OUT");
        assert_eq!(shown("ttl_removes"), "true");
    }

    #[test]
    fn the_defaults_fit_together() {
        let limits = Limits::default();
        assert!(limits.take_hold < limits.lease && limits.stop_hold < limits.lease);
        assert!(limits.ping_interval * 2 < limits.lease);
        assert!(limits.wait_min <= limits.wait_default && limits.wait_default <= limits.wait_max);
        assert!(limits.run_body < limits.runsync_body);
    }
}
