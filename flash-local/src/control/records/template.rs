//! Templates: image, arguments, environment.

use std::collections::BTreeMap;

use flash_bootstrap::sha256_of;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a worker starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::control) struct Template {
    pub(in crate::control) id: String,
    pub(in crate::control) name: String,
    pub(in crate::control) image: String,
    pub(in crate::control) args: String,
    pub(in crate::control) env: BTreeMap<String, String>,
    /// GB.
    pub(in crate::control) disk: u32,
    /// `80/http` and the like.
    pub(in crate::control) ports: Vec<String>,
    pub(in crate::control) registry: Option<String>,
    pub(in crate::control) readme: String,
    /// The endpoint that it belongs to and goes with. `None`: it stands for itself.
    pub(in crate::control) endpoint: Option<String>,
    pub(in crate::control) serverless: bool,
    pub(in crate::control) public: bool,
    /// `CPU`, `NVIDIA` or `AMD`.
    pub(in crate::control) category: String,
    pub(in crate::control) start_ssh: bool,
    pub(in crate::control) start_jupyter: bool,
    pub(in crate::control) allowed_cuda: Vec<String>,
    /// Size in GB and path.
    pub(in crate::control) persistent: Option<(u32, String)>,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            image: String::new(),
            args: String::new(),
            env: BTreeMap::new(),
            disk: 20,
            ports: Vec::new(),
            registry: None,
            readme: String::new(),
            endpoint: None,
            serverless: false,
            public: false,
            category: "NVIDIA".to_owned(),
            start_ssh: true,
            start_jupyter: true,
            allowed_cuda: Vec::new(),
            persistent: None,
        }
    }
}

impl Template {
    /// The fields whose change means other workers, under the names that releases give them.
    pub(in crate::control) fn rolling(&self) -> [(&'static str, Value); 6] {
        [
            ("template.imageName", json!(self.image)),
            ("template.dockerArgs", json!(self.args)),
            ("template.env", self.env_hashes()),
            ("template.containerDiskInGb", json!(self.disk)),
            ("template.ports", json!(self.ports.join(","))),
            ("template.containerRegistryAuthId", json!(self.registry)),
        ]
    }

    /// The history of releases says which variable changed, and never to what: values may be secrets.
    fn env_hashes(&self) -> Value {
        let hash = |value: &str| format!("sha256:{}", &sha256_of(value.as_bytes())[..12]);
        self.env.iter().map(|(name, value)| (name.clone(), Value::from(hash(value)))).collect()
    }
}
