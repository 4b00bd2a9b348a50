//! From what is kept to what runs: each endpoint's workers are started from its artifact.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_bootstrap::{Limits as Unpacking, Machine, install};

use super::Control;
use super::records::{Endpoint, ScalerOf, Template};
use super::state::State;
use crate::spec::Origin;
use crate::supervisor::Plan;
use crate::{EndpointSpec, Scaler, Scaling};

/// Lets what runs follow what is kept, until the platform stops.
pub(crate) async fn applies(control: Arc<Control>) {
    let mut changes = control.watch();
    let mut workers = control.plane.roster.watch();
    let stop = control.plane.stop.clone();
    loop {
        changes.borrow_and_update();
        let state = control.state();
        for endpoint in state.endpoints.all() {
            apply(&control, &state, endpoint).await;
        }
        loop {
            workers.borrow_and_update();
            let this = control.clone();
            // Here, because nothing is unpacked meanwhile.
            let _ = tokio::task::spawn_blocking(move || this.collect_garbage()).await;
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return } else { break },
                // The last worker of an old release may have ended.
                _ = workers.changed() => {}
            }
        }
    }
}

async fn apply(control: &Arc<Control>, state: &Arc<State>, endpoint: &Arc<Endpoint>) {
    let Some(running) = control.plane.table.get(&endpoint.id) else { return };
    let scaling = scaling(endpoint);
    let before = running.plan();
    if before.as_ref().is_some_and(|plan| plan.version == endpoint.version && plan.scaling == scaling) {
        return;
    }
    if let Some(plan) = before.clone().filter(|plan| plan.version == endpoint.version) {
        running.follow(Plan { scaling, ..plan });
        return;
    }
    let (this, state, record) = (control.clone(), state.clone(), endpoint.clone());
    // It may unpack an artifact.
    let spec = tokio::task::spawn_blocking(move || spec(&this, &state, &record)).await;
    match spec.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(spec) => {
            running.set_note(None);
            running.follow(Plan { version: endpoint.version, spec: Arc::new(spec), scaling });
        }
        Err(reason) => {
            tracing::info!(endpoint = %endpoint.id, reason, "endpoint can not have new workers yet");
            running.set_note(Some(reason));
            // The workers that are there go on.
            if let Some(plan) = before {
                running.follow(Plan { scaling, ..plan });
            }
        }
    }
}

fn scaling(endpoint: &Endpoint) -> Scaling {
    let scaler = match endpoint.scaler {
        ScalerOf::QueueDelay(seconds) => Scaler::QueueDelay(Duration::from_secs_f64(seconds)),
        ScalerOf::RequestCount(count) => Scaler::RequestCount(count),
    };
    Scaling {
        min: endpoint.workers_min as usize,
        max: endpoint.workers_max as usize,
        idle_timeout: Duration::from_secs(endpoint.idle_timeout.into()),
        scaler,
    }
}

/// How the workers of an endpoint are started, or why they can not be.
fn spec(control: &Control, state: &State, endpoint: &Endpoint) -> Result<EndpointSpec, String> {
    let template = state.template_of(endpoint);
    let app = app(control, state, endpoint, &template)?;
    let mut spec = EndpointSpec::new(endpoint.name.clone(), endpoint.kind(), app.program);
    spec.args = template.args.split_whitespace().map(Into::into).collect();
    spec.dir = app.dir.clone();
    // RunPod writes the ports into the template of an HTTP endpoint. Here each worker has a port of its own.
    let ours = |name: &str| matches!(name, "PORT" | "PORT_HEALTH");
    spec.env = template
        .env
        .iter()
        .filter(|(name, _)| !ours(name))
        .map(|(name, value)| (name.into(), value.into()))
        .collect::<BTreeMap<_, _>>();
    if let Some(dir) = app.dir {
        spec.env.insert("FLASH_APP_DIR".into(), dir.into());
    }
    // What the page makes its forms from.
    let build = endpoint.build.as_ref().and_then(|id| state.builds.get(id));
    spec.openapi = build.and_then(|build| build.manifest.pointer("/rust/openapi").cloned()).map(Arc::new);
    spec.gpu = endpoint.gpu.as_ref().and_then(|gpu| gpu.pools.first().cloned()).unwrap_or_default();
    let volume = endpoint.volumes.first().map(|id| (id.clone(), control.volume_dir(id)));
    if let Some((_, dir)) = &volume {
        std::fs::create_dir_all(dir).map_err(|error| format!("network volume can not be made: {error}"))?;
    }
    spec.origin = Origin::Deployed { volume };
    Ok(spec)
}

struct App {
    program: PathBuf,
    dir: Option<PathBuf>,
}

fn app(control: &Control, state: &State, endpoint: &Endpoint, template: &Template) -> Result<App, String> {
    // There are no containers here. A program of this machine takes the place of an image, or what was put under its name.
    if let Some(program) = template.image.strip_prefix("file://") {
        return Ok(App { program: program.into(), dir: None });
    }
    let Some(environment) = endpoint.environment.as_ref().and_then(|id| state.environments.get(id)) else {
        return of_image(control, &template.image);
    };
    let Some(build) = endpoint.build.as_ref().and_then(|id| state.builds.get(id)) else {
        return Err(format!("environment {:?} has no active build yet", environment.name));
    };
    // An endpoint may be saved before its build is active. What runs until then must not be another build.
    let wanted = template.env.get("FLASH_ARTIFACT_SHA256").map(String::as_str);
    if wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&build.sha256)) {
        return Err(format!(
            "the endpoint wants artifact {}, and the active build {} is {}",
            wanted.unwrap_or_default(),
            build.id,
            build.sha256
        ));
    }
    let dir = control.app_dir(&build.sha256);
    let artifact = control.artifacts.path(&build.object_key);
    let installed = install(&artifact, &dir, Some(&build.sha256), &Unpacking::default())
        .map_err(|error| format!("artifact can not be unpacked: {error}"))?;
    installed.index.target.check(&Machine::this()).map_err(|error| error.to_string())?;
    Ok(App { program: installed.binary, dir: Some(installed.dir) })
}

/// The app in an image that was made for this platform.
fn of_image(control: &Control, name: &str) -> Result<App, String> {
    let Some(installed) = control.images().find(name) else {
        return Err(format!(
            "the local platform has no image {name:?} and pulls from no registry: `flash platform image {name}` makes it, and \
             `file:///path` names a program of this machine"
        ));
    };
    installed.index.target.check(&Machine::this()).map_err(|error| error.to_string())?;
    Ok(App { program: installed.binary, dir: Some(installed.dir) })
}
