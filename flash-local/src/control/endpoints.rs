//! Endpoints: what is kept of them, and what a change of them means.

use std::sync::Arc;

use flash_core::clock::Timestamp;
use serde_json::Value;

use super::records::{Change, Endpoint, Release, Template};
use super::state::State;
use super::{Control, ControlError, id};

impl Control {
    /// Creates an endpoint, with a template of its own unless it names one.
    pub(super) async fn create_endpoint(
        self: &Arc<Self>,
        fill: impl FnOnce(&State, &mut Endpoint, &mut Template) -> Result<(), ControlError> + Send + 'static,
    ) -> Result<Arc<Endpoint>, ControlError> {
        let now = self.now();
        self.write(move |state| {
            let mut endpoint = fresh(now);
            let mut template = Template { endpoint: Some(endpoint.id.clone()), ..Template::default() };
            template.id = id::object();
            template.serverless = true;
            fill(state, &mut endpoint, &mut template)?;
            save(state, endpoint, template, now)
        })
        .await
    }

    /// Changes an endpoint and, where it has one of its own, its template.
    pub(super) async fn update_endpoint(
        self: &Arc<Self>,
        id: String,
        change: impl FnOnce(&State, &mut Endpoint, &mut Template) -> Result<(), ControlError> + Send + 'static,
    ) -> Result<Arc<Endpoint>, ControlError> {
        let now = self.now();
        self.write(move |state| {
            let mut endpoint = Endpoint::clone(state.endpoint(&id)?);
            let mut template = Template::clone(&state.template_of(&endpoint));
            change(state, &mut endpoint, &mut template)?;
            save(state, endpoint, template, now)
        })
        .await
    }

    pub(super) async fn delete_endpoint(self: &Arc<Self>, id: String) -> Result<(), ControlError> {
        self.write(move |state| {
            let endpoint = state.endpoint(&id)?.clone();
            state.endpoints.remove(&id);
            state.releases.remove_all(|release| release.endpoint == id);
            if state.template_of(&endpoint).endpoint.as_ref() == Some(&id) {
                state.templates.remove(&endpoint.template);
            }
            Ok(())
        })
        .await
    }
}

fn fresh(now: Timestamp) -> Endpoint {
    use super::records::{FlashBoot, ScalerOf};
    Endpoint {
        id: id::endpoint(),
        name: String::new(),
        is_load_balanced: false,
        template: String::new(),
        gpu: None,
        cpu: Vec::new(),
        data_centers: Vec::new(),
        volumes: Vec::new(),
        scaler: ScalerOf::QueueDelay(4.0),
        workers_min: 0,
        workers_max: 3,
        workers_standby: 0,
        workers_pfb_target: 0,
        idle_timeout: 10,
        execution_timeout: 0,
        flash_boot: FlashBoot::Off,
        environment: None,
        build: None,
        version: 0,
        created: now,
        ai_key: id::fresh(32),
    }
}

/// Keeps an endpoint and its template, when both are as they may be.
fn save(
    state: &mut State,
    mut endpoint: Endpoint,
    template: Template,
    now: Timestamp,
) -> Result<Arc<Endpoint>, ControlError> {
    check(state, &endpoint)?;
    endpoint.template = template.id.clone();
    if let Some(environment) = &endpoint.environment {
        endpoint.build = state.environment(environment)?.active_build.clone();
    }
    let own = template.endpoint.as_ref() == Some(&endpoint.id);
    let endpoint = put(state, endpoint, &template, now);
    if own {
        state.templates.put(template);
    }
    Ok(endpoint)
}

/// Keeps an endpoint that is to run with `template`. When its workers change by that, it gets a release.
pub(super) fn put(
    state: &mut State,
    mut endpoint: Endpoint,
    template: &Template,
    now: Timestamp,
) -> Arc<Endpoint> {
    let before = state.endpoints.get(&endpoint.id).cloned();
    let old_template = before.as_ref().map(|before| state.template_of(before));
    let old: Vec<_> = before.iter().flat_map(|before| before.rolling()).collect();
    let old: Vec<_> = old.into_iter().chain(old_template.iter().flat_map(|old| old.rolling())).collect();
    let new = endpoint.rolling().into_iter().chain(template.rolling());
    let diff: Vec<Change> = new
        .map(|(field, new)| {
            let old =
                old.iter().find(|(name, _)| *name == field).map_or(Value::Null, |(_, value)| value.clone());
            Change { field: field.to_owned(), old, new }
        })
        .filter(|change| change.old != change.new)
        .collect();
    if before.is_none() || !diff.is_empty() {
        endpoint.version += 1;
        let version = endpoint.version;
        let diff = if before.is_none() { Vec::new() } else { diff };
        state.releases.put(Release {
            id: id::object(),
            endpoint: endpoint.id.clone(),
            version,
            created: now,
            diff,
        });
        keep_some(state, &endpoint.id);
    }
    state.endpoints.put(endpoint)
}

/// A template that stands for itself changed: the endpoints that use it get new workers.
pub(super) fn template_changed(state: &mut State, template: Template, now: Timestamp) -> Arc<Template> {
    let users: Vec<_> =
        state.endpoints.all().filter(|endpoint| endpoint.template == template.id).cloned().collect();
    for endpoint in users {
        put(state, (*endpoint).clone(), &template, now);
    }
    state.templates.put(template)
}

/// Releases of one endpoint that are kept.
const RELEASES_MAX: usize = 100;

fn keep_some(state: &mut State, endpoint: &str) {
    for release in state.releases_of(endpoint).into_iter().skip(RELEASES_MAX) {
        state.releases.remove(&release.id);
    }
}

/// Everything that is wrong with an endpoint, at once.
fn check(state: &State, endpoint: &Endpoint) -> Result<(), ControlError> {
    use super::records::ScalerOf;
    let mut problems = Vec::new();
    let mut require = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    let Endpoint { workers_min: min, workers_max: max, .. } = *endpoint;
    require(!endpoint.name.trim().is_empty(), "name must not be empty".to_owned());
    require(min <= max, format!("workersMin {min} is over workersMax {max}"));
    require(
        (1..=3_600).contains(&endpoint.idle_timeout),
        format!("idleTimeout {} is not possible: 1 to 3600 seconds", endpoint.idle_timeout),
    );
    require(
        endpoint.gpu.is_none() || endpoint.cpu.is_empty(),
        "an endpoint has either GPUs or CPU instances".to_owned(),
    );
    require(
        !endpoint.is_load_balanced || matches!(endpoint.scaler, ScalerOf::RequestCount(_)),
        "a load-balanced endpoint scales by REQUEST_COUNT".to_owned(),
    );
    let value = match endpoint.scaler {
        ScalerOf::QueueDelay(seconds) => seconds >= 0.5 && seconds.is_finite(),
        ScalerOf::RequestCount(count) => count > 0,
    };
    require(value, "scalerValue is too small".to_owned());
    for volume in &endpoint.volumes {
        require(state.volumes.get(volume).is_some(), format!("network volume {volume:?} does not exist"));
    }
    if let Some(environment) = &endpoint.environment {
        require(
            state.environments.get(environment).is_some(),
            format!("environment {environment:?} not found"),
        );
    }
    if problems.is_empty() { Ok(()) } else { Err(ControlError::Invalid(problems)) }
}
