//! `/v2/serverless/{id}/releases`.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Json};
use crate::control::{Control, time};

pub(super) async fn list(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Answer {
    let state = control.state();
    let endpoint = state.endpoint(&id)?;
    let workers = control.workers_of(&id);
    let on = |version: u32| workers.iter().filter(|worker| worker.version == version).count();
    let releases: Vec<Value> = state
        .releases_of(&id)
        .iter()
        .map(|release| {
            json!({
                "id": release.id,
                "version": release.version,
                "source": "MANUAL",
                "buildId": Value::Null,
                "createdByUserId": Value::Null,
                "workerCount": on(release.version),
                "createdAt": time::rfc3339(release.created),
                "diff": release.diff,
            })
        })
        .collect();
    let (latest, total) = (on(endpoint.version), workers.len());
    let rollout = json!({
        "inProgress": latest < total,
        "workersOnLatest": latest,
        "workersTotal": total,
        "percentOnLatest": (latest * 100).checked_div(total).unwrap_or(0),
    });
    Ok(Json::ok(json!({"endpointVersion": endpoint.version, "rollout": rollout, "releases": releases})))
}
