//! An endpoint, as the page shows it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::worker::WorkerShown;
use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::spec::Kind;
use crate::supervisor::WorkerInfo;

/// Workers that have ended and are still shown, the youngest.
const ENDED: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct EndpointShown {
    id: String,
    name: String,
    /// `queue` or `http`.
    kind: &'static str,
    url: String,
    release: u32,
    /// Why it has no new workers, when it can not have them.
    note: Option<String>,
    min: usize,
    max: usize,
    /// Jobs or requests that wait, and those that are worked on.
    waiting: u64,
    running: u64,
    completed: u64,
    failed: u64,
    retried: u64,
    /// Workers that ended without being asked to.
    crashed: usize,
    workers: Vec<WorkerShown>,
    described: bool,
}

impl EndpointShown {
    pub(super) async fn read(plane: &Plane, endpoint: &Endpoint, workers: &[WorkerInfo]) -> Self {
        let plan = endpoint.plan();
        let mut busy = Vec::new();
        let (mut waiting, mut running, mut completed, mut failed, mut retried) = (0, 0, 0, 0, 0);
        if let Some(queue) = &endpoint.queue {
            // A store that fails says so elsewhere: here the last numbers would be as wrong as none.
            if let Ok(depth) = queue.depth().await {
                (waiting, running) = (depth.in_queue, depth.in_progress);
                (completed, failed, retried) = (depth.completed, depth.failed, depth.retried);
            }
            if running > 0 {
                busy = queue.busy_workers().await.unwrap_or_default();
            }
        } else {
            let load = endpoint.pool.load(plane.clock.now());
            (waiting, running) = (load.waiting, load.running);
        }
        let own: Vec<_> = workers.iter().filter(|worker| worker.endpoint == endpoint.id).collect();
        let ended = own.iter().filter(|worker| !worker.state.is_alive()).count();
        let crashed = own.iter().filter(|worker| worker.crashed).count();
        // Oldest first, so the ones to leave out come first.
        let mut skip = ended.saturating_sub(ENDED);
        let kept = own.into_iter().filter(|worker| {
            let old = !worker.state.is_alive() && skip > 0;
            skip -= usize::from(old);
            !old
        });
        let is_busy = |worker: &WorkerInfo| match endpoint.kind {
            Kind::Queue => busy.contains(&worker.id),
            Kind::LoadBalanced => endpoint.pool.work_of(&worker.id).0,
        };
        Self {
            id: endpoint.id.to_string(),
            name: endpoint.name.clone(),
            kind: match endpoint.kind {
                Kind::Queue => "queue",
                Kind::LoadBalanced => "http",
            },
            url: endpoint.url(&plane.common.base),
            note: endpoint.note(),
            release: plan.as_ref().map_or(0, |plan| plan.version),
            min: plan.as_ref().map_or(0, |plan| plan.scaling.min),
            max: plan.as_ref().map_or(0, |plan| plan.scaling.max),
            waiting,
            running,
            completed,
            failed,
            retried,
            crashed,
            workers: kept.map(|worker| WorkerShown::of(worker, is_busy(worker))).collect(),
            described: plan.is_some_and(|plan| plan.spec.openapi.is_some()),
        }
    }
}

/// The part of the OpenAPI document that describes this endpoint, with paths below it; `null` when there is none.
pub(super) fn openapi(endpoint: &Endpoint) -> Value {
    let Some(document) = endpoint.plan().and_then(|plan| plan.spec.openapi.clone()) else {
        return Value::Null;
    };
    let Some(paths) = document["paths"].as_object() else { return Value::Null };
    let prefix = format!("/{}/", endpoint.name);
    let own: Map<_, _> = paths
        .iter()
        .filter_map(|(path, item)| Some((format!("/{}", path.strip_prefix(&prefix)?), item.clone())))
        .collect();
    // A document of this endpoint alone has no prefix.
    let paths = if own.is_empty() { paths.clone() } else { own };
    json!({ "paths": paths, "components": document["components"] })
}
