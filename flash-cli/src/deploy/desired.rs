use std::collections::BTreeMap;

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{ApiKey, EndpointInput, TemplateInput, VolumeRef};

use super::drift::{ARTIFACT, CONFIG, config_hash};
use super::image::image_of;
use super::lease::lease_of;
use crate::failure::{Failure, exit};

/// Where an endpoint of an image finds those that it calls: nobody could be asked.
pub(super) const PEERS: &str = "FLASH_RESOURCES_ENDPOINTS";
/// A worker may wait this long for its start; above the 720 s that it waits for its artifact.
const INIT_TIMEOUT_SECS: &str = "800";

/// Which environment of which app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) app: String,
    pub(crate) env: String,
}

impl Identity {
    /// The name that people see. One that goes away again begins with that, wherever endpoints are listed.
    pub(crate) fn display_name(&self, resource: &str) -> String {
        match lease_of(&self.env) {
            Some(_) => format!("{}-{}-{resource}", self.env, self.app),
            None => format!("{}-{}-{resource}", self.app, self.env),
        }
    }
}

/// What an endpoint's workers run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code<'a> {
    /// The artifact of an environment.
    Artifact {
        /// Id of the environment.
        environment: &'a str,
        /// The one artifact that may run.
        sha256: &'a str,
    },
    /// What is in the image. No record of it exists but the endpoint's own variables.
    Image {
        /// Hash of the functions that the image must have.
        functions: &'a str,
        /// Addresses of the app's endpoints.
        peers: &'a BTreeMap<String, String>,
    },
}

/// Reads the deployer's environment.
pub(crate) type Lookup = std::sync::Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Who deploys: where values come from that no manifest holds.
#[derive(Clone)]
pub(crate) struct Deployer {
    pub(crate) key: Option<ApiKey>,
    /// The deployer's environment.
    pub(crate) lookup: Lookup,
    pub(crate) require_auth: bool,
}

impl Deployer {
    /// Checks before any change that everything is there which a worker will need.
    pub(crate) fn check(&self, resources: &BTreeMap<String, ResourceEntry>) -> Result<(), Failure> {
        let mut missing = Vec::new();
        for (name, entry) in resources {
            let without = entry.secrets.iter().filter(|secret| secret.reference.is_none());
            missing.extend(without.filter(|secret| self.secret(&secret.name).is_none()).map(|secret| {
                format!("endpoint `{name}` declares the secret {}, which is not set here", secret.name)
            }));
        }
        if !missing.is_empty() {
            return Err(Failure::new(missing.join("\n"))
                .help("set the variables and deploy again; nothing was changed"));
        }
        let calling: Vec<&str> = resources
            .iter()
            .filter(|(_, entry)| entry.makes_remote_calls)
            .map(|(name, _)| name.as_str())
            .collect();
        if self.key.is_none() && !calling.is_empty() {
            return Err(Failure::of(
                exit::AUTH,
                format!(
                    "endpoint `{}` calls other endpoints and needs a key, and there is none",
                    calling.join("`, `")
                ),
            )
            .help(
                "set RUNPOD_API_KEY (the console makes one under Settings, API Keys); nothing was changed",
            ));
        }
        Ok(())
    }

