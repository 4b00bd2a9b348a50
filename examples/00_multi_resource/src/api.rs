//! The HTTP endpoint.

use flash::prelude::*;
use serde::{Deserialize, Serialize};

use crate::axis::{Axis, AxisError, principal_axis};
use crate::rows::RowsError;
use crate::summary::{Summary, summarize};

/// One small server.
pub static API: Endpoint = Endpoint::http("00_multi_api").cpu(&["cpu3c-1-2"]).workers(1, 3);

/// What [`analyze`](fn@analyze) answers: what both queues found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// From `00_multi_cpu`.
    pub summary: Summary,
    /// From `00_multi_gpu`.
    pub axis: Axis,
    /// Which release answered.
    pub release: String,
}

/// Which of the two failed. The other one's work is lost, and can be asked for again.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum AnalyzeError {
    /// `00_multi_cpu`
    #[error("the summary failed")]
    #[remote(call, code = "summary_failed", status = 502)]
    Summary(CallError<RowsError>),
    /// `00_multi_gpu`
    #[error("the axis failed")]
    #[remote(call, code = "axis_failed", status = 502)]
    Axis(CallError<AxisError>),
}

/// `POST /analyze`: asks both queues at the same time.
///
/// # Errors
/// [`AnalyzeError`] names the queue that failed.
#[remote(resource = API, method = "POST", path = "/analyze")]
pub async fn analyze(rows: Vec<Vec<f64>>) -> Result<Analysis, AnalyzeError> {
    let summary = async { summarize::remote(rows.clone()).await.map_err(AnalyzeError::Summary) };
    let axis = async { principal_axis::remote(rows.clone(), 64).await.map_err(AnalyzeError::Axis) };
    let (summary, axis) = tokio::try_join!(summary, axis)?;
    Ok(Analysis { summary, axis, release: "one".to_owned() })
}

/// What [`health`](fn@health) answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always `healthy`.
    pub status: String,
    /// Whether this process could call the platform in the owner's name.
    pub has_key: bool,
}

/// `GET /health`
///
/// # Errors
/// None.
#[remote(resource = API, method = "GET", path = "/health")]
pub async fn health() -> Result<Health, flash::Error> {
    Ok(Health { status: "healthy".to_owned(), has_key: std::env::var_os("RUNPOD_API_KEY").is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_answers_arrive_as_one() {
        let rows: Vec<Vec<f64>> = (0..4).map(|i| vec![f64::from(i), f64::from(i)]).collect();
        let found = analyze::remote(rows).await.unwrap();
        assert_eq!(found.summary.count, 4);
        assert!((found.axis.axis[0] - 0.5_f64.sqrt()).abs() < 1e-6);
    }

    #[tokio::test]
    async fn the_part_that_failed_is_named() {
        let error = analyze(Vec::new()).await.unwrap_err();
        assert!(matches!(error, AnalyzeError::Summary(_) | AnalyzeError::Axis(_)), "{error:?}");
    }
}
