//! Every setting of an endpoint reaches the manifest.

use std::collections::{BTreeMap, BTreeSet};

use flash_core::manifest::{Catalogue, ResourceEntry};
use flash_core::{Auth, Endpoint, FlashBoot, Scaler, Volume};

type Change = fn(Endpoint) -> Endpoint;

/// What both kinds of endpoints have, on both kinds of hardware.
const COMMON: &[(&str, Change)] = &[
    ("workers_min", |endpoint| endpoint.workers(1, 3)),
    ("workers_max", |endpoint| endpoint.workers(0, 7)),
    ("idle_timeout_secs", |endpoint| endpoint.idle_timeout_secs(61)),
    ("execution_timeout_ms", |endpoint| endpoint.execution_timeout_secs(90)),
    ("scaler", |endpoint| endpoint.scaler(Scaler::RequestCount(9))),
    ("concurrency", |endpoint| endpoint.concurrency(2)),
    ("image", |endpoint| endpoint.image("example.invalid/image:1")),
    ("template", |endpoint| endpoint.template("tpl")),
    ("registry_credential", |endpoint| endpoint.registry_credential("cred")),
    ("container_disk_gb", |endpoint| endpoint.container_disk_gb(21)),
    ("env", |endpoint| endpoint.env(&[("A", "b")])),
    ("secrets", |endpoint| endpoint.secret("HF_TOKEN")),
    ("volumes", |endpoint| {
        const VOLUME: Volume = Volume::new("models", 10);
        endpoint.volumes(&[VOLUME])
    }),
    ("data_centers", |endpoint| endpoint.data_centers(&["EU-RO-1", "US-CA-2"])),
    ("flashboot", |endpoint| endpoint.flashboot(FlashBoot::Off)),
    ("system_packages", |endpoint| endpoint.system_packages(&["ffmpeg"])),
];
const GPU: &[(&str, Change)] = &[
    ("hardware", |endpoint| endpoint.gpu(&["AMPERE_48"])),
    ("hardware", |endpoint| endpoint.gpu_count(2)),
    ("hardware", |endpoint| endpoint.cpu(&["cpu3c-1-2"])),
    ("min_cuda", |endpoint| endpoint.min_cuda("12.8")),
];
const CPU: &[(&str, Change)] = &[
    ("hardware", |endpoint| endpoint.cpu(&["cpu5c-1-2"])),
    ("hardware", |endpoint| endpoint.gpu(&["ADA_24"])),
];
const QUEUE: &[(&str, Change)] = &[("scaler", |endpoint| endpoint.scaler(Scaler::QueueDelay(5)))];
const HTTP: &[(&str, Change)] = &[("auth", |endpoint| endpoint.auth(Auth::Public))];

fn entry(endpoint: &Endpoint) -> ResourceEntry {
    ResourceEntry::of(endpoint, Catalogue::bundled())
}

/// The fields of an endpoint with their values, from its `Debug` text, which no new field can leave out.
fn fields(endpoint: &Endpoint) -> BTreeMap<String, String> {
    let text = format!("{endpoint:#?}");
    let mut fields = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        match line.strip_prefix("    ").filter(|line| !line.starts_with([' ', ']', '}', ')'])) {
            Some(field) => {
                let (name, value) = field.split_once(':').unwrap();
                name.clone_into(&mut current);
                fields.insert(current.clone(), value.to_owned());
            }
            None => {
                if let Some(value) = fields.get_mut(&current) {
                    value.push_str(line);
                }
            }
        }
    }
    fields
}

#[test]
fn every_setting_of_every_kind_changes_the_manifest() {
    let kinds = [
        ("GPU queue", Endpoint::queue("x").gpu(&["ADA_24"]), [COMMON, GPU, QUEUE]),
        ("CPU queue", Endpoint::queue("x").cpu(&["cpu3c-1-2"]), [COMMON, CPU, QUEUE]),
        ("GPU server", Endpoint::http("x").gpu(&["ADA_24"]), [COMMON, GPU, HTTP]),
        ("CPU server", Endpoint::http("x").cpu(&["cpu3c-1-2"]), [COMMON, CPU, HTTP]),
    ];
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for (kind, base, changes) in kinds {
        let before = serde_json::to_value(entry(&base)).unwrap();
        for (field, change) in changes.into_iter().flatten() {
            let after = change(base);
            let different: Vec<_> = fields(&base)
                .into_iter()
                .filter(|(name, value)| fields(&after).get(name) != Some(value))
                .map(|(name, _)| name)
                .collect();
            assert_eq!(different, [*field], "the change itself, on a {kind}");
            assert_ne!(
                serde_json::to_value(entry(&after)).unwrap(),
                before,
                "`{field}` of a {kind} is lost on the way to the manifest"
            );
            changed.extend(different);
        }
    }
    // The name is the key in the manifest, the kind is what the four bases differ in, the place is never written down.
    let all: BTreeSet<String> = fields(&Endpoint::queue("x")).into_keys().collect();
    let untested: Vec<_> = all.difference(&changed).map(String::as_str).collect();
    assert_eq!(untested, ["declared_at", "kind", "name"], "settings that no change above touches");
}

#[test]
fn the_kind_is_one_of_the_python_classes() {
    let kind = |endpoint: Endpoint| {
        let entry = entry(&endpoint);
        (entry.resource_type, entry.is_load_balanced)
    };
    assert_eq!(kind(Endpoint::queue("x")), ("ServerlessEndpoint".to_owned(), false));
    assert_eq!(kind(Endpoint::queue("x").cpu(&["any"])), ("CpuServerlessEndpoint".to_owned(), false));
    assert_eq!(kind(Endpoint::http("x").gpu(&["any"])), ("LoadBalancerSlsResource".to_owned(), true));
    assert_eq!(kind(Endpoint::http("x")), ("CpuLoadBalancerSlsResource".to_owned(), true));
}

#[test]
fn the_parts_of_volumes_and_secrets_reach_the_manifest() {
    const PLACED: Volume = Volume::new("models", 20).data_center("EU-RO-1");
    let entry = entry(
        &Endpoint::queue("x").volumes(&[PLACED]).secret("HF_TOKEN").secret_ref("DB", "database-password"),
    );
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(
        json["networkVolumes"],
        serde_json::json!([{ "name": "models", "size": 20, "dataCenterId": "EU-RO-1" }])
    );
    assert_eq!(
        json["secrets"],
        serde_json::json!([{ "name": "HF_TOKEN" }, { "name": "DB", "reference": "database-password" }])
    );
}
