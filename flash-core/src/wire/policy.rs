//! How long a job may take, and how urgent it is.

use serde::{Deserialize, Serialize};

/// The `policy` of a request (RunPod documentation, "send requests"). Absent keys mean the endpoint's own setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Milliseconds that the job may run, counted only while a worker has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_timeout: Option<u64>,
    /// The job does not make the platform start workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_priority: Option<bool>,
    /// Milliseconds from submission after which the job is removed, whatever its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
}
