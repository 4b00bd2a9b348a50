use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flash_core::manifest::{Manifest, ResourceEntry};
use flash_local::{EndpointSpec, LocalPlatform, Scaling};

use crate::output::{Output, table};
use crate::report::{Function, Served};

/// An endpoint of this machine whose workers are started from `binary`, in `dir`. One is always there, so that the first call is
/// answered at once; secrets are those of this environment.
pub(super) fn endpoint(
    manifest: &Manifest,
    name: &str,
    entry: &ResourceEntry,
    binary: &Path,
    dir: &Path,
) -> EndpointSpec {
    let spec = match entry.is_load_balanced {
        true => EndpointSpec::load_balanced(name, binary),
        false => EndpointSpec::queue(name, binary),
    };
    let most = usize::try_from(entry.workers_max).unwrap_or(1).max(1);
    let mut spec = spec.dir(dir).scaling(Scaling::between(1, most));
    if let Some(openapi) = manifest.rust.as_ref().and_then(|rust| rust.openapi.clone()) {
        spec = spec.openapi(Arc::new(openapi));
    }
    for (key, value) in &entry.env {
        spec = spec.env(key, value);
    }
    for secret in &entry.secrets {
        if let Some(value) = std::env::var_os(&secret.name) {
            spec = spec.env(&secret.name, value);
        }
    }
    spec
}

/// What is served: a request for each function.
pub(super) fn tell(platform: &LocalPlatform, manifest: &Manifest, output: Output) {
    let mut rows = Vec::new();
    let mut functions = Vec::new();
    for (name, entry) in &manifest.resources {
        let url = platform.endpoint_url(name).unwrap_or_default();
        for function in &entry.functions {
            let what = match (&function.http_method, &function.http_path) {
                (Some(method), Some(path)) => format!("{method} {url}{path}"),
                _ => format!("POST {url}/runsync"),
            };
            rows.push(vec![name.clone(), function.name.clone(), what.clone()]);
            let (endpoint, function) = (name.clone(), function.name.clone());
            functions.push(Function { endpoint, function, request: what });
        }
    }
    let page = platform.page_url();
    let text = format!(
        "{}\nall of it in a browser: {page}\nCtrl-C stops it",
        table(&["ENDPOINT", "FUNCTION", "REQUEST"], &rows)
    );
    output.result(&text, &Served { url: platform.base_url(), page: Some(page.clone()), functions });
}

/// What the workers have printed since the last look.
pub(super) fn tell_logs(platform: &LocalPlatform, told: &mut BTreeMap<String, u64>, output: Output) {
    for worker in platform.workers() {
        let last = told.entry(worker.id.to_string()).or_default();
        for line in platform.logs(&worker.id).unwrap_or_default() {
            if line.number > *last {
                *last = line.number;
                output.note(format_args!("{} | {}", worker.endpoint, line.text));
            }
        }
    }
}
