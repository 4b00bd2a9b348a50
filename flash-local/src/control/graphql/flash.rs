//! Apps, environments and builds in GraphQL.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, InputObject, Json, Object, SimpleObject};
use serde_json::Value;

use super::endpoint::EndpointObject;
use crate::control::records::{App, Build, Environment};
use crate::control::{Control, time};

/// An app.
pub(super) struct FlashApp(pub(super) Arc<App>);

/// An environment of an app.
pub(super) struct FlashEnvironment(pub(super) Arc<Environment>);

/// A build of an app.
pub(super) struct FlashBuild(pub(super) Arc<Build>);

/// A network volume, as environments list it.
#[derive(SimpleObject)]
pub(super) struct FlashNetworkVolume {
    id: String,
    name: String,
}

/// Where the artifact of an active build is.
#[derive(SimpleObject)]
pub(super) struct FlashArtifact {
    object_key: String,
    download_url: String,
    expires_at: String,
}

#[Object]
impl FlashApp {
    async fn id(&self) -> &str {
        &self.0.id
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn flash_environments(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<FlashEnvironment>> {
        let state = context.data::<Arc<Control>>()?.state();
        let mut found: Vec<_> = state.environments_of(&self.0.id).cloned().collect();
        found.sort_by_key(|environment| environment.created);
        Ok(found.into_iter().map(FlashEnvironment).collect())
    }

    async fn flash_builds(&self, context: &Context<'_>) -> async_graphql::Result<Vec<FlashBuild>> {
        let state = context.data::<Arc<Control>>()?.state();
        let mut found: Vec<_> = state.builds_of(&self.0.id).cloned().collect();
        found.sort_by_key(|build| std::cmp::Reverse(build.created));
        Ok(found.into_iter().map(FlashBuild).collect())
    }
}

#[Object]
impl FlashEnvironment {
    async fn id(&self) -> &str {
        &self.0.id
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn state(&self) -> &str {
        self.0.state()
    }

    async fn created_at(&self) -> String {
        time::rfc3339(self.0.created)
    }

    async fn active_build_id(&self) -> Option<&str> {
        self.0.active_build.as_deref()
    }

    async fn endpoints(&self, context: &Context<'_>) -> async_graphql::Result<Vec<EndpointObject>> {
        let state = context.data::<Arc<Control>>()?.state();
        let linked = state.endpoints.all().filter(|one| one.environment.as_ref() == Some(&self.0.id));
        Ok(linked.cloned().map(EndpointObject).collect())
    }

    async fn network_volumes(&self, context: &Context<'_>) -> async_graphql::Result<Vec<FlashNetworkVolume>> {
        let state = context.data::<Arc<Control>>()?.state();
        let linked = state.endpoints.all().filter(|one| one.environment.as_ref() == Some(&self.0.id));
        let mut ids: Vec<&String> = linked.flat_map(|endpoint| &endpoint.volumes).collect();
        ids.sort_unstable();
        ids.dedup();
        let volumes = ids.into_iter().filter_map(|id| state.volumes.get(id));
        Ok(volumes.map(|one| FlashNetworkVolume { id: one.id.clone(), name: one.name.clone() }).collect())
    }

    async fn active_artifact(&self, context: &Context<'_>) -> async_graphql::Result<Option<FlashArtifact>> {
        let control = context.data::<Arc<Control>>()?;
        let state = control.state();
        let Some(build) = self.0.active_build.as_ref().and_then(|id| state.builds.get(id)) else {
            return Ok(None);
        };
        let expires = control.now() + control.plane.limits.upload_url;
        Ok(Some(FlashArtifact {
            object_key: build.object_key.clone(),
            download_url: control.artifacts.download_url(&build.object_key, expires),
            expires_at: time::rfc3339(expires),
        }))
    }
}

#[Object]
impl FlashBuild {
    async fn id(&self) -> &str {
        &self.0.id
    }

    async fn object_key(&self) -> &str {
        &self.0.object_key
    }

    async fn created_at(&self) -> String {
        time::rfc3339(self.0.created)
    }

    async fn manifest(&self) -> Json<Value> {
        Json(self.0.manifest.clone())
    }
}

/// A new app.
#[derive(InputObject)]
pub(super) struct CreateFlashAppInput {
    pub(super) name: String,
}

/// A new environment.
#[derive(InputObject)]
pub(super) struct CreateFlashEnvironmentInput {
    pub(super) flash_app_id: String,
    pub(super) name: String,
}

/// Which environment.
#[derive(InputObject)]
pub(super) struct FlashEnvironmentByNameInput {
    pub(super) flash_app_id: String,
    pub(super) name: String,
}

/// An artifact that is to be uploaded.
#[derive(InputObject)]
pub(super) struct PrepareFlashArtifactUploadInput {
    pub(super) flash_app_id: String,
    /// Bytes. A float, because an `Int` of GraphQL ends at 2 GiB.
    pub(super) tarball_size: f64,
}

/// Where to upload it.
#[derive(SimpleObject)]
pub(super) struct FlashArtifactUpload {
    pub(super) upload_url: String,
    pub(super) object_key: String,
    pub(super) expires_at: String,
}

/// An artifact that was uploaded.
#[derive(InputObject)]
pub(super) struct FinalizeFlashArtifactUploadInput {
    pub(super) flash_app_id: String,
    pub(super) object_key: String,
    pub(super) manifest: Json<Value>,
}

/// A build's new manifest.
#[derive(InputObject)]
pub(super) struct UpdateFlashBuildManifestInput {
    pub(super) flash_build_id: String,
    pub(super) manifest: Json<Value>,
}

/// Which build runs where.
#[derive(InputObject)]
pub(super) struct DeployBuildToEnvironmentInput {
    pub(super) flash_environment_id: String,
    pub(super) flash_build_id: String,
}

/// A request of a command line for a key.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct FlashAuthRequest {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) expires_at: String,
    #[graphql(skip)]
    pub(super) key: Option<String>,
}

#[ComplexObject]
impl FlashAuthRequest {
    /// The key, once.
    async fn api_key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}
