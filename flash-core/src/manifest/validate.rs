use std::collections::BTreeMap;
use std::fmt;

use super::catalogue;
use super::document::{Manifest, ResourceEntry};
use crate::endpoint::is_valid_name;

/// Paths that a worker answers itself.
const RESERVED: [&str; 2] = ["/execute", "/ping"];

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
    /// Checks what no single declaration can know.
    ///
    /// # Errors
    /// All problems at once.
    pub fn validate(&self) -> Result<(), ManifestErrors> {
        let mut problems = Vec::new();
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
            check_resource(name, resource, &mut problems);
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

fn check_resource(name: &str, resource: &ResourceEntry, problems: &mut Vec<String>) {
    if resource.functions.is_empty() {
        problems.push(format!("endpoint `{name}` has no function"));
    }
    let mut routes: BTreeMap<String, &str> = BTreeMap::new();
    for function in &resource.functions {
        match (&function.http_method, &function.http_path) {
            (Some(method), Some(path)) => {
                if RESERVED.contains(&path.as_str()) {
                    problems.push(format!(
                        "path `{path}` of function `{}` on endpoint `{name}` is reserved by the worker",
                        function.name
                    ));
                }
                if let Some(first) = routes.insert(format!("{method} {path}"), &function.name) {
                    problems.push(format!(
                        "route `{method} {path}` of endpoint `{name}` belongs to `{first}` and to `{}`",
                        function.name
                    ));
                }
            }
            _ if resource.is_load_balanced => {
                problems.push(format!(
                    "function `{}` of HTTP endpoint `{name}` needs method and path",
                    function.name
                ));
            }
            _ => {}
        }
    }
    if resource.workers_min > resource.workers_max {
        problems.push(format!("endpoint `{name}` has workersMin above workersMax"));
    }
    if resource.gpu_ids.is_some() && resource.instance_ids.is_some() {
        problems
            .push(format!("endpoint `{name}` asks for GPUs and for CPU instances; it can have one of them"));
    }
    let gpus = resource.gpu_ids.iter().flat_map(|ids| ids.split(','));
    // A leading `-` excludes a type from its pool.
    problems.extend(gpus.filter_map(|id| {
        catalogue::gpu_problem(id.trim_start_matches('-')).map(|text| format!("endpoint `{name}`: {text}"))
    }));
    let cpus = resource.instance_ids.iter().flatten();
    problems.extend(
        cpus.filter_map(|id| catalogue::cpu_problem(id).map(|text| format!("endpoint `{name}`: {text}"))),
    );
}
