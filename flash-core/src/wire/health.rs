//! `GET /health` and `POST /purge-queue`.

use serde::{Deserialize, Serialize};

/// The answer to `/health`. RunPod's own samples leave keys out; those are read as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Jobs of this endpoint.
    pub jobs: HealthJobs,
    /// Workers of this endpoint.
    pub workers: HealthWorkers,
}

/// Jobs by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthJobs {
    /// Ended with a result.
    pub completed: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Held by a worker.
    pub in_progress: u64,
    /// Waiting for a worker.
    pub in_queue: u64,
    /// Dispatched again after their worker was lost.
    pub retried: u64,
}

/// Workers by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthWorkers {
    /// Ready and without a job.
    pub idle: u64,
    /// Started, not ready yet.
    pub initializing: u64,
    /// Able to take jobs (idle and running ones).
    pub ready: u64,
    /// At work.
    pub running: u64,
    /// Wanted, but there is no machine for them.
    pub throttled: u64,
    /// Reported themselves as broken.
    pub unhealthy: u64,
}

/// The answer to `/purge-queue`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeAnswer {
    /// How many queued jobs were removed.
    pub removed: u64,
    /// Always `completed`.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive() {
        let full = r#"{"jobs":{"completed":1,"failed":5,"inProgress":0,"inQueue":2,"retried":0},"workers":{"idle":0,"initializing":0,"ready":0,"running":3,"throttled":0,"unhealthy":0}}"#;
        let health: Health = serde_json::from_str(full).unwrap();
        assert_eq!((health.jobs.in_queue, health.workers.running), (2, 3));
        assert_eq!(serde_json::to_string(&health).unwrap(), full);
        let documented = r#"{"jobs":{"completed":1,"failed":5,"inProgress":0,"inQueue":2,"retried":0},"workers":{"idle":0,"running":3}}"#;
        assert_eq!(serde_json::from_str::<Health>(documented).unwrap(), health);
        let purged: PurgeAnswer = serde_json::from_str(r#"{"removed":2,"status":"completed"}"#).unwrap();
        assert_eq!(serde_json::to_string(&purged).unwrap(), r#"{"removed":2,"status":"completed"}"#);
    }
}
