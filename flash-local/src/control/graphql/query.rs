//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};

use super::catalogue::{CpuFlavor, CpuFlavorInput, GpuType, GpuTypeFilter, cpu_flavors, gpu_types};
use super::control;
use super::endpoint::EndpointObject;
use super::flash::{FlashApp, FlashAuthRequest, FlashBuild, FlashEnvironment, FlashEnvironmentByNameInput};
use super::template::PodTemplate;
use crate::control::login::Stage;
use crate::control::{Control, ControlError, time};

pub(super) struct Query;

/// Whoever asks.
pub(super) struct Myself;

#[Object]
impl Query {
    /// The caller, and what belongs to it.
    async fn myself(&self, context: &Context<'_>) -> Result<Myself> {
        control(context)?;
        Ok(Myself)
    }

    async fn pod_template(&self, context: &Context<'_>, id: String) -> Result<PodTemplate> {
        Ok(PodTemplate(control(context)?.state().template(&id)?.clone()))
    }

    async fn flash_app(&self, context: &Context<'_>, flash_app_id: String) -> Result<FlashApp> {
        Ok(FlashApp(control(context)?.state().app(&flash_app_id)?.clone()))
    }

    async fn flash_app_by_name(&self, context: &Context<'_>, flash_app_name: String) -> Result<FlashApp> {
        let state = control(context)?.state();
        let app = state.apps.find(|app| app.name == flash_app_name).ok_or(ControlError::NotFound("app"))?;
        Ok(FlashApp(app.clone()))
    }

    async fn flash_environment(
        &self,
        context: &Context<'_>,
        flash_environment_id: String,
    ) -> Result<FlashEnvironment> {
        Ok(FlashEnvironment(control(context)?.state().environment(&flash_environment_id)?.clone()))
    }

    async fn flash_environment_by_name(
        &self,
        context: &Context<'_>,
        input: FlashEnvironmentByNameInput,
    ) -> Result<FlashEnvironment> {
        let state = control(context)?.state();
        state.app(&input.flash_app_id)?;
        let found =
            state.environments_of(&input.flash_app_id).find(|environment| environment.name == input.name);
        Ok(FlashEnvironment(found.ok_or(ControlError::NotFound("environment"))?.clone()))
    }

    async fn flash_build(&self, context: &Context<'_>, flash_build_id: String) -> Result<FlashBuild> {
        Ok(FlashBuild(control(context)?.state().build(&flash_build_id)?.clone()))
    }

    async fn gpu_types(&self, context: &Context<'_>, input: Option<GpuTypeFilter>) -> Result<Vec<GpuType>> {
        control(context)?;
        Ok(gpu_types(input))
    }

    async fn cpu_flavors(
        &self,
        context: &Context<'_>,
        input: Option<CpuFlavorInput>,
    ) -> Result<Vec<CpuFlavor>> {
        control(context)?;
        Ok(cpu_flavors(input))
    }

    /// Where a request for a key stands. Needs no key itself.
    async fn flash_auth_request_status(
        &self,
        context: &Context<'_>,
        flash_auth_request_id: String,
    ) -> Result<FlashAuthRequest> {
        let control = context.data::<Arc<Control>>()?;
        let login = control.logins.poll(&flash_auth_request_id, control.now());
        let key = (login.stage == Stage::Approved).then(|| control.keys.key().to_owned());
        Ok(FlashAuthRequest {
            id: flash_auth_request_id,
            status: login.stage.name().to_owned(),
            expires_at: time::rfc3339(login.expires),
            key,
        })
    }
}

#[Object]
impl Myself {
    async fn id(&self) -> &str {
        "local"
    }

    async fn flash_apps(&self, context: &Context<'_>) -> Result<Vec<FlashApp>> {
        Ok(control(context)?.state().apps.all().cloned().map(FlashApp).collect())
    }

    async fn endpoints(&self, context: &Context<'_>) -> Result<Vec<EndpointObject>> {
        Ok(control(context)?.state().endpoints.all().cloned().map(EndpointObject).collect())
    }

    /// Null: there is none of this id.
    async fn endpoint(&self, context: &Context<'_>, id: String) -> Result<Option<EndpointObject>> {
        Ok(control(context)?.state().endpoints.get(&id).cloned().map(EndpointObject))
    }
}
