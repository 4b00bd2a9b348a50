//! Endpoints in GraphQL (platform contract D.3).

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};

use super::template::{EnvironmentVariable, InlineTemplateInput, PodTemplate, list};
use crate::control::records::{CpuInstance, Endpoint, FlashBoot, Gpu, ScalerOf, Template};
use crate::control::state::State;
use crate::control::{Control, ControlError, time};

/// An endpoint.
pub(super) struct EndpointObject(pub(super) Arc<Endpoint>);

/// A volume of an endpoint.
#[derive(SimpleObject)]
pub(super) struct EndpointVolume {
    network_volume_id: String,
    data_center_id: Option<String>,
}

/// A volume that an endpoint's workers have.
#[derive(SimpleObject)]
pub(super) struct MountedVolume {
    id: String,
    data_center_id: String,
}

/// How workers start.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum FlashBootType {
    /// From nothing.
    Off,
    /// From a frozen one.
    #[graphql(name = "FLASHBOOT")]
    On,
    /// From a frozen one that is kept near.
    #[graphql(name = "PRIORITY_FLASHBOOT")]
    Priority,
}

/// A volume of an endpoint.
#[derive(InputObject)]
pub(super) struct NetworkVolumeIdInput {
    network_volume_id: String,
    #[graphql(name = "dataCenterId")]
    _data_center_id: Option<String>,
}

/// An endpoint as it is to be. With an `id` it replaces the one of that id; fields that are left out fall back to their
/// defaults.
#[derive(InputObject)]
pub(super) struct EndpointInput {
    pub(super) id: Option<String>,
    name: String,
    #[graphql(name = "type")]
    kind: Option<String>,
    template_id: Option<String>,
    template: Option<InlineTemplateInput>,
    gpu_ids: Option<String>,
    gpu_count: Option<u32>,
    instance_ids: Option<Vec<String>>,
    locations: Option<String>,
    network_volume_id: Option<String>,
    network_volume_ids: Option<Vec<NetworkVolumeIdInput>>,
    scaler_type: Option<String>,
    scaler_value: Option<f64>,
    workers_min: Option<u32>,
    workers_max: Option<u32>,
    workers_standby: Option<u32>,
    #[graphql(name = "workersPFBTarget")]
    workers_pfb_target: Option<u32>,
    idle_timeout: Option<u32>,
    execution_timeout_ms: Option<u64>,
    allowed_cuda_versions: Option<String>,
    min_cuda_version: Option<String>,
    flash_boot_type: Option<FlashBootType>,
    flash_environment_id: Option<String>,
}

