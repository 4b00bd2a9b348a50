//! An endpoint on the wire of REST v2.

use flash_core::manifest::Catalogue;
use serde_json::{Map, Value, json};

use super::fields::{Fields, any, cuda};
use crate::control::ControlError;
use crate::control::records::{CpuInstance, Endpoint, FlashBoot, Gpu, ScalerOf, Template};
use crate::control::state::State;
use crate::control::time;

/// What a body says about an endpoint. `None`: nothing.
#[derive(Debug, Default)]
pub(super) struct Patch {
    name: Option<String>,
    kind: Option<bool>,
    template: Option<String>,
    container: Container,
    gpu: Option<GpuPatch>,
    cpu: Option<Vec<CpuInstance>>,
    min: Option<u32>,
    max: Option<u32>,
    idle_timeout: Option<u32>,
    scaler: Option<ScalerOf>,
    data_centers: Option<Vec<String>>,
    volumes: Option<Vec<String>>,
    timeout: Option<u64>,
    flash_boot: Option<FlashBoot>,
}

/// What templates and endpoints have in common.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) image: Option<String>,
    pub(super) args: Option<String>,
    pub(super) disk: Option<u32>,
    pub(super) env: Option<std::collections::BTreeMap<String, String>>,
    pub(super) ports: Option<Vec<String>>,
    pub(super) registry: Option<Option<String>>,
}

#[derive(Debug)]
struct GpuPatch {
    pools: Option<Vec<String>>,
    excluded: Option<Vec<String>>,
    count: Option<u32>,
    allowed_cuda: Option<Vec<String>>,
    min_cuda: Option<String>,
}

impl Container {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            image: fields.string("image", 0),
            args: fields.string("args", 0),
            disk: fields.small("disk", 1..=u32::MAX),
            env: fields.map("env"),
            ports: fields.strings("ports", any),
            registry: fields.nullable("registry"),
        }
    }

    pub(super) fn apply(self, template: &mut Template) {
        let Self { image, args, disk, env, ports, registry } = self;
        template.image = image.unwrap_or_else(|| std::mem::take(&mut template.image));
        template.args = args.unwrap_or_else(|| std::mem::take(&mut template.args));
        template.disk = disk.unwrap_or(template.disk);
        template.env = env.unwrap_or_else(|| std::mem::take(&mut template.env));
        template.ports = ports.unwrap_or_else(|| std::mem::take(&mut template.ports));
        template.registry = registry.unwrap_or_else(|| template.registry.take());
    }

    pub(super) fn show(template: &Template, into: &mut Map<String, Value>) {
        into.insert("image".to_owned(), json!(template.image));
        into.insert("args".to_owned(), json!(template.args));
        into.insert("disk".to_owned(), json!(template.disk.max(1)));
        into.insert("env".to_owned(), json!(template.env));
        into.insert("ports".to_owned(), json!(template.ports));
        into.insert("registry".to_owned(), json!(template.registry));
    }
}

impl Patch {
    /// Reads a body; `is_new` says whether it describes an endpoint that is not there yet.
    pub(super) fn read(fields: &mut Fields<'_>, is_new: bool) -> Self {
        if is_new {
            fields.require(&["name", "type", "scaling"]);
            if !fields.has("templateId") {
                fields.require(&["image"]);
            }
        }
        let mut patch = Self {
            name: fields.string("name", 1),
            template: fields.string("templateId", usize::from(is_new)),
            container: Container::read(fields),
            gpu: fields.object("gpu").map(|gpu| GpuPatch::read(gpu, is_new)),
            cpu: fields.objects("cpu").map(|list| list.into_iter().filter_map(read_cpu).collect()),
            scaler: fields.object("scaling").and_then(read_scaling),
            data_centers: fields.strings("dataCenterIds", any),
            volumes: fields.strings("networkVolumes", any),
            timeout: fields.integer("timeout", 0..=u64::MAX),
            flash_boot: fields.one_of("flashboot", &["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]).map(|name| {
                match name.as_str() {
                    "FLASHBOOT" => FlashBoot::On,
                    "PRIORITY_FLASHBOOT" => FlashBoot::Priority,
                    _ => FlashBoot::Off,
                }
            }),
            ..Self::default()
        };
        if is_new {
            patch.kind =
                fields.one_of("type", &["QUEUE", "LOAD_BALANCER"]).map(|kind| kind == "LOAD_BALANCER");
        }
        if let Some(mut workers) = fields.object("workers") {
            patch.min = workers.small("min", 0..=u32::MAX);
            patch.max = workers.small("max", 0..=u32::MAX);
            patch.idle_timeout = workers.small("idleTimeout", 1..=3_600);
            workers.end();
        }
        patch
    }

