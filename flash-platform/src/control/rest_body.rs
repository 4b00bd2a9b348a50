use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::ControlError;
use super::input::EndpointInput;
use super::live::LiveEndpoint;

/// What a job may run where nobody says anything, in milliseconds (REST v2, `CreateEndpointRequest.timeout`).
const TIMEOUT_MS: u64 = 300_000;
/// The fewest vCPUs that REST v2 takes (`BaseCpuConfig.vcpuCount`).
const FEWEST_VCPUS: u32 = 2;

/// `CreateEndpointRequest`: an endpoint that runs an image and has no artifact.
pub(super) fn create(input: &EndpointInput) -> Result<Value, ControlError> {
    let mut body = common(input, &input.template.env)?;
    body.insert("type".to_owned(), json!(if is_http(input) { "LOAD_BALANCER" } else { "QUEUE" }));
    body.retain(|_, value| !value.is_null());
    Ok(Value::Object(body))
}

/// `UpdateEndpointRequest` with everything that a deployment decides; `env` replaces what the endpoint has.
pub(super) fn update(input: &EndpointInput, env: &BTreeMap<String, String>) -> Result<Value, ControlError> {
    let mut body = common(input, env)?;
    if let Some(Value::Object(gpu)) = body.get_mut("gpu") {
        // `""` is how an update says "none".
        gpu.entry("minCudaVersion").or_insert_with(|| json!(""));
    }
    Ok(Value::Object(body))
}

/// `UpdateEndpointRequest` that brings an endpoint back to how it was.
pub(super) fn restore(live: &LiveEndpoint) -> Value {
    let mut workers = json!({"min": live.workers.min, "max": live.workers.max});
    if let Some(seconds) = live.workers.idle_timeout {
        workers["idleTimeout"] = json!(seconds);
    }
    let mut body = json!({
        "name": live.name,
        "image": live.image,
        "disk": live.disk,
        "env": live.env,
        "registry": live.registry,
        "workers": workers,
        "scaling": live.scaling,
        "timeout": live.timeout,
        "flashboot": live.flashboot,
        "dataCenterIds": live.data_center_ids,
        "networkVolumes": live.network_volumes,
    });
    if let Value::Object(fields) = &mut body {
        fields.retain(|name, value| !value.is_null() || name == "registry");
        let cpu = live.cpu.as_ref().and_then(Value::as_array).map(|list| {
            // What is answered has a field more than what is asked.
            let asked = |one: &Value| json!({"id": one["id"], "vcpuCount": one["vcpuCount"]});
            Value::Array(list.iter().map(asked).collect())
        });
        fields.extend(cpu.map(|cpu| ("cpu".to_owned(), cpu)));
        if let Some(Value::Object(gpu)) = &live.gpu {
            let mut gpu = gpu.clone();
            if gpu.get("minCudaVersion").is_some_and(Value::is_null) {
                gpu.insert("minCudaVersion".to_owned(), json!(""));
            }
            fields.insert("gpu".to_owned(), Value::Object(gpu));
        }
    }
    body
}

fn is_http(input: &EndpointInput) -> bool {
    input.kind == "LB"
}

fn common(input: &EndpointInput, env: &BTreeMap<String, String>) -> Result<Map<String, Value>, ControlError> {
    let by_requests = input.scaler_type == "REQUEST_COUNT";
    let mut workers = json!({"min": input.workers_min, "max": input.workers_max});
    // The platform refuses it for a queue that scales by requests.
    if is_http(input) || !by_requests {
        workers["idleTimeout"] = json!(input.idle_timeout);
    }
    let scaling = match by_requests {
        true => json!({"type": "REQUEST_COUNT", "requestCount": input.scaler_value}),
        false => json!({"type": "QUEUE_DELAY", "queueDelay": input.scaler_value}),
    };
    let list = |text: &str| -> Vec<String> {
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(ToOwned::to_owned).collect()
    };
    let volumes: Vec<&str> =
        input.network_volume_ids.iter().map(|volume| volume.network_volume_id.as_str()).collect();
    let body = json!({
        "name": input.name,
        "image": input.template.image,
        "disk": input.template.disk_gb.max(1),
        "env": env,
        "ports": list(&input.template.ports),
        "registry": input.template.registry_auth_id,
        "workers": workers,
        "scaling": scaling,
        "timeout": if input.execution_timeout_ms == 0 { TIMEOUT_MS } else { input.execution_timeout_ms },
        "flashboot": input.flash_boot_type,
        "dataCenterIds": list(input.locations.as_deref().unwrap_or_default()),
        "networkVolumes": volumes,
    });
    let Value::Object(mut body) = body else { return Ok(Map::new()) };
    match &input.instance_ids {
        Some(instances) => {
            body.insert("cpu".to_owned(), cpus(&input.name, instances)?);
        }
        None => {
            let (excluded, pools): (Vec<String>, Vec<String>) =
                list(input.gpu_ids.as_deref().unwrap_or_default())
                    .into_iter()
                    .partition(|id| id.starts_with('-'));
            let excluded: Vec<&str> = excluded.iter().map(|id| &id[1..]).collect();
            let mut gpu = json!({"pools": pools, "excludedTypes": excluded});
            if let Some(count) = input.gpu_count {
                gpu["count"] = json!(count);
            }
            if let Some(version) = &input.min_cuda_version {
                gpu["minCudaVersion"] = json!(version);
            }
            body.insert("gpu".to_owned(), gpu);
        }
    }
    Ok(body)
}

