//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result};

use super::control;
use super::endpoint::{EndpointInput, EndpointObject};
use super::flash::{
    CreateFlashAppInput, CreateFlashEnvironmentInput, DeployBuildToEnvironmentInput,
    FinalizeFlashArtifactUploadInput, FlashApp, FlashArtifactUpload, FlashAuthRequest, FlashBuild,
    FlashEnvironment, PrepareFlashArtifactUploadInput, UpdateFlashBuildManifestInput,
};
use super::template::{PodTemplate, SaveTemplateInput};
use crate::control::records::Template;
use crate::control::{Control, ControlError, time};

pub(super) struct Mutation;

/// Which template an endpoint has from now on.
#[derive(InputObject)]
struct UpdateEndpointTemplateInput {
    endpoint_id: String,
    template_id: String,
}

#[Object]
impl Mutation {
    async fn save_template(
        &self,
        context: &Context<'_>,
        input: Option<SaveTemplateInput>,
    ) -> Result<PodTemplate> {
        let control = control(context)?;
        let input = input.ok_or_else(|| ControlError::invalid("input is missing"))?;
        let saved = match input.id.clone() {
            Some(id) => control.update_template(id, move |template| input.fill(template)).await?,
            None => {
                let mut template = Template::default();
                input.fill(&mut template)?;
                control.create_template(template).await?
            }
        };
        Ok(PodTemplate(saved))
    }

    async fn save_endpoint(&self, context: &Context<'_>, input: EndpointInput) -> Result<EndpointObject> {
        let control = control(context)?;
        let saved = match input.id.clone() {
            Some(id) => {
                control
                    .update_endpoint(id, move |state, endpoint, template| {
                        input.fill(state, endpoint, template)
                    })
                    .await?
            }
            None => {
                control
                    .create_endpoint(move |state, endpoint, template| input.fill(state, endpoint, template))
                    .await?
            }
        };
        Ok(EndpointObject(saved))
    }

    async fn update_endpoint_template(
        &self,
        context: &Context<'_>,
        input: UpdateEndpointTemplateInput,
    ) -> Result<EndpointObject> {
        let UpdateEndpointTemplateInput { endpoint_id, template_id } = input;
        let change = move |state: &crate::control::state::State, _: &mut _, template: &mut Template| {
            *template = Template::clone(state.template(&template_id)?);
            Ok(())
        };
        Ok(EndpointObject(control(context)?.update_endpoint(endpoint_id, change).await?))
    }

    /// Null when it is done.
    async fn delete_endpoint(&self, context: &Context<'_>, id: String) -> Result<Option<bool>> {
        control(context)?.delete_endpoint(id).await?;
        Ok(None)
    }

    async fn create_flash_app(&self, context: &Context<'_>, input: CreateFlashAppInput) -> Result<FlashApp> {
        Ok(FlashApp(control(context)?.create_app(input.name).await?))
    }

    async fn delete_flash_app(&self, context: &Context<'_>, flash_app_id: String) -> Result<Option<bool>> {
        control(context)?.delete_app(flash_app_id).await?;
        Ok(None)
    }

    async fn create_flash_environment(
        &self,
        context: &Context<'_>,
        input: CreateFlashEnvironmentInput,
    ) -> Result<FlashEnvironment> {
        let CreateFlashEnvironmentInput { flash_app_id, name } = input;
        Ok(FlashEnvironment(control(context)?.create_environment(flash_app_id, name).await?))
    }

    async fn delete_flash_environment(
        &self,
        context: &Context<'_>,
        flash_environment_id: String,
    ) -> Result<Option<bool>> {
        control(context)?.delete_environment(flash_environment_id).await?;
        Ok(None)
    }

    async fn prepare_flash_artifact_upload(
        &self,
        context: &Context<'_>,
        input: PrepareFlashArtifactUploadInput,
    ) -> Result<FlashArtifactUpload> {
        let control = control(context)?;
        let size = input.tarball_size;
        if !(0.0..=9e15).contains(&size) || size.fract() != 0.0 {
            return Err(ControlError::invalid("tarballSize is a number of bytes").into());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just checked")]
        let upload = control.prepare_upload(input.flash_app_id, size as u64).await?;
        Ok(FlashArtifactUpload {
            upload_url: control.artifacts.upload_url(&upload.id, upload.size, upload.expires),
            object_key: upload.id.clone(),
            expires_at: time::rfc3339(upload.expires),
        })
    }

    async fn finalize_flash_artifact_upload(
        &self,
        context: &Context<'_>,
        input: FinalizeFlashArtifactUploadInput,
    ) -> Result<FlashBuild> {
        let FinalizeFlashArtifactUploadInput { flash_app_id, object_key, manifest } = input;
        Ok(FlashBuild(control(context)?.finalize_upload(flash_app_id, object_key, manifest.0).await?))
    }

    async fn update_flash_build_manifest(
        &self,
        context: &Context<'_>,
        input: UpdateFlashBuildManifestInput,
    ) -> Result<FlashBuild> {
        let UpdateFlashBuildManifestInput { flash_build_id, manifest } = input;
        Ok(FlashBuild(control(context)?.set_manifest(flash_build_id, manifest.0).await?))
    }

    async fn deploy_build_to_environment(
        &self,
        context: &Context<'_>,
        input: DeployBuildToEnvironmentInput,
    ) -> Result<FlashEnvironment> {
        let DeployBuildToEnvironmentInput { flash_environment_id, flash_build_id } = input;
        Ok(FlashEnvironment(control(context)?.activate(flash_environment_id, flash_build_id).await?))
    }

    /// Asks for a key. Needs none itself; a person approves it on the web page.
    async fn create_flash_auth_request(&self, context: &Context<'_>) -> Result<FlashAuthRequest> {
        let control = context.data::<Arc<Control>>()?;
        let (id, login) = control.logins.ask(control.now());
        let (status, expires_at) = (login.stage.name().to_owned(), time::rfc3339(login.expires));
        Ok(FlashAuthRequest { id, status, expires_at, key: None })
    }
}