    /// Changes an endpoint and its template as the body says.
    pub(super) fn apply(
        self,
        state: &State,
        endpoint: &mut Endpoint,
        template: &mut Template,
    ) -> Result<(), ControlError> {
        let is_new = endpoint.version == 0;
        if let Some(load_balanced) = self.kind {
            endpoint.is_load_balanced = load_balanced;
        }
        let mut container = self.container;
        if let Some(id) = self.template.filter(|id| !id.is_empty()) {
            // Applied once: no link to the template is kept.
            let from = state.templates.get(&id).filter(|from| from.endpoint.is_none());
            let from = from.ok_or(ControlError::NotFound("template"))?;
            let mut env = from.env.clone();
            env.extend(container.env.take().unwrap_or_default());
            let base = Container {
                image: Some(from.image.clone()),
                args: Some(from.args.clone()),
                disk: Some(from.disk),
                env: None,
                ports: Some(from.ports.clone()),
                registry: Some(from.registry.clone()),
            };
            base.apply(template);
            container.env = Some(env);
        }
        container.apply(template);
        let is_cpu = !endpoint.cpu.is_empty();
        if self.gpu.is_some() && self.cpu.is_some() {
            return Err(ControlError::Conflict("gpu and cpu exclude each other".to_owned()));
        }
        if let Some(gpu) = self.gpu {
            if !is_new && is_cpu {
                return Err(ControlError::Conflict(
                    "a CPU endpoint can not become a GPU endpoint".to_owned(),
                ));
            }
            gpu.apply(&mut endpoint.gpu)?;
        }
        if let Some(cpu) = self.cpu {
            if !is_new && !is_cpu {
                return Err(ControlError::Conflict(
                    "a GPU endpoint can not become a CPU endpoint".to_owned(),
                ));
            }
            endpoint.cpu = cpu;
        }
        endpoint.name = self.name.unwrap_or_else(|| std::mem::take(&mut endpoint.name));
        endpoint.workers_min = self.min.unwrap_or(endpoint.workers_min);
        endpoint.workers_max = self.max.unwrap_or(endpoint.workers_max);
        endpoint.scaler = self.scaler.unwrap_or(endpoint.scaler);
        if self.idle_timeout.is_some() && has_no_idle_timeout(endpoint) {
            let problem =
                "workers.idleTimeout does not apply to a queue endpoint that scales by REQUEST_COUNT";
            return Err(ControlError::Conflict(problem.to_owned()));
        }
        endpoint.idle_timeout = self.idle_timeout.unwrap_or(endpoint.idle_timeout);
        endpoint.data_centers =
            self.data_centers.unwrap_or_else(|| std::mem::take(&mut endpoint.data_centers));
        if let Some(volumes) = self.volumes {
            if let Some(unknown) = volumes.iter().find(|id| state.volumes.get(id).is_none()) {
                return Err(ControlError::Conflict(format!("network volume {unknown:?} does not exist")));
            }
            endpoint.volumes = volumes;
        }
        endpoint.execution_timeout =
            self.timeout.unwrap_or(if is_new { 300_000 } else { endpoint.execution_timeout });
        endpoint.flash_boot = self.flash_boot.unwrap_or(endpoint.flash_boot);
        if endpoint.is_load_balanced && matches!(endpoint.scaler, ScalerOf::QueueDelay(_)) {
            return Err(ControlError::invalid(
                "scaling.type must be REQUEST_COUNT for a load-balanced endpoint",
            ));
        }
        if endpoint.workers_min > endpoint.workers_max {
            return Err(ControlError::Conflict("workers.min is over workers.max".to_owned()));
        }
        Ok(())
    }
}

