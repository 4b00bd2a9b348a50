use std::collections::BTreeMap;
use std::fmt;

use super::build::FORMAT;
use super::catalogue::Catalogue;
use super::document::{FunctionEntry, Manifest, ResourceEntry};
use crate::endpoint::is_valid_name;
use crate::registry::shape;

/// Paths that a worker answers itself.
const RESERVED: [&str; 2] = ["/execute", "/ping"];
/// The verbs that a route may have.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Everything that is wrong with a manifest, one problem each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors(pub Vec<String>);

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ManifestErrors {}

impl Manifest {
    /// Checks what no single declaration can know, against the bundled snapshot of the platform's hardware.
    ///
    /// # Errors
    /// All problems at once.
    pub fn validate(&self) -> Result<(), ManifestErrors> {
        self.validate_with(Catalogue::bundled())
    }

    /// As [`validate`](Self::validate), against another snapshot.
    ///
    /// # Errors
    /// All problems at once.
    pub fn validate_with(&self, catalogue: &Catalogue) -> Result<(), ManifestErrors> {
        let mut problems = Vec::new();
        // Only this version was ever written; the oldest manifests have none.
        if !matches!(self.version.as_str(), "" | FORMAT) {
            problems.push(format!(
                "the manifest has format `{}`, and this version reads `{FORMAT}`\nhelp: update flash",
                self.version
            ));
        }
        if self.resources.is_empty() {
            problems.push("the app has no endpoint".to_owned());
        }
        for (name, resource) in &self.resources {
            if !is_valid_name(name) {
                problems.push(format!(
                    "endpoint name `{name}` is invalid\nhelp: 1 to 63 letters, digits, `-` or `_`, beginning with a \
                     letter or a digit"
                ));
            }
            check_functions(name, resource, &mut problems);
            let settings = check_settings(resource).into_iter().chain(check_names(resource, catalogue));
            problems.extend(settings.map(|problem| format!("endpoint `{name}`: {problem}")));
        }
        self.check_names(&mut problems);
        self.check_cycles(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(ManifestErrors(problems)) }
    }

    fn check_names(&self, problems: &mut Vec<String>) {
        let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (resource, entry) in &self.resources {
            for function in &entry.functions {
                owners.entry(&function.name).or_default().push(resource);
                if !is_valid_name(&function.name) {
                    problems.push(format!(
                        "function name `{}` of endpoint `{resource}` is invalid",
                        function.name
                    ));
                }
            }
        }
        for (function, owners) in owners {
            if owners.len() > 1 {
                let owners = owners.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                problems.push(format!(
                    "function name `{function}` is used by {owners}; names are unique in an app"
                ));
            }
        }
    }

    /// Every cycle once, with its path.
    fn check_cycles(&self, problems: &mut Vec<String>) {
        for start in self.resources.keys() {
            if let Some(path) = self.path_back_to(start) {
                // Told once, from its first name in order.
                if path.iter().all(|name| *name >= start.as_str()) {
                    let mut path = path;
                    path.push(start);
                    problems.push(format!(
                        "endpoints call each other in a circle: {}\nhelp: a call that waits for its own caller can \
                         block every worker; break the circle",
                        path.join(" -> ")
                    ));
                }
            }
        }
    }

    /// The shortest way from `start` to itself along remote calls.
    fn path_back_to<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let callees = |name: &str| self.resources.get(name).map_or(&[][..], |entry| &entry.remote_calls);
        let mut paths = vec![vec![start]];
        let mut seen = std::collections::BTreeSet::new();
        while !paths.is_empty() {
            let mut longer = Vec::new();
            for path in paths {
                for callee in path.last().map_or(&[][..], |last| callees(last)) {
                    if callee == start {
                        return Some(path);
                    }
                    if seen.insert(callee.as_str()) {
                        let mut path = path.clone();
                        path.push(callee);
                        longer.push(path);
                    }
                }
            }
            paths = longer;
        }
        None
    }
}

fn check_functions(name: &str, resource: &ResourceEntry, problems: &mut Vec<String>) {
    if resource.functions.is_empty() {
        problems.push(format!("endpoint `{name}` has no function"));
    }
    let mut routes: BTreeMap<String, &str> = BTreeMap::new();
    for function in &resource.functions {
        let FunctionEntry { name: function_name, http_method, http_path, .. } = function;
        match (http_method, http_path) {
            (method, path) if !resource.is_load_balanced => {
                if method.is_some() || path.is_some() {
                    problems.push(format!(
                        "function `{function_name}` of queue endpoint `{name}` has a method or a path\nhelp: only \
                         functions of an HTTP endpoint have routes"
                    ));
                }
            }
            (Some(method), Some(path)) => {
                problems.extend(check_route(method, path).map(|problem| {
                    format!(
                        "route `{method} {path}` of function `{function_name}` on endpoint `{name}` {problem}"
                    )
                }));
                if let Some(first) = routes.insert(format!("{method} {}", shape(path)), function_name) {
                    problems.push(format!(
                        "route `{method} {path}` of endpoint `{name}` belongs to `{first}` and to `{function_name}`"
                    ));
                }
            }
            // A class carries no route itself; its methods do.
            _ if function.is_class => {}
            _ => problems
                .push(format!("function `{function_name}` of HTTP endpoint `{name}` needs method and path")),
        }
    }
}