/// `cpu3c-2-4` as REST v2 has it, where the memory follows from the flavour. Instances with one vCPU exist only in the GraphQL
/// API.
fn cpus(endpoint: &str, instances: &[String]) -> Result<Value, ControlError> {
    let parts = |id: &str| -> Option<(String, u32)> {
        let mut parts = id.split('-');
        let (flavor, vcpus) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        Some((flavor, vcpus))
    };
    let mut list: Vec<Value> = Vec::new();
    for (flavor, vcpus) in instances.iter().filter_map(|id| parts(id)) {
        let one = json!({"id": flavor, "vcpuCount": vcpus});
        if vcpus >= FEWEST_VCPUS && vcpus.is_power_of_two() && !list.contains(&one) {
            list.push(one);
        }
    }
    if list.is_empty() {
        return Err(ControlError::Local {
            what: format!("endpoint `{endpoint}`"),
            reason: format!(
                "an image runs on CPU instances with 2, 4, 8 … vCPUs, and {} is none\nhelp: declare a larger one, or set \
                 `cpu = [\"cpu3c-2-4\"]` for this environment in flash.toml",
                instances.join(", ")
            ),
        });
    }
    Ok(Value::Array(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::TemplateInput;

    fn input() -> EndpointInput {
        EndpointInput {
            name: "shop-prod-words".to_owned(),
            kind: "QB".to_owned(),
            gpu_ids: Some("ADA_24,-NVIDIA L4".to_owned()),
            gpu_count: Some(2),
            min_cuda_version: Some("12.8".to_owned()),
            scaler_type: "QUEUE_DELAY".to_owned(),
            scaler_value: 4,
            workers_max: 3,
            idle_timeout: 60,
            flash_boot_type: "FLASHBOOT".to_owned(),
            template: TemplateInput { image: "r/shop:1".to_owned(), disk_gb: 20, ..TemplateInput::default() },
            ..EndpointInput::default()
        }
    }

    #[test]
    fn hardware_and_scaler_are_as_the_platform_writes_them() {
        let gpu = create(&input()).unwrap();
        assert_eq!(
            gpu["gpu"],
            json!({"pools": ["ADA_24"], "excludedTypes": ["NVIDIA L4"], "count": 2, "minCudaVersion": "12.8"})
        );
        assert_eq!((&gpu["type"], &gpu["timeout"]), (&json!("QUEUE"), &json!(300_000)));
        assert_eq!(gpu["workers"], json!({"min": 0, "max": 3, "idleTimeout": 60}));
        assert!(gpu.get("cpu").is_none() && gpu.get("registry").is_none(), "{gpu}");
        // The platform refuses the timeout here, and the kind of an endpoint never changes.
        let by_requests = EndpointInput { scaler_type: "REQUEST_COUNT".to_owned(), ..input() };
        let body = update(&by_requests, &BTreeMap::new()).unwrap();
        assert_eq!(body["scaling"], json!({"type": "REQUEST_COUNT", "requestCount": 4}));
        assert!(body["workers"].get("idleTimeout").is_none() && body.get("type").is_none(), "{body}");
        assert_eq!(body["registry"], Value::Null);
    }

    #[test]
    fn an_instance_that_the_interface_cannot_name_is_told_with_a_way_out() {
        let with = |ids: &[&str]| EndpointInput {
            gpu_ids: None,
            instance_ids: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
            ..input()
        };
        let body = create(&with(&["cpu3c-1-2", "cpu3c-2-4", "cpu3g-2-8"])).unwrap();
        assert_eq!(body["cpu"], json!([{"id": "cpu3c", "vcpuCount": 2}, {"id": "cpu3g", "vcpuCount": 2}]));
        assert!(body.get("gpu").is_none(), "{body}");
        let text = create(&with(&["cpu3c-1-2"])).unwrap_err().to_string();
        assert!(text.contains("cpu3c-1-2") && text.contains("flash.toml"), "{text}");
    }

    #[test]
    fn what_is_restored_is_what_was_seen() {
        let live: LiveEndpoint = serde_json::from_value(json!({
            "id": "e", "name": "n", "image": "r/shop:1", "disk": 20, "env": {"A": "1"}, "registry": null,
            "cpu": [{"id": "cpu3c", "vcpuCount": 2, "memory": 4}], "workers": {"min": 0, "max": 3},
            "scaling": {"type": "REQUEST_COUNT", "requestCount": 4}, "timeout": 5, "flashboot": "OFF",
        }))
        .unwrap();
        let body = restore(&live);
        assert_eq!(body["cpu"], json!([{"id": "cpu3c", "vcpuCount": 2}]));
        assert_eq!(
            (&body["env"], &body["image"], &body["registry"]),
            (&json!({"A": "1"}), &json!("r/shop:1"), &Value::Null)
        );
        assert!(body["workers"].get("idleTimeout").is_none() && body.get("gpu").is_none(), "{body}");
    }
}
