use flash_core::manifest::ResourceEntry;
pub(crate) use flash_platform::control::{ARTIFACT, CONFIG};
use flash_platform::control::{EndpointInput, LiveEndpoint};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::desired::PEERS;
use crate::report::Change;

/// Fields of an entry that nobody sets: what deployments write, what follows from the code, and what only people read.
const NOT_SETTINGS: [&str; 11] = [
    "endpoint_id",
    "endpoint_url",
    "config_hash",
    "status",
    "deployed_at",
    "functions",
    "config_variable",
    "remote_calls",
    "is_live_resource",
    "file_path",
    "module_path",
];

/// Every setting of an entry by its name: all that the manifest holds but what is no setting. A setting that is added to
/// the manifest later counts from then on, without a change here.
fn settings(entry: &ResourceEntry) -> Map<String, Value> {
    let Ok(Value::Object(mut all)) = serde_json::to_value(entry) else { return Map::new() };
    for name in NOT_SETTINGS.iter().copied().chain(entry.extra.keys().map(String::as_str)) {
        all.remove(name);
    }
    all
}

/// SHA-256 over every setting, one rule for every kind of endpoint. Values of secrets are no settings and are not in it.
pub(crate) fn config_hash(entry: &ResourceEntry) -> String {
    let mut hash = Sha256::new();
    hash.update(b"flash-drift-v1\0");
    hash.update(canonical(&Value::Object(settings(entry))));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with sorted keys, whatever a feature of serde_json makes of its maps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let fields: Vec<String> = names
                .into_iter()
                .map(|name| format!("{}:{}", Value::from(name.as_str()), canonical(&fields[name])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// The settings that differ between what was deployed and what is declared.
pub(crate) fn declared_changes(old: &ResourceEntry, new: &ResourceEntry) -> Vec<Change> {
    if config_hash(old) == config_hash(new) {
        return Vec::new();
    }
    let (old, new) = (settings(old), settings(new));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let text = |value: Option<&Value>| value.map_or_else(|| "–".to_owned(), canonical);
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change { field: name.clone(), from: text(old.get(name)), to: text(new.get(name)) })
        .collect()
}

/// What somebody changed on the platform since, and what the deployer's environment has differently: variables by name
/// alone, because values may be secret. What the platform does not tell does not count.
pub(crate) fn live_changes(
    live: &LiveEndpoint,
    input: &EndpointInput,
    previous: Option<&ResourceEntry>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = |field: &str, is: Option<String>, should: String| {
        if let Some(is) = is
            && is != should
        {
            changes.push(Change { field: field.to_owned(), from: is, to: should });
        }
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    compare("workersMin", Some(live.workers.min.to_string()), input.workers_min.to_string());
    compare("workersMax", Some(live.workers.max.to_string()), input.workers_max.to_string());
    compare("idleTimeout", number(live.workers.idle_timeout.map(u64::from)), input.idle_timeout.to_string());
    if input.execution_timeout_ms > 0 {
        compare("executionTimeoutMs", number(live.timeout), input.execution_timeout_ms.to_string());
    }
    compare(
        "scalerType",
        live.scaling.get("type").and_then(Value::as_str).map(ToOwned::to_owned),
        input.scaler_type.clone(),
    );
    let value =
        live.scaling.get("queueDelay").or_else(|| live.scaling.get("requestCount")).and_then(Value::as_f64);
    compare("scalerValue", value.map(|value| value.to_string()), input.scaler_value.to_string());
    compare("imageName", live.image.clone().filter(|image| !image.is_empty()), input.template.image.clone());
    compare("containerDiskInGb", number(live.disk.map(u64::from)), input.template.disk_gb.to_string());
    compare("flashBootType", live.flashboot.clone(), input.flash_boot_type.clone());
    let mut places = live.data_center_ids.clone();
    places.sort();
    let mut wanted: Vec<&str> =
        input.locations.as_deref().unwrap_or_default().split(',').filter(|id| !id.is_empty()).collect();
    wanted.sort_unstable();
    if !places.is_empty() || !wanted.is_empty() {
        compare("locations", Some(places.join(",")), wanted.join(","));
    }
    for (name, should) in &input.template.env {
        match live.env.get(name) {
            Some(is) if is == should => {}
            is => {
                let shown = |value: &str| {
                    if name == ARTIFACT || name == CONFIG {
                        value.chars().take(12).collect()
                    } else {
                        "(value)".to_owned()
                    }
                };
                let from = is.map_or_else(|| "–".to_owned(), |is| shown(is));
                changes.push(Change { field: format!("env {name}"), from, to: shown(should) });
            }
        }
    }
    // Variables that were ours and are no longer declared; those of others stay.
    let owned = previous.into_iter().flat_map(|entry| {
        entry.env.keys().map(String::as_str).chain(entry.secrets.iter().map(|secret| secret.name.as_str()))
    });
    let ours = ["RUNPOD_API_KEY", "FLASH_ENVIRONMENT_ID", "FLASH_DISABLE_RP_AUTH", PEERS];
    for name in owned.chain(ours) {
        if live.env.contains_key(name) && !input.template.env.contains_key(name) {
            changes.push(Change {
                field: format!("env {name}"),
                from: "(value)".to_owned(),
                to: "–".to_owned(),
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_core::manifest::Manifest;

    fn entry(json: &str) -> ResourceEntry {
        let manifest = Manifest::from_json(&format!("{{\"resources\": {{\"r\": {json}}}}}")).unwrap();
        manifest.resources["r"].clone()
    }

    /// A value of every key that the manifest's schema has for a resource; each is mutated below.
    const FULL: &str = r#"{"resource_type": "ServerlessEndpoint", "is_load_balanced": false, "makes_remote_calls": false,
        "imageName": "i", "templateId": "t", "containerRegistryAuthId": "c", "containerDiskInGb": 20, "gpuIds": "ADA_24",
        "gpuCount": 1, "instanceIds": ["cpu3c-1-2"], "workersMin": 0, "workersMax": 3, "idleTimeout": 60,
        "executionTimeoutMs": 1000, "scalerType": "QUEUE_DELAY", "scalerValue": 4, "max_concurrency": 1, "locations": "EU-RO-1",
        "minCudaVersion": "12.8", "flashBootType": "FLASHBOOT", "env": {"A": "1"}, "secrets": [{"name": "S"}],
        "networkVolumes": [{"name": "v", "size": 10}], "system_dependencies": ["ffmpeg"], "auth": "required"}"#;

    #[test]
    fn every_setting_counts_and_is_named() {
        let base = entry(FULL);
        let Value::Object(fields) = serde_json::to_value(&base).unwrap() else { panic!() };
        let mut mutated = 0;
        for (name, value) in &fields {
            let other = match value {
                Value::Bool(value) => Value::from(!value),
                Value::Number(number) => Value::from(number.as_u64().unwrap() + 1),
                Value::String(text) => Value::from(format!("{text}x")),
                Value::Array(items) if items.first().is_none_or(Value::is_string) => {
                    serde_json::json!(["other"])
                }
                Value::Array(_) => serde_json::json!([{"name": "other", "size": 20}]),
                Value::Object(_) => serde_json::json!({"A": "2"}),
                Value::Null => continue,
            };
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let mut changed = fields.clone();
            changed.insert(name.clone(), other);
            let changed: ResourceEntry = serde_json::from_value(Value::Object(changed)).unwrap();
            assert_ne!(config_hash(&base), config_hash(&changed), "{name}");
            let named: Vec<String> =
                declared_changes(&base, &changed).into_iter().map(|change| change.field).collect();
            assert_eq!(named.join(" "), *name);
            mutated += 1;
        }
        assert_eq!(mutated, 25);
    }

    #[test]
    fn what_the_platform_assigns_never_counts() {
        let mut deployed = entry(FULL);
        let before = config_hash(&deployed);
        deployed.endpoint_id = Some("id".to_owned());
        deployed.endpoint_url = Some("http://x".to_owned());
        deployed.config_hash = Some("h".to_owned());
        deployed.status = Some("ready".to_owned());
        deployed.deployed_at = Some("now".to_owned());
        deployed.extra.insert("aiKey".to_owned(), Value::from("x"));
        assert_eq!(config_hash(&deployed), before);
        assert_eq!(declared_changes(&entry(FULL), &deployed), []);
    }

    #[test]
    fn what_somebody_changed_in_the_console_is_found_and_values_stay_secret() {
        let mut input = EndpointInput {
            workers_max: 3,
            scaler_type: "QUEUE_DELAY".to_owned(),
            scaler_value: 4,
            ..EndpointInput::default()
        };
        input.template.env.insert("TOKEN".to_owned(), "fake-new".to_owned());
        let mut live = LiveEndpoint::default();
        live.workers.max = 9;
        live.scaling = serde_json::json!({"type": "QUEUE_DELAY", "queueDelay": 4});
        live.env.insert("TOKEN".to_owned(), "fake-old".to_owned());
        live.env.insert("GONE".to_owned(), "x".to_owned());
        live.env.insert("PORT".to_owned(), "80".to_owned());
        live.env.insert("RUNPOD_API_KEY".to_owned(), "fake-key".to_owned());
        let previous = entry("{\"env\": {\"GONE\": \"x\"}}");
        let changes = live_changes(&live, &input, Some(&previous));
        let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["workersMax", "env TOKEN", "env GONE", "env RUNPOD_API_KEY"]);
        assert!(!format!("{changes:?}").contains("fake-"), "{changes:?}");
    }
}
