//! `/v2/serverless`.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use super::answer::{Answer, Json};
use super::body::Body;
use super::endpoint::{Patch, show};
use super::fields::{Fields, Problems};
use super::problem::Problem;
use crate::control::Control;
use crate::control::records::Endpoint;

type Controls = State<Arc<Control>>;

fn shown(control: &Control, endpoint: &Endpoint) -> serde_json::Value {
    show(control.base(), endpoint, &control.state().template_of(endpoint))
}

pub(super) async fn list(State(control): Controls) -> Answer {
    let state = control.state();
    let mut all: Vec<_> = state.endpoints.all().collect();
    all.sort_by_key(|endpoint| (endpoint.created, &endpoint.id));
    let endpoints: Vec<_> = all.into_iter().map(|endpoint| shown(&control, endpoint)).collect();
    Ok(Json::ok(json!({ "endpoints": endpoints })))
}

pub(super) async fn get(State(control): Controls, Path(id): Path<String>) -> Answer {
    let state = control.state();
    Ok(Json::ok(shown(&control, state.endpoint(&id)?)))
}

pub(super) async fn create(State(control): Controls, Body(body): Body) -> Answer {
    let patch = read(body, true)?;
    let saved =
        control.create_endpoint(move |state, endpoint, template| patch.apply(state, endpoint, template));
    Ok(Json::created(shown(&control, saved.await?.as_ref())))
}

pub(super) async fn update(State(control): Controls, Path(id): Path<String>, Body(body): Body) -> Answer {
    control.state().endpoint(&id)?;
    let patch = read(body, false)?;
    let saved =
        control.update_endpoint(id, move |state, endpoint, template| patch.apply(state, endpoint, template));
    Ok(Json::ok(shown(&control, saved.await?.as_ref())))
}

pub(super) async fn delete(State(control): Controls, Path(id): Path<String>) -> Answer {
    control.delete_endpoint(id).await?;
    Ok(Json::deleted())
}

fn read(body: serde_json::Value, is_new: bool) -> Result<Patch, Problem> {
    let problems = Problems::default();
    let mut fields = Fields::of(body, &problems);
    let patch = Patch::read(&mut fields, is_new);
    fields.end();
    problems.check()?;
    Ok(patch)
}