impl GpuPatch {
    fn read(mut fields: Fields<'_>, is_new: bool) -> Self {
        if is_new {
            fields.require(&["pools"]);
        }
        if fields.has("excludedTypes") && !fields.has("pools") {
            fields.problem("excludedTypes", "needs pools");
        }
        let has_pools = fields.has("pools");
        let pools = fields.strings("pools", any);
        if has_pools && pools.as_ref().is_some_and(Vec::is_empty) {
            fields.problem("pools", "must not be empty");
        }
        let excluded = fields.strings("excludedTypes", |id| {
            let first = id.trim_start().chars().next();
            first.is_none_or(|first| first == '-').then_some("must be the id of a GPU type")
        });
        if excluded
            .as_ref()
            .is_some_and(|list| list.iter().enumerate().any(|(at, one)| list[..at].contains(one)))
        {
            fields.problem("excludedTypes", "must not have the same item twice");
        }
        let gpu = Self {
            pools,
            excluded,
            count: fields.small("count", 1..=u32::MAX),
            allowed_cuda: fields.strings("allowedCudaVersions", cuda),
            min_cuda: fields.string("minCudaVersion", 0),
        };
        if let Some(version) = &gpu.min_cuda
            && let Some(problem) = cuda(version)
            && (is_new || !version.is_empty())
        {
            fields.problem("minCudaVersion", problem);
        }
        fields.end();
        gpu
    }

    fn apply(self, gpu: &mut Option<Gpu>) -> Result<(), ControlError> {
        let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        if some(&self.allowed_cuda) && self.min_cuda.as_ref().is_some_and(|min| !min.is_empty()) {
            return Err(ControlError::Conflict(
                "gpu.allowedCudaVersions and gpu.minCudaVersion exclude each other".to_owned(),
            ));
        }
        let fresh = Gpu {
            pools: Vec::new(),
            excluded: Vec::new(),
            count: 1,
            allowed_cuda: Vec::new(),
            min_cuda: None,
        };
        let gpu = gpu.get_or_insert(fresh);
        if let Some(pools) = self.pools {
            gpu.pools = pools;
            gpu.excluded = self.excluded.unwrap_or_default();
        }
        gpu.count = self.count.unwrap_or(gpu.count);
        gpu.allowed_cuda = self.allowed_cuda.unwrap_or_else(|| std::mem::take(&mut gpu.allowed_cuda));
        if let Some(min) = self.min_cuda {
            gpu.min_cuda = Some(min).filter(|min| !min.is_empty());
        }
        Ok(())
    }
}

fn read_cpu(mut fields: Fields<'_>) -> Option<CpuInstance> {
    fields.require(&["id", "vcpuCount"]);
    let (flavor, vcpus) = (fields.string("id", 1), fields.small("vcpuCount", 2..=4_096));
    if let Some(vcpus) = vcpus.filter(|vcpus| !vcpus.is_power_of_two()) {
        fields.problem("vcpuCount", &format!("must be a power of two, not {vcpus}"));
    }
    fields.end();
    let (flavor, vcpus) = (flavor?, vcpus?);
    let memory = vcpus.saturating_mul(memory_per_vcpu(&flavor));
    Some(CpuInstance { flavor, vcpus, memory })
}