impl EndpointInput {
    /// Fills an endpoint and its template.
    pub(super) fn fill(
        self,
        state: &State,
        endpoint: &mut Endpoint,
        template: &mut Template,
    ) -> Result<(), ControlError> {
        let is_new = endpoint.version == 0;
        let load_balanced = match self.kind.as_deref() {
            None | Some("QB") => false,
            Some("LB") => true,
            Some(other) => {
                return Err(ControlError::invalid(format!("type {other:?} is not possible: QB or LB")));
            }
        };
        if !is_new && load_balanced != endpoint.is_load_balanced {
            return Err(ControlError::invalid("the type of an endpoint can not change"));
        }
        match (self.template_id, self.template) {
            (Some(_), Some(_)) => {
                return Err(ControlError::invalid("templateId and template exclude each other"));
            }
            (Some(id), None) if id == template.id => {}
            (Some(id), None) => *template = Template::clone(state.template(&id)?),
            (None, Some(inline)) => inline.fill(template)?,
            (None, None) if is_new => return Err(ControlError::invalid("templateId or template is missing")),
            (None, None) => {}
        }
        let gpu_ids = self.gpu_ids.filter(|ids| !ids.is_empty());
        let instances = self.instance_ids.unwrap_or_default();
        endpoint.cpu = instances
            .iter()
            .map(|id| {
                let problem =
                    || ControlError::invalid(format!("CPU instance {id:?} is not possible: like cpu3g-2-8"));
                CpuInstance::from_id(id).ok_or_else(problem)
            })
            .collect::<Result<_, _>>()?;
        endpoint.gpu = match gpu_ids {
            Some(ids) => {
                let allowed = self.allowed_cuda_versions.unwrap_or_default();
                Some(Gpu::from_ids(&ids, self.gpu_count.unwrap_or(1), &allowed, self.min_cuda_version))
            }
            None => None,
        };
        endpoint.name = self.name;
        endpoint.is_load_balanced = load_balanced;
        endpoint.data_centers = self.locations.map_or_else(Vec::new, |locations| list(&locations));
        endpoint.volumes = match self.network_volume_ids {
            Some(ids) if !ids.is_empty() => ids.into_iter().map(|one| one.network_volume_id).collect(),
            _ => self.network_volume_id.filter(|id| !id.is_empty()).into_iter().collect(),
        };
        let value = self.scaler_value.unwrap_or(4.0);
        endpoint.scaler = match self.scaler_type.as_deref() {
            Some("REQUEST_COUNT") => ScalerOf::RequestCount(count(value)?),
            Some("QUEUE_DELAY") => ScalerOf::QueueDelay(value),
            None if load_balanced => ScalerOf::RequestCount(count(value)?),
            None => ScalerOf::QueueDelay(value),
            Some(other) => {
                let problem = format!("scalerType {other:?} is not possible: QUEUE_DELAY or REQUEST_COUNT");
                return Err(ControlError::invalid(problem));
            }
        };
        endpoint.workers_min = self.workers_min.unwrap_or(0);
        endpoint.workers_max = self.workers_max.unwrap_or(3);
        endpoint.workers_standby = self.workers_standby.unwrap_or(0);
        endpoint.workers_pfb_target = self.workers_pfb_target.unwrap_or(0);
        endpoint.idle_timeout = self.idle_timeout.unwrap_or(5);
        endpoint.execution_timeout = self.execution_timeout_ms.unwrap_or(0);
        endpoint.flash_boot = match self.flash_boot_type {
            None | Some(FlashBootType::Off) => FlashBoot::Off,
            Some(FlashBootType::On) => FlashBoot::On,
            Some(FlashBootType::Priority) => FlashBoot::Priority,
        };
        endpoint.environment = self.flash_environment_id.filter(|id| !id.is_empty());
        Ok(())
    }
}

fn count(value: f64) -> Result<u32, ControlError> {
    let is_count = value >= 1.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just checked")]
    let count = value as u32;
    is_count
        .then_some(count)
        .ok_or_else(|| ControlError::invalid("scalerValue of REQUEST_COUNT is a count from 1 on"))
}