/// What is wrong with a route, if anything.
fn check_route(method: &str, path: &str) -> Option<String> {
    if RESERVED.contains(&path) {
        return Some("is reserved by the worker".to_owned());
    }
    if !METHODS.contains(&method) {
        return Some(format!("has an unknown method\nhelp: one of {}", METHODS.join(", ")));
    }
    (!path.starts_with('/')).then(|| "does not begin with `/`".to_owned())
}

/// Settings that contradict each other or are out of range. The builders refuse them too; a manifest may come from
/// elsewhere.
fn check_settings(resource: &ResourceEntry) -> Vec<String> {
    let is_cpu = resource.instance_ids.is_some();
    let scaler = resource.scaler_type.as_str();
    let rules = [
        (resource.workers_min > resource.workers_max, "workersMin is above workersMax"),
        (resource.workers_max == 0, "workersMax is 0, so no job would ever run"),
        (!(1..=3600).contains(&resource.idle_timeout), "idleTimeout is not 1 to 3600 seconds"),
        (resource.scaler_value == 0, "scalerValue is 0"),
        (resource.max_concurrency == 0, "max_concurrency is 0"),
        (
            !matches!(scaler, "QUEUE_DELAY" | "REQUEST_COUNT"),
            "scalerType is neither QUEUE_DELAY nor REQUEST_COUNT",
        ),
        (
            resource.is_load_balanced && scaler == "QUEUE_DELAY",
            "an HTTP endpoint has no queue; its scalerType is REQUEST_COUNT",
        ),
        (
            is_cpu && resource.gpu_ids.is_some(),
            "it asks for GPUs and for CPU instances; it can have one of them",
        ),
        (
            is_cpu && (resource.gpu_count.is_some() || resource.min_cuda_version.is_some()),
            "it runs on CPU instances, which have no gpuCount and no minCudaVersion",
        ),
        (resource.gpu_count.is_some_and(|count| !(1..=10).contains(&count)), "gpuCount is not 1 to 10"),
        (
            resource.image_name.is_some() && resource.template_id.is_some(),
            "it has imageName and templateId; it can have one of them",
        ),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, text)| text.to_owned()).collect()
}

/// Names that the platform does not know.
fn check_names(resource: &ResourceEntry, catalogue: &Catalogue) -> Vec<String> {
    let gpus: Vec<&str> = list(resource.gpu_ids.as_deref()).collect();
    let mut problems = catalogue.gpu_problems(&gpus);
    problems.extend(resource.instance_ids.iter().flatten().filter_map(|id| catalogue.cpu_problem(id)));
    problems.extend(disk_problem(resource, catalogue));
    problems.extend(resource.min_cuda_version.iter().filter_map(|version| catalogue.cuda_problem(version)));
    let places: Vec<&str> = list(resource.locations.as_deref()).collect();
    problems.extend(places.iter().filter_map(|id| catalogue.place_problem(id)));
    for volume in &resource.network_volumes {
        let Some(place) = volume.data_center_id.as_deref() else { continue };
        problems
            .extend(catalogue.place_problem(place).map(|text| format!("volume `{}`: {text}", volume.name)));
        // Countries hold many data centres, so only a list of data centres can exclude one.
        let elsewhere = !places.is_empty() && places.iter().all(|id| id.len() > 2 && *id != place);
        if elsewhere {
            problems.push(format!(
                "volume `{}` lies in {place}, where the endpoint does not run\nhelp: it runs in {}",
                volume.name,
                places.join(", ")
            ));
        }
    }
    problems
}

/// A disk that is larger than an instance can have.
fn disk_problem(resource: &ResourceEntry, catalogue: &Catalogue) -> Option<String> {
    let disk = resource.container_disk_in_gb?;
    let limits = resource.instance_ids.iter().flatten();
    let limits = limits.filter_map(|id| Some((catalogue.disk_limit_gb(id)?, id)));
    let (most, id) = limits.min()?;
    (disk > most).then(|| {
        format!(
            "a container disk of {disk} GB is more than the {most} GB of CPU instance `{id}`\nhelp: ask for less, or for \
             larger instances only"
        )
    })
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|id| !id.is_empty())
}
