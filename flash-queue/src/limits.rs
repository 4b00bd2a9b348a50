//! Every number of the platform, once: its value, where it comes from, and how sure that is.

use std::fmt;
use std::time::Duration;

mod rate;
mod setting;
mod switch;
mod table;
mod value;

pub use rate::Rate;
use setting::Setting;
pub use switch::{Overdue, Oversized};
pub use table::render;
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

/// A number of the table that can not be changed like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// There is no number of this name.
    #[error("the platform has no number {0:?}\nhelp: `flash platform parity` lists all of them")]
    Name(String),
    /// The number can not have this value.
    #[error("{name} can not be {value:?}\nhelp: it is {shape}")]
    Value {
        /// The number.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What is possible.
        shape: &'static str,
    },
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
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

            /// Changes a number by its name in the table; what the table prints is read again (`45 s`, `1000/200`, `true`).
            ///
            /// # Errors
            /// When there is no such name, or it can not have this value.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SetError> {
                match name {
                    $( stringify!($name) => {
                        self.$name = Setting::read(value.trim()).ok_or_else(|| SetError::Value {
                            name: stringify!($name),
                            value: value.to_owned(),
                            shape: <$type as Setting>::SHAPE,
                        })?;
                    } )+
                    _ => return Err(SetError::Name(name.to_owned())),
                }
                Ok(())
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
    /// Whether jobs of `policy.lowPriority` are taken only when no other one waits.
    low_priority_waits: bool = true, Assumed, "the documentation says only that they start no workers";
    /// How often a job whose worker was lost is dispatched again before it fails.
    lost_worker_retries: u32 = 1, Observed, "live trace: job timed out after 1 retries";
    /// How long a worker that holds jobs may be silent before it counts as lost.
    lease: Duration = 45 * SECOND, Observed, "live trace: dispatched again after about 45 s";
    /// Whether a job that its worker has had for longer than the lease, and that its heartbeats do not list, counts as lost.
    ping_lists_jobs: bool = true, Assumed, "unknown: runpod-python lists its jobs in every ping";
    /// Interval of the heartbeat that workers are told to send.
    ping_interval: Duration = 10 * SECOND, Documented, "runpod-python: RUNPOD_PING_INTERVAL, default 10000 ms";
    /// How long `job-take` is held when there is no job; clients give up after 90 s.
    take_hold: Duration = 30 * SECOND, Assumed, "unknown: below the clients' 90 s and the lease";
    /// How long `job-stop` is held when there is nothing to stop.
    stop_hold: Duration = 30 * SECOND, Assumed, "unknown: below the clients' 90 s and the lease";
    /// Most jobs that one batch take answers.
    batch_max: usize = 1_000, Assumed, "unknown: bounds the answer";
    /// Whether an idempotency key (`Idempotency-Key`, or `key` of the input's `__flash`) makes `/run` and `/runsync` safe to repeat.
    idempotency_keys: bool = true, Assumed, "RunPod's queue has none; the key holds for as long as its job is kept";
    /// How often a webhook is called until it answers 200.
    webhook_tries: u32 = 3, Documented, "send requests, webhooks: up to 2 more tries";
    /// Pause between two calls of a webhook.
    webhook_pause: Duration = 10 * SECOND, Documented, "send requests, webhooks: 10 s apart";
    /// How long a webhook may take to answer.
    webhook_timeout: Duration = 30 * SECOND, Assumed, "unknown";
    /// Webhooks that are called at the same time, at most.
    webhook_parallel: usize = 64, Assumed, "unknown: a receiver that hangs must not tie up the platform";
    /// Whether webhooks may go to addresses of this machine and of private networks. Callers of a platform that listens on
    /// loopback only can reach them anyway.
    webhook_private: bool = true, Assumed, "the live platform can not reach them";
    /// Whether the rate limits below hold.
    rate_limits: bool = true, Documented, "send requests, rate limits";
    /// The time that rate limits count in, from the first request on.
    rate_window: Duration = 10 * SECOND, Documented, "send requests, rate limits: per 10 s; whether windows slide is unknown";
    /// Requests per window and worker that is there; the larger of this and an operation's own limit holds.
    rate_per_worker: u32 = 0, Assumed, "max(base, running workers x per worker) is documented, the figure is not";
    /// Rate limit of `/run`.
    rate_run: Rate = Rate::new(1_000, 200), Documented, "send requests, rate limits";
    /// Rate limit of `/runsync`.
    rate_runsync: Rate = Rate::new(2_000, 400), Documented, "send requests, rate limits";
    /// Rate limit of `/status`.
    rate_status: Rate = Rate::new(2_000, 400), Documented, "send requests, rate limits";
    /// Rate limit of `/stream`.
    rate_stream: Rate = Rate::new(2_000, 400), Documented, "send requests, rate limits";
    /// Rate limit of `/cancel`.
    rate_cancel: Rate = Rate::new(100, 20), Documented, "send requests, rate limits";
    /// Rate limit of `/purge-queue`.
    rate_purge: Rate = Rate::new(2, 0), Documented, "send requests, rate limits; no limit of concurrency";
    /// Rate limit of `/requests`.
    rate_requests: Rate = Rate::new(10, 2), Documented, "send requests, rate limits";
    /// Jobs that one `/requests` lists, at most.
    requests_max: usize = 100, Assumed, "the shape of /requests is undocumented";
    /// Largest body, request or response, of an HTTP endpoint.
    http_body: usize = 30 * MB, Documented, "load balancing overview: 30 MB";
    /// How long a request to an HTTP endpoint waits for a worker.
    http_no_worker: Duration = 2 * MINUTE, Documented, "load balancing overview: 2 min, then no workers available";
    /// How long a worker may process a request to an HTTP endpoint.
    http_processing: Duration = Duration::from_secs(330), Documented, "load balancing overview: 5.5 min";
    /// How long a request that wants one certain worker waits for it.
    affinity_wait: Duration = 5 * MINUTE, Documented, "worker affinity: worker_timeout after about 5 min";
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
    /// How long a worker may be unhealthy before another one takes its place.
    unhealthy_replaced: Duration = 30 * SECOND, Assumed, "unknown: load balancing overview says only that it gets no requests";
    /// How long an address to upload or download an artifact is good for.
    upload_url: Duration = 15 * MINUTE, Assumed, "unknown: presigned URL lifetime";
    /// Requests to REST v2 in a minute.
    rest_minute: usize = 2_000, Assumed, "unknown: the document names the windows, not their quotas";
    /// Requests to REST v2 in an hour.
    rest_hour: usize = 50_000, Assumed, "unknown: the document names the windows, not their quotas";
    /// Requests to REST v2 in a day.
    rest_day: usize = 200_000, Assumed, "unknown: the document names the windows, not their quotas";
    /// Lines of output that are kept per worker.
    log_lines: usize = 10_000, Assumed, "unknown: bounds memory";
    /// Bytes of output that are kept on the disk per worker, where the platform has a data directory.
    log_file: usize = 4 * MB, Assumed, "unknown: bounds the disk";
    /// Workers whose output is kept on the disk.
    log_files: usize = 100, Assumed, "unknown: bounds the disk";
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
    fn every_number_can_be_set_to_what_it_is() {
        let mut limits = Limits::default();
        for row in limits.rows() {
            limits.set(row.name, &row.value.to_string()).unwrap();
        }
        assert_eq!(limits, Limits::default());
        limits.set("lease", "2 min").unwrap();
        limits.set("rate_run", "5/1").unwrap();
        limits.set("overdue_status", "FAILED").unwrap();
        assert_eq!((limits.lease, limits.rate_run), (MINUTE * 2, Rate::new(5, 1)));
        assert!(limits.set("leese", "1 s").unwrap_err().to_string().contains("platform parity"));
        let error = limits.set("lease", "soon").unwrap_err().to_string();
        assert!(error.contains("lease can not be \"soon\"") && error.contains("`45 s`"), "{error}");
    }

    #[test]
    fn the_table_shows_every_number_once_and_what_was_changed() {
        let limits = Limits { lease: SECOND, ..Limits::default() };
        let text = render(&limits);
        for row in limits.rows() {
            let lines = text.lines().filter(|line| line.trim_start().starts_with(&format!("{} ", row.name)));
            assert_eq!(lines.count(), 1, "{}", row.name);
        }
        let lines: Vec<_> = text.lines().filter(|line| line.contains("(changed)")).collect();
        assert!(lines.len() == 1 && lines[0].contains("lease") && lines[0].contains("1 s"), "{lines:?}");
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
