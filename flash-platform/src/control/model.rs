use serde::{Deserialize, Deserializer};

/// An app of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its environments.
    #[serde(rename = "flashEnvironments", deserialize_with = "or_empty")]
    pub environments: Vec<Environment>,
    /// Its builds.
    #[serde(rename = "flashBuilds", deserialize_with = "or_empty")]
    pub builds: Vec<Build>,
}

/// One deployment of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the platform says of it; the values are not documented.
    pub state: Option<String>,
    /// The build that its workers run.
    pub active_build_id: Option<String>,
    /// When it was created.
    pub created_at: Option<String>,
    /// The endpoints that are linked to it.
    #[serde(deserialize_with = "or_empty")]
    pub endpoints: Vec<Named>,
    /// Its volumes.
    #[serde(deserialize_with = "or_empty")]
    pub network_volumes: Vec<Named>,
}

/// Something with an id and a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An uploaded artifact with its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    /// Its id.
    pub id: String,
    /// Where the platform keeps the artifact.
    pub object_key: Option<String>,
    /// When it was created.
    pub created_at: Option<String>,
}

/// What the platform says after it saved an endpoint. Its `aiKey` is a secret and is never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SavedEndpoint {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The template with image and environment.
    pub template_id: Option<String>,
}

/// A network volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkVolume {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// GB.
    pub size: u32,
    /// Where it lies.
    pub data_center: String,
}

/// What hardware of serverless workers costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HourlyPrice {
    /// A GPU pool, or a CPU flavour.
    pub hardware: String,
    /// US dollars an hour, for one GPU or one vCPU; a list price.
    pub usd: f64,
}

/// A login that somebody approves in the console. Its key is a secret.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoginRequest {
    /// Its id, part of the address where it is approved.
    pub id: String,
    /// `PENDING`, `APPROVED`, `CONSUMED`, `DENIED` or `EXPIRED`.
    pub status: String,
    /// The key, once it is approved.
    pub api_key: Option<String>,
}

impl std::fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRequest")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
