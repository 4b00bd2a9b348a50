//! Templates in GraphQL (platform contract D.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{InputObject, Json, Object, SimpleObject};
use serde_json::Value;

use crate::control::ControlError;
use crate::control::records::Template;

/// A template.
pub(super) struct PodTemplate(pub(super) Arc<Template>);

/// One variable of an environment.
#[derive(SimpleObject)]
pub(super) struct EnvironmentVariable {
    key: String,
    value: String,
}

/// One variable of an environment.
#[derive(InputObject)]
pub(super) struct EnvironmentVariableInput {
    key: String,
    #[graphql(default)]
    value: String,
}

impl EnvironmentVariable {
    pub(super) fn all(template: &Template) -> Vec<Self> {
        template.env.iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}

#[Object]
impl PodTemplate {
    async fn id(&self) -> &str {
        &self.0.id
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn image_name(&self) -> &str {
        &self.0.image
    }

    async fn docker_args(&self) -> &str {
        &self.0.args
    }

    async fn container_disk_in_gb(&self) -> u32 {
        self.0.disk
    }

    async fn env(&self) -> Vec<EnvironmentVariable> {
        EnvironmentVariable::all(&self.0)
    }

    async fn ports(&self) -> String {
        self.0.ports.join(",")
    }

    async fn readme(&self) -> &str {
        &self.0.readme
    }

    async fn container_registry_auth_id(&self) -> Option<&str> {
        self.0.registry.as_deref()
    }

    async fn volume_in_gb(&self) -> u32 {
        self.0.persistent.as_ref().map_or(0, |(size, _)| *size)
    }

    async fn volume_mount_path(&self) -> Option<&str> {
        self.0.persistent.as_ref().map(|(_, path)| path.as_str())
    }

    async fn is_serverless(&self) -> bool {
        self.0.serverless
    }
}

/// A template to be created, or to replace another one.
#[derive(InputObject)]
pub(super) struct SaveTemplateInput {
    pub(super) id: Option<String>,
    pub(super) name: String,
    image_name: Option<String>,
    docker_args: Option<String>,
    container_disk_in_gb: Option<u32>,
    env: Option<Vec<EnvironmentVariableInput>>,
    readme: Option<String>,
    ports: Option<String>,
    container_registry_auth_id: Option<String>,
    is_serverless: Option<bool>,
    is_public: Option<bool>,
    start_ssh: Option<bool>,
    volume_in_gb: Option<u32>,
    volume_mount_path: Option<String>,
}

/// A template inside of an endpoint.
#[derive(InputObject)]
#[graphql(name = "PodTemplateInput")]
pub(super) struct InlineTemplateInput {
    name: Option<String>,
    image_name: Option<String>,
    docker_args: Option<String>,
    container_disk_in_gb: Option<u32>,
    env: Option<Vec<EnvironmentVariableInput>>,
    readme: Option<String>,
    ports: Option<String>,
    container_registry_auth_id: Option<String>,
    start_ssh: Option<bool>,
    #[graphql(name = "startScript")]
    _start_script: Option<String>,
    #[graphql(name = "advancedStart")]
    _advanced_start: Option<bool>,
    #[graphql(name = "config")]
    _config: Option<Json<Value>>,
    #[graphql(name = "volumeInGb")]
    _volume_in_gb: Option<u32>,
    #[graphql(name = "volumeMountPath")]
    _volume_mount_path: Option<String>,
}

impl SaveTemplateInput {
    /// Replaces all that `saveTemplate` replaces. What the input leaves out falls back to its default.
    pub(super) fn fill(self, template: &mut Template) -> Result<(), ControlError> {
        template.name = self.name;
        template.image = self.image_name.unwrap_or_default();
        template.args = self.docker_args.unwrap_or_default();
        template.disk = self.container_disk_in_gb.filter(|disk| *disk > 0).unwrap_or(20);
        template.env = variables(self.env.unwrap_or_default())?;
        template.readme = self.readme.unwrap_or_default();
        template.ports = self.ports.map_or_else(Vec::new, |ports| list(&ports));
        template.registry = self.container_registry_auth_id.filter(|id| !id.is_empty());
        template.serverless = self.is_serverless.unwrap_or(template.serverless);
        template.public = self.is_public.unwrap_or(template.public);
        let path = self.volume_mount_path.filter(|path| !path.is_empty());
        template.persistent = self
            .volume_in_gb
            .filter(|size| *size > 0)
            .map(|size| (size, path.unwrap_or_else(|| "/workspace".to_owned())));
        template.start_ssh = self.start_ssh.unwrap_or(template.start_ssh);
        Ok(())
    }
}

impl InlineTemplateInput {
    pub(super) fn fill(self, template: &mut Template) -> Result<(), ControlError> {
        template.name = self.name.unwrap_or_default();
        template.image = self.image_name.unwrap_or_default();
        template.args = self.docker_args.unwrap_or_default();
        template.disk = self.container_disk_in_gb.filter(|disk| *disk > 0).unwrap_or(64);
        template.env = variables(self.env.unwrap_or_default())?;
        template.readme = self.readme.unwrap_or_default();
        template.ports = self.ports.map_or_else(Vec::new, |ports| list(&ports));
        template.registry = self.container_registry_auth_id.filter(|id| !id.is_empty());
        template.start_ssh = self.start_ssh.unwrap_or(template.start_ssh);
        Ok(())
    }
}

fn variables(list: Vec<EnvironmentVariableInput>) -> Result<BTreeMap<String, String>, ControlError> {
    let mut env = BTreeMap::new();
    for EnvironmentVariableInput { key, value } in list {
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            return Err(ControlError::invalid(format!("environment variable {key:?} is not possible")));
        }
        env.insert(key, value);
    }
    Ok(env)
}

pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