    fn secret(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The variables of an endpoint's workers: what the platform's side needs, then what the user declared, which wins
    /// except for who the worker is.
    fn variables(
        &self,
        id: &Identity,
        code: Code<'_>,
        resource: &str,
        entry: &ResourceEntry,
    ) -> BTreeMap<String, String> {
        let mut env = entry.env.clone();
        for secret in &entry.secrets {
            let value = match &secret.reference {
                // The platform replaces this form by the secret that it keeps.
                Some(reference) => Some(format!("{{{{ RUNPOD_SECRET_{reference} }}}}")),
                None => self.secret(&secret.name),
            };
            env.extend(value.map(|value| (secret.name.clone(), value)));
        }
        let mut set = |name: &str, value: &str| env.insert(name.to_owned(), value.to_owned());
        set("FLASH_APP", &id.app);
        set("FLASH_ENV", &id.env);
        set("FLASH_RESOURCE_NAME", resource);
        set("FLASH_ENDPOINT_TYPE", if entry.is_load_balanced { "lb" } else { "qb" });
        match code {
            Code::Artifact { sha256, .. } => {
                set(ARTIFACT, sha256);
                set("RUNPOD_INIT_TIMEOUT", INIT_TIMEOUT_SECS);
            }
            Code::Image { functions, .. } => {
                set(CONFIG, &config_hash(entry));
                set("FLASH_FUNCTION_TABLE_SHA256", functions);
            }
        }
        if entry.is_load_balanced && entry.auth.as_deref() == Some("public") && !self.require_auth {
            set("FLASH_DISABLE_RP_AUTH", "true");
        }
        if entry.makes_remote_calls {
            match code {
                Code::Artifact { environment, .. } => set("FLASH_ENVIRONMENT_ID", environment),
                Code::Image { peers, .. } => {
                    let called = peers.iter().filter(|(name, _)| entry.remote_calls.contains(name));
                    let called: serde_json::Map<String, serde_json::Value> =
                        called.map(|(name, url)| (name.clone(), url.as_str().into())).collect();
                    set(PEERS, &serde_json::Value::Object(called).to_string())
                }
            };
            // A key that the user declared for this endpoint is theirs to choose.
            if !entry.env.contains_key("RUNPOD_API_KEY")
                && let Some(key) = &self.key
            {
                set("RUNPOD_API_KEY", key.secret.expose());
            }
        }
        env
    }

    /// The endpoint as it should be.
    pub(crate) fn input(
        &self,
        id: &Identity,
        code: Code<'_>,
        resource: &str,
        entry: &ResourceEntry,
        base: Option<&TemplateInput>,
        volumes: Vec<VolumeRef>,
    ) -> EndpointInput {
        let lookup = |name: &str| (self.lookup)(name);
        let mut env = base.map(|base| base.env.clone()).unwrap_or_default();
        env.extend(self.variables(id, code, resource, entry));
        EndpointInput {
            name: id.display_name(resource),
            kind: if entry.is_load_balanced { "LB" } else { "QB" }.to_owned(),
            gpu_ids: entry.gpu_ids.clone(),
            gpu_count: entry.gpu_count,
            instance_ids: entry.instance_ids.clone(),
            locations: entry.locations.clone(),
            network_volume_ids: volumes,
            scaler_type: entry.scaler_type.clone(),
            scaler_value: entry.scaler_value,
            workers_min: entry.workers_min,
            workers_max: entry.workers_max,
            idle_timeout: entry.idle_timeout,
            execution_timeout_ms: entry.execution_timeout_ms,
            min_cuda_version: entry.min_cuda_version.clone(),
            flash_boot_type: entry.flash_boot_type.clone(),
            flash_environment_id: match code {
                Code::Artifact { environment, .. } => Some(environment.to_owned()),
                Code::Image { .. } => None,
            },
            template_id: None,
            template: TemplateInput {
                image: match (code, base) {
                    (Code::Artifact { .. }, Some(base)) => base.image.clone(),
                    _ => image_of(entry, lookup),
                },
                disk_gb: entry.container_disk_in_gb.unwrap_or(20),
                env,
                registry_auth_id: entry.container_registry_auth_id.clone(),
                ports: if entry.is_load_balanced { "80/http" } else { "" }.to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_core::Secret;
    use flash_core::manifest::Manifest;
    use flash_platform::control::KeySource;

    fn resources(json: &str) -> BTreeMap<String, ResourceEntry> {
        Manifest::from_json(&format!("{{\"resources\": {json}}}")).unwrap().resources
    }

    fn deployer(key: bool) -> Deployer {
        let key = key.then(|| ApiKey {
            secret: Secret::new("fake-key-for-tests").unwrap(),
            source: KeySource::Environment,
        });
        let lookup = |name: &str| (name == "HF_TOKEN").then(|| "fake-token".to_owned());
        Deployer { key, lookup: std::sync::Arc::new(lookup), require_auth: false }
    }

    fn env_of(deployer: &Deployer, json: &str) -> BTreeMap<String, String> {
        let id = Identity { app: "app".to_owned(), env: "staging".to_owned() };
        let all = resources(json);
        let (name, entry) = all.iter().next().unwrap();
        let code = Code::Artifact { environment: "env-id", sha256: "sha" };
        deployer.input(&id, code, name, entry, None, Vec::new()).template.env
    }

    #[test]
    fn an_image_is_told_its_functions_and_the_addresses_of_those_that_it_calls() {
        let id = Identity { app: "app".to_owned(), env: "staging".to_owned() };
        let peers =
            ["words", "other"].map(|name| (name.to_owned(), format!("http://127.0.0.1:1/{name}"))).into();
        let code = Code::Image { functions: "table", peers: &peers };
        let all = resources(
            "{\"api\": {\"makes_remote_calls\": true, \"remote_calls\": [\"words\"], \"imageName\": \"r/shop:1\"}, \"words\": {}}",
        );
        let of = |name: &str| deployer(true).input(&id, code, name, &all[name], None, Vec::new());
        let api = of("api");
        assert_eq!((api.template.image.as_str(), api.flash_environment_id), ("r/shop:1", None));
        let env = api.template.env;
        assert_eq!(env["FLASH_RESOURCES_ENDPOINTS"], "{\"words\":\"http://127.0.0.1:1/words\"}");
        assert_eq!((env["FLASH_FUNCTION_TABLE_SHA256"].as_str(), env[CONFIG].len()), ("table", 64));
        let words = of("words").template.env;
        for absent in [ARTIFACT, PEERS, "FLASH_ENVIRONMENT_ID", "RUNPOD_API_KEY", "RUNPOD_INIT_TIMEOUT"] {
            assert!(!words.contains_key(absent), "{absent}");
        }
    }

    #[test]
    fn the_key_goes_only_to_endpoints_that_call_others() {
        let calling = env_of(&deployer(true), "{\"a\": {\"makes_remote_calls\": true}}");
        assert_eq!(calling["RUNPOD_API_KEY"], "fake-key-for-tests");
        assert_eq!(calling["FLASH_ENVIRONMENT_ID"], "env-id");
        let alone = env_of(&deployer(true), "{\"a\": {\"makes_remote_calls\": false}}");
        assert!(!alone.contains_key("RUNPOD_API_KEY") && !alone.contains_key("FLASH_ENVIRONMENT_ID"));
        for (name, value) in [
            ("FLASH_APP", "app"),
            ("FLASH_ENV", "staging"),
            ("FLASH_RESOURCE_NAME", "a"),
            ("FLASH_ENDPOINT_TYPE", "qb"),
            (ARTIFACT, "sha"),
        ] {
            assert_eq!(alone[name], value);
        }
        assert!(!alone.contains_key("FLASH_IS_MOTHERSHIP"));
    }

    #[test]
    fn what_is_missing_is_told_before_any_change() {
        let all = resources(
            "{\"a\": {\"makes_remote_calls\": true, \"secrets\": [{\"name\": \"MISSING_ONE\"}, {\"name\": \"HF_TOKEN\"}, {\"name\": \"KEPT\", \"reference\": \"x\"}]}}",
        );
        let failure = deployer(true).check(&all).unwrap_err();
        assert!(failure.text.contains("MISSING_ONE") && !failure.text.contains("HF_TOKEN"), "{failure}");
        let all = resources("{\"a\": {\"makes_remote_calls\": true}}");
        let failure = deployer(false).check(&all).unwrap_err();
        assert_eq!(failure.code, exit::AUTH);
        assert!(failure.text.contains("RUNPOD_API_KEY"), "{failure}");
        deployer(true).check(&all).unwrap();
        deployer(false).check(&resources("{\"a\": {}}")).unwrap();
    }

    #[test]
    fn public_endpoints_say_so_unless_the_deployer_refuses() {
        let public = "{\"a\": {\"is_load_balanced\": true, \"auth\": \"public\"}}";
        assert_eq!(env_of(&deployer(true), public)["FLASH_DISABLE_RP_AUTH"], "true");
        let strict = Deployer { require_auth: true, ..deployer(true) };
        assert!(!env_of(&strict, public).contains_key("FLASH_DISABLE_RP_AUTH"));
        let secret = env_of(
            &deployer(true),
            "{\"a\": {\"secrets\": [{\"name\": \"HF_TOKEN\"}, {\"name\": \"KEPT\", \"reference\": \"x\"}]}}",
        );
        assert_eq!(
            (secret["HF_TOKEN"].as_str(), secret["KEPT"].as_str()),
            ("fake-token", "{{ RUNPOD_SECRET_x }}")
        );
    }
}