/// GB of memory for each vCPU of a flavour, by the instances that the catalogue knows.
pub(super) fn memory_per_vcpu(flavor: &str) -> u32 {
    let known = Catalogue::bundled().cpu_instances.iter().filter_map(|id| CpuInstance::from_id(id));
    let known = known.filter(|instance| instance.flavor == flavor);
    known.map(|instance| (instance.memory / instance.vcpus).max(1)).next().unwrap_or(2)
}

fn read_scaling(mut fields: Fields<'_>) -> Option<ScalerOf> {
    fields.require(&["type"]);
    let kind = fields.one_of("type", &["QUEUE_DELAY", "REQUEST_COUNT"]);
    let scaler = match kind.as_deref() {
        Some("QUEUE_DELAY") => {
            fields.require(&["queueDelay"]);
            fields.number("queueDelay", 0.5).map(ScalerOf::QueueDelay)
        }
        Some(_) => {
            fields.require(&["requestCount"]);
            fields.small("requestCount", 1..=u32::MAX).map(ScalerOf::RequestCount)
        }
        None => None,
    };
    if kind.is_some() {
        fields.end();
    }
    scaler
}

/// Where the idle timeout is neither taken nor shown.
const fn has_no_idle_timeout(endpoint: &Endpoint) -> bool {
    !endpoint.is_load_balanced && matches!(endpoint.scaler, ScalerOf::RequestCount(_))
}

/// An endpoint as REST v2 shows it.
pub(super) fn show(base: &str, endpoint: &Endpoint, template: &Template) -> Value {
    let mut shown = Map::new();
    Container::show(template, &mut shown);
    let id = &endpoint.id;
    let urls = if endpoint.is_load_balanced {
        json!({"base": format!("{base}/lb/{id}"), "health": format!("{base}/lb/{id}/ping")})
    } else {
        let at = |operation: &str| format!("{base}/v2/{id}/{operation}");
        json!({
            "run": at("run"), "runSync": at("runsync"), "status": at("status"), "stream": at("stream"),
            "cancel": at("cancel"), "retry": at("retry"), "purgeQueue": at("purge-queue"), "health": at("health"),
        })
    };
    let scaling = match endpoint.scaler {
        ScalerOf::QueueDelay(delay) => json!({"type": "QUEUE_DELAY", "queueDelay": delay}),
        ScalerOf::RequestCount(count) => json!({"type": "REQUEST_COUNT", "requestCount": count}),
    };
    let mut workers = json!({"min": endpoint.workers_min, "max": endpoint.workers_max});
    if !has_no_idle_timeout(endpoint) {
        workers["idleTimeout"] = endpoint.idle_timeout.into();
    }
    let fields = json!({
        "id": id,
        "name": endpoint.name,
        "type": if endpoint.is_load_balanced { "LOAD_BALANCER" } else { "QUEUE" },
        "requestUrls": urls,
        "workers": workers,
        "scaling": scaling,
        "dataCenterIds": endpoint.data_centers,
        "networkVolumes": endpoint.volumes,
        "timeout": endpoint.execution_timeout,
        "flashboot": endpoint.flash_boot,
        "createdAt": time::rfc3339(endpoint.created),
    });
    if let Value::Object(fields) = fields {
        shown.extend(fields);
    }
    if endpoint.cpu.is_empty() {
        let gpu = endpoint.gpu.as_ref().filter(|gpu| !gpu.pools.is_empty()).map(|gpu| {
            json!({
                "pools": gpu.pools, "excludedTypes": gpu.excluded, "count": gpu.count.max(1),
                "allowedCudaVersions": gpu.allowed_cuda, "minCudaVersion": gpu.min_cuda,
            })
        });
        shown.insert("gpu".to_owned(), json!(gpu));
    } else {
        let cpu = |one: &CpuInstance| json!({"id": one.flavor, "vcpuCount": one.vcpus.max(2), "memory": one.memory.max(1)});
        shown.insert("cpu".to_owned(), endpoint.cpu.iter().map(cpu).collect());
    }
    Value::Object(shown)
}
