//! `/v2/templates`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Json};
use super::body::Body;
use super::endpoint::Container;
use super::fields::{Fields, Problems, cuda};
use super::problem::Problem;
use crate::control::Control;
use crate::control::records::Template;

type Controls = State<Arc<Control>>;

fn show(template: &Template) -> Value {
    let mut shown = Map::new();
    Container::show(template, &mut shown);
    let mounts = match &template.persistent {
        Some((size, path)) => json!({"persistent": {"size": size, "path": path}}),
        None => json!({}),
    };
    let fields = json!({
        "id": template.id,
        "name": template.name,
        "mounts": mounts,
        "serverless": template.serverless,
        "public": template.public,
        "category": template.category,
        "startSsh": template.start_ssh,
        "startJupyter": template.start_jupyter,
        "allowedCudaVersions": template.allowed_cuda,
    });
    if let Value::Object(fields) = fields {
        shown.extend(fields);
    }
    Value::Object(shown)
}

pub(super) async fn list(State(control): Controls) -> Answer {
    let state = control.state();
    // Those that belong to an endpoint are a part of it.
    let own = state.templates.all().filter(|template| template.endpoint.is_none());
    Ok(Json::ok(json!({ "templates": own.map(|template| show(template)).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
pub(super) struct Slice {
    #[serde(default)]
    source: Option<String>,
}

/// Nobody publishes templates here but this account.
pub(super) async fn list_public(State(control): Controls, Query(slice): Query<Slice>) -> Answer {
    let shown = match slice.source.as_deref() {
        None | Some("official" | "verified") => Vec::new(),
        Some("community") => {
            let state = control.state();
            let public = state.templates.all().filter(|one| one.public && one.endpoint.is_none());
            public.map(|template| show(template)).collect()
        }
        Some(_) => {
            return Err(Problem::invalid(vec!["source must be official, verified or community".to_owned()]));
        }
    };
    Ok(Json::ok(json!({ "templates": shown })))
}

pub(super) async fn get(State(control): Controls, Path(id): Path<String>) -> Answer {
    Ok(Json::ok(show(find(&control, &id)?.as_ref())))
}

pub(super) async fn create(State(control): Controls, Body(body): Body) -> Answer {
    let patch = Patch::read(body, true)?;
    let mut template = Template::default();
    patch.apply(&mut template);
    Ok(Json::created(show(control.create_template(template).await?.as_ref())))
}

pub(super) async fn update(State(control): Controls, Path(id): Path<String>, Body(body): Body) -> Answer {
    find(&control, &id)?;
    let patch = Patch::read(body, false)?;
    let saved = control
        .update_template(id, move |template| {
            patch.apply(template);
            Ok(())
        })
        .await?;
    Ok(Json::ok(show(saved.as_ref())))
}

pub(super) async fn delete(State(control): Controls, Path(id): Path<String>) -> Answer {
    find(&control, &id)?;
    control.delete_template(id).await?;
    Ok(Json::deleted())
}

fn find(control: &Control, id: &str) -> Result<Arc<Template>, Problem> {
    let template = control.state().template(id)?.clone();
    if template.endpoint.is_some() { Err(Problem::not_found("template")) } else { Ok(template) }
}

struct Patch {
    name: Option<String>,
    container: Container,
    category: Option<String>,
    persistent: Option<Option<(u32, String)>>,
    public: Option<bool>,
    serverless: Option<bool>,
    start_jupyter: Option<bool>,
    start_ssh: Option<bool>,
    allowed_cuda: Option<Vec<String>>,
}

impl Patch {
    fn read(body: Value, is_new: bool) -> Result<Self, Problem> {
        let problems = Problems::default();
        let mut fields = Fields::of(body, &problems);
        if is_new {
            fields.require(&["name", "image"]);
        }
        let patch = Self {
            name: fields.string("name", 1),
            container: Container::read(&mut fields),
            category: fields.one_of("category", &["CPU", "NVIDIA", "AMD"]),
            persistent: fields.object("mounts").map(|mut mounts| {
                let persistent = mounts.object("persistent").and_then(|mut one| {
                    one.require(&["size", "path"]);
                    let (size, path) = (one.small("size", 10..=u32::MAX), one.string("path", 0));
                    one.end();
                    Some((size?, path?))
                });
                mounts.end();
                persistent
            }),
            public: fields.boolean("public"),
            serverless: fields.boolean("serverless"),
            start_jupyter: fields.boolean("startJupyter"),
            start_ssh: fields.boolean("startSsh"),
            allowed_cuda: fields.strings("allowedCudaVersions", cuda),
        };
        fields.end();
        problems.check()?;
        Ok(patch)
    }

    fn apply(self, template: &mut Template) {
        self.container.apply(template);
        template.name = self.name.unwrap_or_else(|| std::mem::take(&mut template.name));
        template.category = self.category.unwrap_or_else(|| std::mem::take(&mut template.category));
        template.persistent = self.persistent.unwrap_or_else(|| template.persistent.take());
        template.public = self.public.unwrap_or(template.public);
        template.serverless = self.serverless.unwrap_or(template.serverless);
        template.start_jupyter = self.start_jupyter.unwrap_or(template.start_jupyter);
        template.start_ssh = self.start_ssh.unwrap_or(template.start_ssh);
        template.allowed_cuda =
            self.allowed_cuda.unwrap_or_else(|| std::mem::take(&mut template.allowed_cuda));
    }
}
