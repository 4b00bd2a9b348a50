//! What a worker finds in its environment (platform contract B.2, C, E.3, G).

use std::ffi::{OsStr, OsString};

use flash_core::ids::WorkerId;

use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::spec::{Kind, Origin};
use crate::supervisor::Plan;

/// What all workers of a platform have in common.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// The key with which workers identify themselves.
    pub(crate) worker_key: String,
    /// Where workers keep results that their queue does not have yet.
    pub(crate) outbox: String,
    /// The key with which workers call other endpoints, when the platform asks for keys.
    pub(crate) api_key: Option<String>,
}

/// The variables that the platform sets for a worker. `port` is where an HTTP worker must listen. The endpoint's own
/// variables come on top and win.
pub(crate) fn variables(
    plane: &Plane,
    endpoint: &Endpoint,
    plan: &Plan,
    worker: &WorkerId,
    port: Option<u16>,
) -> Vec<(&'static str, String)> {
    let Plane { common, limits, .. } = plane;
    let base = &common.base;
    let gpu = plan.gpu();
    let mut set = vec![
        ("RUNPOD_ENDPOINT_ID", endpoint.id.to_string()),
        ("RUNPOD_POD_ID", worker.to_string()),
        ("RUNPOD_POD_HOSTNAME", worker.to_string()),
        ("RUNPOD_AI_API_KEY", common.worker_key.clone()),
        ("RUNPOD_PING_INTERVAL", limits.ping_interval.as_millis().to_string()),
        ("RUNPOD_GPU_TYPE_ID", gpu.to_owned()),
        // Endpoints with GPUs are tried out here on machines without.
        ("RUNPOD_SKIP_GPU_CHECK", "true".to_owned()),
        ("FLASH_ENDPOINT_TYPE", endpoint.kind.endpoint_type().to_owned()),
        ("FLASH_OUTBOX_DIR", common.outbox.clone()),
    ];
    match &plan.spec.origin {
        Origin::Program => {
            set.push(("FLASH_RESOURCE_NAME", endpoint.name.clone()));
            set.push(("FLASH_RESOURCES_ENDPOINTS", plane.table.addresses(base)));
            set.extend(common.api_key.clone().map(|key| ("RUNPOD_API_KEY", key)));
        }
        // It finds its peers as on RunPod, by the State Manager or the gateway, and has a key only if it was given one.
        Origin::Deployed { volume } => {
            set.push(("RUNPOD_API_BASE_URL", base.clone()));
            set.push(("RUNPOD_ENDPOINT_BASE_URL", format!("{base}/v2")));
            set.push(("FLASH_LB_URL_TEMPLATE", format!("{base}/lb/{{id}}")));
            if let Some((id, root)) = volume {
                set.push(("RUNPOD_VOLUME_ID", id.clone()));
                set.push(("FLASH_VOLUME_ROOT", root.display().to_string()));
            }
        }
    }
    if let Some(port) = port {
        set.push(("PORT", port.to_string()));
        set.push(("PORT_HEALTH", port.to_string()));
        set.push(("FLASH_HOST", "127.0.0.1".to_owned()));
    }
    if endpoint.kind == Kind::Queue {
        let at = |operation: &str, ids: &str| {
            format!("{base}/v2/{}/{operation}/{ids}?gpu={}", endpoint.id, gpu.replace(' ', "+"))
        };
        set.push(("RUNPOD_WEBHOOK_GET_JOB", at("job-take", "$ID")));
        set.push(("RUNPOD_WEBHOOK_POST_OUTPUT", at("job-done", "$RUNPOD_POD_ID/$ID")));
        set.push(("RUNPOD_WEBHOOK_POST_STREAM", at("job-stream", "$RUNPOD_POD_ID/$ID")));
        set.push(("RUNPOD_WEBHOOK_PING", at("ping", "$RUNPOD_POD_ID")));
    }
    set
}

/// Whether a variable of this process must not reach a worker, which would take itself for somebody else.
fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("FLASH_")
        || name.starts_with("RUNPOD_")
        || matches!(&*name, "PORT" | "PORT_HEALTH" | "HEALTH_CHECK_PATH")
}

/// The variables of this process that a worker must not inherit.
pub(crate) fn not_inherited() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| is_ours(name))
}
