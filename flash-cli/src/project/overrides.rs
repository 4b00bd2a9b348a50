use std::collections::BTreeMap;
use std::path::Path;

use flash_core::manifest::{Manifest, ResourceEntry};
use serde::Deserialize;

use crate::failure::{During, Failure, exit};

/// `flash.toml`: what an environment has differently.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Overrides {
    env: BTreeMap<String, EnvironmentOverrides>,
    /// US dollars an hour for a GPU of a pool or a vCPU of a flavour, where the list price is not what is paid.
    pub(crate) prices: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EnvironmentOverrides {
    /// Variables of every endpoint.
    variables: BTreeMap<String, String>,
    endpoints: BTreeMap<String, EndpointOverrides>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EndpointOverrides {
    workers_min: Option<u32>,
    workers_max: Option<u32>,
    idle_timeout_secs: Option<u32>,
    gpu: Option<Vec<String>>,
    cpu: Option<Vec<String>>,
    image: Option<String>,
    variables: BTreeMap<String, String>,
}

impl Overrides {
    /// Reads `flash.toml` of a package; none is fine.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("flash.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).during(format!("`{}` cannot be read", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| Failure::of(exit::INVALID_APP, format!("flash.toml: {error}")))
    }

    /// Changes the manifest to what `environment` has, and says for each changed value where it is from.
    pub(crate) fn apply(&self, environment: &str, manifest: &mut Manifest) -> Result<Vec<String>, Failure> {
        let Some(overrides) = self.env.get(environment) else { return Ok(Vec::new()) };
        let mut said = Vec::new();
        if let Some(unknown) = overrides.endpoints.keys().find(|name| !manifest.resources.contains_key(*name))
        {
            let known = manifest.resources.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Failure::of(
                exit::INVALID_APP,
                format!(
                    "flash.toml names endpoint `{unknown}` in [env.{environment}], and the app has {known}"
                ),
            ));
        }
        let nothing = EndpointOverrides::default();
        for (name, entry) in &mut manifest.resources {
            for (key, value) in &overrides.variables {
                entry.env.insert(key.clone(), value.clone());
                said.push(format!("{name}: {key} from flash.toml [env.{environment}.variables]"));
            }
            let own = overrides.endpoints.get(name).unwrap_or(&nothing);
            said.extend(own.apply(entry).into_iter().map(|field| {
                format!("{name}: {field} from flash.toml [env.{environment}.endpoints.{name}]")
            }));
        }
        Ok(said)
    }
}

impl EndpointOverrides {
    fn apply(&self, entry: &mut ResourceEntry) -> Vec<String> {
        let mut fields = Vec::new();
        let mut set = |name: &str, is_set: bool| {
            if is_set {
                fields.push(name.to_owned());
            }
        };
        set("workersMin", self.workers_min.is_some());
        set("workersMax", self.workers_max.is_some());
        set("idleTimeout", self.idle_timeout_secs.is_some());
        set("gpuIds", self.gpu.is_some());
        set("instanceIds", self.cpu.is_some());
        set("imageName", self.image.is_some());
        entry.workers_min = self.workers_min.unwrap_or(entry.workers_min);
        entry.workers_max = self.workers_max.unwrap_or(entry.workers_max);
        entry.idle_timeout = self.idle_timeout_secs.unwrap_or(entry.idle_timeout);
        if let Some(gpu) = &self.gpu {
            entry.gpu_ids = Some(gpu.join(","));
        }
        if let Some(cpu) = &self.cpu {
            entry.instance_ids = Some(cpu.clone());
        }
        if let Some(image) = &self.image {
            entry.image_name = Some(image.clone());
        }
        for (key, value) in &self.variables {
            entry.env.insert(key.clone(), value.clone());
            fields.push(key.clone());
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::default();
        manifest.resources.insert("words".to_owned(), ResourceEntry::default());
        manifest
    }

    #[test]
    fn an_environment_has_what_the_file_says_and_the_plan_knows_from_where() {
        let text = "[env.staging]\nvariables = { MODE = \"test\" }\n[env.staging.endpoints.words]\nworkers_max = 7\n";
        let overrides = Overrides::parse(text).unwrap();
        let mut staging = manifest();
        let said = overrides.apply("staging", &mut staging).unwrap();
        let words = &staging.resources["words"];
        assert_eq!((words.workers_max, words.env["MODE"].as_str()), (7, "test"));
        assert_eq!(said.len(), 2, "{said:?}");
        let mut production = manifest();
        assert!(overrides.apply("production", &mut production).unwrap().is_empty());
        assert_eq!(production, manifest());
    }

    #[test]
    fn names_that_nobody_declared_are_refused() {
        let overrides = Overrides::parse("[env.x.endpoints.other]\nworkers_max = 7\n").unwrap();
        let failure = overrides.apply("x", &mut manifest()).unwrap_err();
        assert!(failure.text.contains("`other`") && failure.text.contains("words"), "{failure}");
        assert!(Overrides::parse("[env.x]\nworkes = 1\n").unwrap_err().text.contains("workes"));
    }
}
