//! `/v2/network-volumes`.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Json};
use super::body::Body;
use super::fields::{Fields, Problems};
use super::problem::Problem;
use crate::control::Control;
use crate::control::records::Volume;

type Controls = State<Arc<Control>>;

fn show(volume: &Volume) -> Value {
    json!({
        "id": volume.id, "name": volume.name, "size": volume.size, "dataCenter": volume.data_center, "type": volume.class,
    })
}

pub(super) async fn list(State(control): Controls) -> Answer {
    let state = control.state();
    Ok(Json::ok(json!({ "networkVolumes": state.volumes.all().map(|one| show(one)).collect::<Vec<_>>() })))
}

pub(super) async fn get(State(control): Controls, Path(id): Path<String>) -> Answer {
    Ok(Json::ok(show(control.state().volume(&id)?)))
}

pub(super) async fn create(State(control): Controls, Body(body): Body) -> Answer {
    let volume = read(body)?;
    Ok(Json::created(show(control.create_volume(volume).await?.as_ref())))
}

fn read(body: Value) -> Result<Volume, Problem> {
    let problems = Problems::default();
    let mut fields = Fields::of(body, &problems);
    fields.require(&["name", "size", "dataCenter"]);
    let volume = Volume {
        id: String::new(),
        name: fields.string("name", 1).unwrap_or_default(),
        size: fields.small("size", 10..=4_096).unwrap_or_default(),
        data_center: fields.string("dataCenter", 1).unwrap_or_default(),
        class: fields
            .one_of("type", &["STANDARD", "HIGH_PERFORMANCE"])
            .unwrap_or_else(|| "STANDARD".to_owned()),
    };
    fields.end();
    problems.check()?;
    Ok(volume)
}

pub(super) async fn update(State(control): Controls, Path(id): Path<String>, Body(body): Body) -> Answer {
    control.state().volume(&id)?;
    let (name, size) = read_change(body)?;
    Ok(Json::ok(show(control.update_volume(id, name, size).await?.as_ref())))
}

fn read_change(body: Value) -> Result<(Option<String>, Option<u32>), Problem> {
    let problems = Problems::default();
    let mut fields = Fields::of(body, &problems);
    if !fields.has("name") && !fields.has("size") {
        problems.add("name or size is required");
    }
    let (name, size) = (fields.string("name", 1), fields.small("size", 10..=4_096));
    fields.end();
    problems.check()?;
    Ok((name, size))
}

pub(super) async fn delete(State(control): Controls, Path(id): Path<String>) -> Result<Json, Problem> {
    control.delete_volume(id).await?;
    Ok(Json::deleted())
}