#[Object(name = "Endpoint")]
impl EndpointObject {
    async fn id(&self) -> &str {
        &self.0.id
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    #[graphql(name = "type")]
    async fn kind(&self) -> &str {
        if self.0.is_load_balanced { "LB" } else { "QB" }
    }

    async fn ai_key(&self) -> &str {
        &self.0.ai_key
    }

    async fn user_id(&self) -> &str {
        "local"
    }

    async fn template_id(&self) -> &str {
        &self.0.template
    }

    async fn template(&self, context: &Context<'_>) -> async_graphql::Result<PodTemplate> {
        let control = context.data::<Arc<Control>>()?;
        Ok(PodTemplate(control.state().template_of(&self.0)))
    }

    async fn gpu_ids(&self) -> Option<String> {
        self.0.gpu.as_ref().map(Gpu::ids)
    }

    async fn gpu_count(&self) -> Option<u32> {
        self.0.gpu.as_ref().map(|gpu| gpu.count)
    }

    async fn allowed_cuda_versions(&self) -> Option<String> {
        self.0.gpu.as_ref().map(|gpu| gpu.allowed_cuda.join(","))
    }

    async fn min_cuda_version(&self) -> Option<String> {
        self.0.gpu.as_ref().and_then(|gpu| gpu.min_cuda.clone())
    }

    async fn instance_ids(&self) -> Option<Vec<String>> {
        (!self.0.cpu.is_empty()).then(|| self.0.cpu.iter().map(CpuInstance::id).collect())
    }

    async fn locations(&self) -> Option<String> {
        (!self.0.data_centers.is_empty()).then(|| self.0.data_centers.join(","))
    }

    async fn network_volume_id(&self) -> Option<&str> {
        self.0.volumes.first().map(String::as_str)
    }

    async fn network_volume_ids(&self, context: &Context<'_>) -> async_graphql::Result<Vec<EndpointVolume>> {
        let state = context.data::<Arc<Control>>()?.state();
        let place = |id: &String| state.volumes.get(id).map(|volume| volume.data_center.clone());
        let volume =
            |id: &String| EndpointVolume { network_volume_id: id.clone(), data_center_id: place(id) };
        Ok(self.0.volumes.iter().map(volume).collect())
    }

    /// The first of its volumes.
    async fn network_volume(&self, context: &Context<'_>) -> async_graphql::Result<Option<MountedVolume>> {
        let state = context.data::<Arc<Control>>()?.state();
        let found = self.0.volumes.first().and_then(|id| state.volumes.get(id));
        Ok(found.map(|one| MountedVolume { id: one.id.clone(), data_center_id: one.data_center.clone() }))
    }

    /// The variables of its template.
    async fn env(&self, context: &Context<'_>) -> async_graphql::Result<Vec<EnvironmentVariable>> {
        let control = context.data::<Arc<Control>>()?;
        Ok(EnvironmentVariable::all(&control.state().template_of(&self.0)))
    }

    async fn created_at(&self) -> String {
        time::rfc3339(self.0.created)
    }

    async fn scaler_type(&self) -> &str {
        match self.0.scaler {
            ScalerOf::QueueDelay(_) => "QUEUE_DELAY",
            ScalerOf::RequestCount(_) => "REQUEST_COUNT",
        }
    }

    /// Whole numbers are shown as such; RunPod's clients read an integer.
    async fn scaler_value(&self) -> Json<serde_json::Number> {
        let number = match self.0.scaler {
            ScalerOf::QueueDelay(seconds) if seconds.fract() != 0.0 => serde_json::Number::from_f64(seconds),
            #[expect(clippy::cast_possible_truncation, reason = "a delay in seconds")]
            ScalerOf::QueueDelay(seconds) => Some((seconds as i64).into()),
            ScalerOf::RequestCount(count) => Some(count.into()),
        };
        Json(number.unwrap_or_else(|| 0.into()))
    }

    async fn workers_min(&self) -> u32 {
        self.0.workers_min
    }

    async fn workers_max(&self) -> u32 {
        self.0.workers_max
    }

    async fn workers_standby(&self) -> u32 {
        self.0.workers_standby
    }

    #[graphql(name = "workersPFBTarget")]
    async fn workers_pfb_target(&self) -> u32 {
        self.0.workers_pfb_target
    }

    async fn idle_timeout(&self) -> u32 {
        self.0.idle_timeout
    }

    async fn execution_timeout_ms(&self) -> u64 {
        self.0.execution_timeout
    }

    async fn flash_boot_type(&self) -> FlashBootType {
        match self.0.flash_boot {
            FlashBoot::Off => FlashBootType::Off,
            FlashBoot::On => FlashBootType::On,
            FlashBoot::Priority => FlashBootType::Priority,
        }
    }

    async fn flash_environment_id(&self) -> Option<ID> {
        self.0.environment.clone().map(ID)
    }

    /// RunPod writes it so.
    #[graphql(name = "activeBuildid")]
    async fn active_build_id(&self) -> Option<&str> {
        self.0.build.as_deref()
    }

    async fn ide_pod_id(&self) -> Option<&str> {
        None
    }

    async fn version(&self) -> u32 {
        self.0.version
    }
}
