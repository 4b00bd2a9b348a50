//! `/v2/serverless/{id}/workers`.

use std::sync::Arc;

use axum::extract::{Path, State};
use flash_core::ids::WorkerId;
use serde_json::{Value, json};

use super::answer::{Answer, Json};
use crate::control::records::Endpoint;
use crate::control::{Control, time};
use crate::supervisor::{WorkerInfo, WorkerState};

pub(super) async fn list(State(control): State<Arc<Control>>, Path(id): Path<String>) -> Answer {
    let state = control.state();
    let endpoint = state.endpoint(&id)?;
    let busy = control.busy(&id).await;
    let workers = control.workers_of(&id);
    let template = state.template_of(endpoint);
    let shown: Vec<_> =
        workers.iter().map(|worker| show(&control, endpoint, &template.image, worker, &busy)).collect();
    let count = |status: &str| shown.iter().filter(|worker| worker["status"] == status).count();
    let summary = json!({
        "running": count("RUNNING"),
        "idle": count("IDLE"),
        "initializing": count("INITIALIZING"),
        "throttled": count("THROTTLED"),
        "unhealthy": count("UNHEALTHY"),
        "total": shown.len(),
    });
    Ok(Json::ok(json!({"workers": shown, "summary": summary, "endpointVersion": endpoint.version})))
}

impl Control {
    /// The workers of an endpoint that live.
    pub(in crate::control) fn workers_of(&self, endpoint: &str) -> Vec<WorkerInfo> {
        let all = self.plane.roster.workers().into_iter();
        all.filter(|worker| worker.endpoint.as_str() == endpoint && worker.state.is_alive()).collect()
    }

    /// The workers of an endpoint that have a job or a request.
    pub(in crate::control) async fn busy(&self, endpoint: &str) -> Vec<WorkerId> {
        let Some(endpoint) = self.plane.table.get(endpoint) else { return Vec::new() };
        match &endpoint.queue {
            Some(queue) => queue.busy_workers().await.unwrap_or_default(),
            None => endpoint.pool.busy(),
        }
    }
}

fn status(worker: &WorkerInfo, busy: &[WorkerId]) -> &'static str {
    match worker.state {
        WorkerState::Starting => "INITIALIZING",
        WorkerState::Unhealthy => "UNHEALTHY",
        _ if busy.contains(&worker.id) => "RUNNING",
        _ => "IDLE",
    }
}

fn show(
    control: &Control,
    endpoint: &Endpoint,
    image: &str,
    worker: &WorkerInfo,
    busy: &[WorkerId],
) -> Value {
    let gpu = endpoint.gpu.as_ref();
    json!({
        "id": worker.id,
        "status": status(worker, busy),
        "isStale": worker.version < endpoint.version,
        "version": worker.version,
        "gpuCount": gpu.map_or(0, |gpu| gpu.count),
        "image": image,
        "uptimeSeconds": control.now().since(worker.phases.initialising).as_secs(),
        "gpuTypeId": gpu.and_then(|gpu| gpu.pools.first()),
        "dataCenterId": Value::Null,
        "startedAt": time::rfc3339(worker.phases.initialising),
    })
}
