use std::collections::BTreeMap;
use std::time::Duration;

use flash_core::{Error, code};
use serde_json::{Value, json};

use crate::credentials::Credentials;
use crate::http::{HttpClient, unreachable};
use crate::jobs::message_of;

/// How long the control plane may take (spec D4).
const TIMEOUT: Duration = Duration::from_secs(30);

// The two queries that a worker needs are plain posts: the typed client of the control plane is the command's.
const ENVIRONMENT: &str = "query getFlashEnvironment($flashEnvironmentId: String!) { \
     flashEnvironment(flashEnvironmentId: $flashEnvironmentId) { id name activeBuildId } }";
const BUILD: &str =
    "query getFlashBuild($input: String!) { flashBuild(flashBuildId: $input) { id manifest } }";

/// The platform's record of what is deployed in one environment (platform contract D.1, D.2).
#[derive(Debug, Clone)]
pub struct StateManager {
    http: HttpClient,
    credentials: Credentials,
    url: String,
    environment: String,
}

/// What the record says of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: Option<String>,
    pub(super) url: Option<String>,
    /// Whether its manifest is of a Rust program, so that its workers read what Flash reserves.
    pub(super) speaks_flash: bool,
}

impl StateManager {
    /// The record of the environment with this id, at the control plane `base`, such as `https://api.runpod.io`.
    #[must_use]
    pub fn new(
        http: HttpClient,
        credentials: Credentials,
        base: &str,
        environment: impl Into<String>,
    ) -> Self {
        let url = format!("{}/graphql", base.trim_end_matches('/'));
        Self { http, credentials, url, environment: environment.into() }
    }

    pub(super) fn environment(&self) -> &str {
        &self.environment
    }

    pub(super) fn has_key(&self) -> bool {
        self.credentials.has_key()
    }

    /// The manifest of the build that is active.
    pub(super) async fn manifest(&self) -> Result<Value, Error> {
        let id = &self.environment;
        let answer = self.query(ENVIRONMENT, json!({ "flashEnvironmentId": id })).await?;
        let build = answer["flashEnvironment"]["activeBuildId"].as_str();
        let Some(build) = build else {
            return Err(Error::new(code::NO_ADDRESS, format!("environment `{id}` has no active build")));
        };
        let mut answer = self.query(BUILD, json!({ "input": build })).await?;
        Ok(answer["flashBuild"]["manifest"].take())
    }

    async fn query(&self, query: &str, variables: Value) -> Result<Value, Error> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.request(reqwest::Method::POST, &self.url)?;
        let request = request.header("content-type", "application/json").body(body).timeout(TIMEOUT);
        let response = self.credentials.authorize(request, &self.url).send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        let url = &self.url;
        if !status.is_success() {
            let text = format!("{url} answered {status}: {}", message_of(&text));
            return Err(Error::new(code::UNREACHABLE, text).retryable());
        }
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| {
            Error::new(code::BAD_ANSWER, format!("the answer of {url} is not JSON: {error}"))
        })?;
        // The presence of the key is the failure (platform contract D.1).
        if let Some(errors) = answer["errors"].as_array() {
            let texts: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
            return Err(Error::new(code::UNREACHABLE, format!("{url}: {}", texts.join("; "))).retryable());
        }
        Ok(answer["data"].take())
    }
}

/// Every endpoint of a manifest that has an id or an address.
pub(super) fn endpoints_of(manifest: &Value) -> BTreeMap<String, Known> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let speaks_flash = manifest["rust"].is_object();
    let mut endpoints: BTreeMap<String, Known> = BTreeMap::new();
    for (name, resource) in manifest["resources"].as_object().into_iter().flatten() {
        let known =
            Known { id: text(&resource["endpoint_id"]), url: text(&resource["endpoint_url"]), speaks_flash };
        endpoints.insert(name.clone(), known);
    }
    // What deployment found out last counts.
    for (name, url) in manifest["resources_endpoints"].as_object().into_iter().flatten() {
        let known = endpoints.entry(name.clone()).or_insert(Known { speaks_flash, ..Known::default() });
        if let Some(url) = text(url) {
            known.url = Some(url);
        }
    }
    endpoints.retain(|_, known| known.id.is_some() || known.url.is_some());
    endpoints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_where_its_endpoints_are() {
        let manifest = json!({
            "resources": {
                "gpu": {"endpoint_id": "abc"},
                "api": {"endpoint_id": "def", "endpoint_url": "https://old.example"},
                "new": {"endpoint_id": ""},
            },
            "resources_endpoints": {"api": "https://def.example"},
            "rust": {},
        });
        let endpoints = endpoints_of(&manifest);
        assert_eq!(endpoints.keys().collect::<Vec<_>>(), ["api", "gpu"]);
        assert_eq!(endpoints["gpu"].id.as_deref(), Some("abc"));
        assert_eq!(endpoints["api"].url.as_deref(), Some("https://def.example"));
        assert!(endpoints["api"].speaks_flash);
        assert!(endpoints_of(&Value::Null).is_empty());
    }
}
