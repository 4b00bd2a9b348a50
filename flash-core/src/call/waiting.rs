use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::Health;

/// Why a job has no worker yet, as far as its endpoint shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The endpoint is declared with at most 0 workers, so nothing will ever run it.
    NoneAllowed,
    /// No worker runs, and none is being started.
    NoWorker,
    /// Workers are being started.
    Initializing {
        /// How many.
        workers: u64,
    },
    /// There is no machine for the workers that the endpoint wants.
    Throttled {
        /// How many.
        workers: u64,
    },
    /// Workers come up broken, or end again and again.
    Unhealthy {
        /// How many.
        workers: u64,
    },
    /// All workers are busy with other jobs.
    Busy {
        /// How many workers there are.
        workers: u64,
        /// How many jobs wait.
        queued: u64,
    },
}

impl WaitReason {
    /// What the health of an endpoint says about a job that waits. `None`: there are idle workers, so it is about to run.
    #[must_use]
    pub fn of(health: &Health, workers_max: Option<u32>) -> Option<Self> {
        let workers = health.workers;
        // RunPod's own samples leave `ready` out.
        let alive = workers.ready.max(workers.idle + workers.running);
        if alive > 0 {
            let busy = workers.idle == 0 && health.jobs.in_queue > 0;
            return busy.then_some(Self::Busy { workers: alive, queued: health.jobs.in_queue });
        }
        Some(if workers_max == Some(0) {
            Self::NoneAllowed
        } else if workers.unhealthy > 0 {
            Self::Unhealthy { workers: workers.unhealthy }
        } else if workers.initializing > 0 {
            Self::Initializing { workers: workers.initializing }
        } else if workers.throttled > 0 {
            Self::Throttled { workers: workers.throttled }
        } else {
            Self::NoWorker
        })
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneAllowed => f.write_str("the endpoint is allowed 0 workers"),
            Self::NoWorker => f.write_str("no worker runs"),
            Self::Initializing { workers } => write!(f, "{} being started", counted(*workers)),
            Self::Throttled { workers } => write!(f, "no machine is free for {workers} wanted worker(s)"),
            Self::Unhealthy { workers } => {
                write!(f, "{} broken or keep(s) ending; see the log of the endpoint", counted(*workers))
            }
            Self::Busy { workers, queued } => {
                write!(f, "all {workers} worker(s) are busy, and {queued} job(s) wait")
            }
        }
    }
}

fn counted(workers: u64) -> String {
    if workers == 1 { "1 worker is".to_owned() } else { format!("{workers} workers are") }
}

/// A call that waits for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Why.
    pub reason: WaitReason,
    /// For how long by now.
    pub waited: Duration,
}

impl Waiting {
    /// A call that has waited for that long.
    #[must_use]
    pub fn new(reason: WaitReason, waited: Duration) -> Self {
        Self { reason, waited }
    }
}

/// Is told why a call waits: within 10 s, and whenever the reason changes.
#[derive(Clone)]
pub struct OnWait(Arc<dyn Fn(&Waiting) + Send + Sync>);

impl OnWait {
    pub(crate) fn new(tell: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells.
    pub fn tell(&self, waiting: &Waiting) {
        (self.0)(waiting);
    }
}

impl fmt::Debug for OnWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnWait")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(workers: &str, in_queue: u64, max: Option<u32>) -> Option<WaitReason> {
        let text = format!(r#"{{"jobs":{{"inQueue":{in_queue}}},"workers":{workers}}}"#);
        WaitReason::of(&serde_json::from_str(&text).unwrap(), max)
    }

    #[test]
    fn the_health_of_an_endpoint_says_why_a_job_waits() {
        for (workers, in_queue, max, said) in [
            ("{}", 1, Some(0), "the endpoint is allowed 0 workers"),
            ("{}", 1, Some(3), "no worker runs"),
            (r#"{"initializing":1}"#, 1, None, "1 worker is being started"),
            (r#"{"initializing":1,"unhealthy":2}"#, 1, None, "2 workers are broken"),
            (r#"{"throttled":2}"#, 1, None, "no machine is free for 2"),
            (r#"{"running":2}"#, 5, None, "all 2 worker(s) are busy, and 5 job(s) wait"),
        ] {
            let text = reason(workers, in_queue, max).unwrap().to_string();
            assert!(text.starts_with(said), "{text}");
        }
        assert_eq!(reason(r#"{"idle":1,"running":1}"#, 1, None), None);
        // A worker of an earlier release still runs.
        assert_eq!(reason(r#"{"idle":1}"#, 0, Some(0)), None);
    }
}
