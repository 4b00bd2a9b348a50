use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::backoff::Backoff;
use super::error::ControlError;
use super::graphql::GraphQl;
use super::input::{EndpointInput, TemplateInput};
use super::key::ApiKey;
use super::live::{LiveEndpoint, LiveWorker, LogEvent};
use super::model::{App, Environment, HourlyPrice, LoginRequest, NetworkVolume, SavedEndpoint};
use super::platform::{Pending, Platform, Progress};
use super::rest::Rest;
use super::rest_body;
use super::sender::Sender;
use super::upload;
use super::urls::Urls;

/// RunPod, or what speaks like it: the local platform.
///
/// Apps, environments, builds and manifests exist only in the GraphQL API. Endpoints of an environment are created and
/// updated there too, because only that links them to its artifact; they are listed and deleted through REST v2, which also
/// has workers and logs.
#[derive(Debug, Clone)]
pub struct RunPod {
    graphql: GraphQl,
    rest: Rest,
    sender: Sender,
    urls: Urls,
    /// What one try of an upload may take.
    upload: Duration,
}

const ENDPOINT: &str = "id name templateId type version workersMin workersMax flashEnvironmentId";

impl RunPod {
    /// The platform at these addresses.
    #[must_use]
    pub fn new(urls: Urls, key: Option<ApiKey>, backoff: Backoff) -> Self {
        let sender = Sender::new(key, urls.all(), backoff);
        Self::of(sender, urls, upload::TIMEOUT)
    }

    fn of(sender: Sender, urls: Urls, upload: Duration) -> Self {
        let graphql = GraphQl::new(sender.clone(), &urls.api);
        let rest = Rest::new(sender.clone(), &urls.rest);
        Self { graphql, rest, sender, urls, upload }
    }

    /// Sets what a single answer and a single try of an upload may take, by default 300 s and 600 s (platform contract D.1, D.5).
    #[must_use]
    pub fn with_timeouts(self, answer: Duration, upload: Duration) -> Self {
        Self::of(self.sender.with_timeout(answer), self.urls, upload)
    }

    /// Its addresses.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// REST v2 alone, for deployments of images.
    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// What sends its requests.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Asks for a login that somebody approves in the console; no key is needed.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn create_login(&self) -> Result<LoginRequest, ControlError> {
        let query = "mutation createFlashAuthRequest { createFlashAuthRequest { id status expiresAt } }";
        self.one(Kind::Create, "asking for a login", "/createFlashAuthRequest", query, json!({})).await
    }

    /// What became of a login.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn login(&self, id: &str) -> Result<LoginRequest, ControlError> {
        let query = "query flashAuthRequestStatus($flashAuthRequestId: String!) { flashAuthRequestStatus(flashAuthRequestId: $flashAuthRequestId) { id status expiresAt apiKey } }";
        let variables = json!({"flashAuthRequestId": id});
        self.one(Kind::Query, "looking at the login", "/flashAuthRequestStatus", query, variables).await
    }

    /// The one value of an answer's `data`.
    async fn one<T: for<'de> Deserialize<'de>>(
        &self,
        kind: Kind,
        what: &str,
        key: &str,
        query: &str,
        variables: Value,
    ) -> Result<T, ControlError> {
        let data: Value = match kind {
            Kind::Query => self.graphql.query(what, query, variables).await?,
            Kind::Set => self.graphql.set(what, query, variables).await?,
            Kind::Create => self.graphql.create(what, query, variables).await?,
        };
        let value = data.pointer(key).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| ControlError::BadAnswer {
            what: what.to_owned(),
            reason: format!("`{key}`: {error}"),
        })
    }

    async fn template_of(&self, endpoint: &str) -> Result<String, ControlError> {
        let query = "query getEndpoint($id: String!) { myself { endpoint(id: $id) { id templateId } } }";
        let what = "looking at the endpoint";
        let found: Option<SavedEndpoint> =
            self.one(Kind::Query, what, "/myself/endpoint", query, json!({"id": endpoint})).await?;
        found.and_then(|endpoint| endpoint.template_id).ok_or_else(|| ControlError::BadAnswer {
            what: what.to_owned(),
            reason: format!("endpoint `{endpoint}` has no template"),
        })
    }

    /// Name and variables of a template.
    async fn read_template(&self, id: &str) -> Result<(String, Vec<(String, String)>), ControlError> {
        #[derive(Deserialize)]
        struct Template {
            #[serde(default)]
            name: String,
            #[serde(default)]
            env: Option<Vec<Variable>>,
        }
        #[derive(Deserialize)]
        struct Variable {
            key: String,
            #[serde(default)]
            value: String,
        }
        let query = "query getTemplate($id: String!) { podTemplate(id: $id) { id containerDiskInGb dockerArgs env { key value } imageName name readme } }";
        let found: Template = self
            .one(Kind::Query, "looking at the template", "/podTemplate", query, json!({"id": id}))
            .await?;
        let env = found.env.unwrap_or_default().into_iter().map(|variable| (variable.key, variable.value));
        Ok((found.name, env.collect()))
    }

    async fn save_endpoint(
        &self,
        id: Option<&str>,
        input: &EndpointInput,
    ) -> Result<SavedEndpoint, ControlError> {
        let what = format!("saving endpoint `{}`", input.name);
        let mut json = serde_json::to_value(input)
            .map_err(|error| ControlError::Local { what: what.clone(), reason: error.to_string() })?;
        let mut template = None;
        match id {
            None if input.template_id.is_none() => json["template"] = input.template.inline(&input.name),
            None => {}
            Some(id) => {
                let of_endpoint = self.template_of(id).await?;
                json["id"] = json!(id);
                json["templateId"] = json!(of_endpoint);
                template = Some(of_endpoint);
            }
        }
        let query = format!(
            "mutation saveEndpoint($input: EndpointInput!) {{ saveEndpoint(input: $input) {{ {ENDPOINT} }} }}"
        );
        let kind = if id.is_some() { Kind::Set } else { Kind::Create };
        let saved = self.one(kind, &what, "/saveEndpoint", &query, json!({"input": json})).await?;
        if let (Some(template), None) = (template, &input.template_id) {
            self.save_template(&template, input).await?;
        }
        Ok(saved)
    }

    /// The template's new state.
    async fn save_template(&self, id: &str, input: &EndpointInput) -> Result<(), ControlError> {
        let (name, live) = self.read_template(id).await?;
        let mut template = input.template.clone();
        keep_ports(&mut template.env, live);
        let query =
            "mutation saveTemplate($input: SaveTemplateInput) { saveTemplate(input: $input) { id name } }";
        let variables = json!({"input": template.update(id, &name)});
        let what = format!("saving the template of endpoint `{}`", input.name);
        self.one::<Value>(Kind::Set, &what, "/saveTemplate", query, variables).await.map(drop)
    }
}

/// Variables that are not ours to set stay in what replaces them: the platform writes the ports of an HTTP endpoint once, at its
/// creation, and without them it breaks (platform contract F.23).
fn keep_ports(env: &mut BTreeMap<String, String>, live: impl IntoIterator<Item = (String, String)>) {
    for (name, value) in live {
        if matches!(name.as_str(), "PORT" | "PORT_HEALTH") {
            env.entry(name).or_insert(value);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Query,
    Set,
    Create,
}

/// A thing that was not found as none.
fn optional<T>(found: Result<Option<T>, ControlError>) -> Result<Option<T>, ControlError> {
    match found {
        Err(error) if error.is_not_found() => Ok(None),
        found => found,
    }
}

impl Platform for RunPod {
    fn apps(&self) -> Pending<'_, Vec<App>> {
        let query = "query getFlashApps { myself { flashApps { id name flashEnvironments { id name state createdAt activeBuildId } flashBuilds { id createdAt } } } }";
        Box::pin(async move {
            let apps: Option<Vec<App>> =
                self.one(Kind::Query, "listing the apps", "/myself/flashApps", query, json!({})).await?;
            Ok(apps.unwrap_or_default())
        })
    }

    fn app<'a>(&'a self, name: &'a str) -> Pending<'a, Option<App>> {
        let query = "query getFlashAppByName($flashAppName: String!) { flashAppByName(flashAppName: $flashAppName) { id name flashEnvironments { id name state activeBuildId createdAt } flashBuilds { id objectKey createdAt } } }";
        Box::pin(async move {
            let what = format!("looking for app `{name}`");
            optional(
                self.one(Kind::Query, &what, "/flashAppByName", query, json!({"flashAppName": name})).await,
            )
        })
    }

    fn create_app<'a>(&'a self, name: &'a str) -> Pending<'a, App> {
        let query = "mutation createFlashApp($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }";
        Box::pin(async move {
            let what = format!("creating app `{name}`");
            self.one(Kind::Create, &what, "/createFlashApp", query, json!({"input": {"name": name}})).await
        })
    }

    fn delete_app<'a>(&'a self, id: &'a str) -> Pending<'a, ()> {
        let query =
            "mutation deleteFlashApp($flashAppId: String!) { deleteFlashApp(flashAppId: $flashAppId) }";
        Box::pin(async move {
            let done: Result<Option<Value>, _> = self
                .one(Kind::Set, "deleting the app", "/deleteFlashApp", query, json!({"flashAppId": id}))
                .await;
            optional(done).map(drop)
        })
    }

    fn environment<'a>(&'a self, app: &'a str, name: &'a str) -> Pending<'a, Option<Environment>> {
        let query = "query getFlashEnvironmentByName($input: FlashEnvironmentByNameInput!) { flashEnvironmentByName(input: $input) { id name state activeBuildId endpoints { id name } networkVolumes { id name } } }";
        Box::pin(async move {
            let what = format!("looking for environment `{name}`");
            let variables = json!({"input": {"flashAppId": app, "name": name}});
            optional(self.one(Kind::Query, &what, "/flashEnvironmentByName", query, variables).await)
        })
    }

    fn create_environment<'a>(&'a self, app: &'a str, name: &'a str) -> Pending<'a, Environment> {
        let query = "mutation createFlashEnvironment($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }";
        Box::pin(async move {
            let what = format!("creating environment `{name}`");
            let variables = json!({"input": {"flashAppId": app, "name": name}});
            self.one(Kind::Create, &what, "/createFlashEnvironment", query, variables).await
        })
    }

    fn delete_environment<'a>(&'a self, id: &'a str) -> Pending<'a, ()> {
        let query = "mutation deleteFlashEnvironment($flashEnvironmentId: String!) { deleteFlashEnvironment(flashEnvironmentId: $flashEnvironmentId) }";
        Box::pin(async move {
            let variables = json!({"flashEnvironmentId": id});
            let what = "deleting the environment";
            let done: Result<Option<Value>, _> =
                self.one(Kind::Set, what, "/deleteFlashEnvironment", query, variables).await;
            optional(done).map(drop)
        })
    }

    fn upload<'a>(
        &'a self,
        app: &'a str,
        artifact: &'a Path,
        manifest: Value,
        progress: Progress<'a>,
    ) -> Pending<'a, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Ticket {
            upload_url: String,
            object_key: String,
        }
        #[derive(Deserialize)]
        struct Finalized {
            id: String,
        }
        let prepare = "mutation PrepareArtifactUpload($input: PrepareFlashArtifactUploadInput!) { prepareFlashArtifactUpload(input: $input) { uploadUrl objectKey expiresAt } }";
        let finalize = "mutation FinalizeArtifactUpload($input: FinalizeFlashArtifactUploadInput!) { finalizeFlashArtifactUpload(input: $input) { id manifest } }";
        Box::pin(async move {
            let what = "preparing the upload";
            let size = artifact.metadata().map_err(|error| ControlError::Local {
                what: what.to_owned(),
                reason: format!("`{}` cannot be read: {error}\nhelp: run `flash build`", artifact.display()),
            })?;
            let variables = json!({"input": {"flashAppId": app, "tarballSize": size.len()}});
            let to =
                upload::To { http: self.sender.http(), backoff: self.sender.backoff(), timeout: self.upload };
            let mut is_second = false;
            let ticket = loop {
                // A ticket that nobody uses expires, so asking twice does no harm.
                let ticket: Ticket = self
                    .one(Kind::Set, what, "/prepareFlashArtifactUpload", prepare, variables.clone())
                    .await?;
                match to.put(&ticket.upload_url, artifact, progress).await {
                    // It expired, perhaps during a slow try before this one. A fresh one tells that from a real refusal.
                    Err(ControlError::Refused { status: 403, .. }) if !is_second => is_second = true,
                    done => {
                        done?;
                        break ticket;
                    }
                }
            };
            let input = json!({"flashAppId": app, "objectKey": ticket.object_key, "manifest": manifest});
            let what = "storing the build";
            let finalized: Finalized = self
                .one(Kind::Create, what, "/finalizeFlashArtifactUpload", finalize, json!({"input": input}))
                .await?;
            Ok(finalized.id)
        })
    }

    fn manifest<'a>(&'a self, build: &'a str) -> Pending<'a, Option<Value>> {
        let query =
            "query getFlashBuild($input: String!) { flashBuild(flashBuildId: $input) { id manifest } }";
        Box::pin(async move {
            let what = "reading the manifest of the build";
            optional(
                self.one(Kind::Query, what, "/flashBuild/manifest", query, json!({"input": build})).await,
            )
        })
    }

    fn set_manifest<'a>(&'a self, build: &'a str, manifest: Value) -> Pending<'a, ()> {
        let query = "mutation updateFlashBuildManifest($input: UpdateFlashBuildManifestInput!) { updateFlashBuildManifest(input: $input) { id manifest } }";
        Box::pin(async move {
            let variables = json!({"input": {"flashBuildId": build, "manifest": manifest}});
            let what = "storing the manifest of the build";
            self.one::<Value>(Kind::Set, what, "/updateFlashBuildManifest", query, variables).await.map(drop)
        })
    }

    fn activate<'a>(&'a self, environment: &'a str, build: &'a str) -> Pending<'a, ()> {
        // The answer also has an address to download the artifact, which is a secret that nobody here needs.
        let query = "mutation deployBuildToEnvironment($input: DeployBuildToEnvironmentInput!) { deployBuildToEnvironment(input: $input) { id name } }";
        Box::pin(async move {
            let variables = json!({"input": {"flashEnvironmentId": environment, "flashBuildId": build}});
            let what = "activating the build";
            self.one::<Value>(Kind::Set, what, "/deployBuildToEnvironment", query, variables).await.map(drop)
        })
    }

    fn endpoints(&self) -> Pending<'_, Vec<LiveEndpoint>> {
        Box::pin(self.rest.endpoints())
    }

    fn endpoint<'a>(&'a self, id: &'a str) -> Pending<'a, Option<LiveEndpoint>> {
        Box::pin(self.rest.endpoint(id))
    }

    fn create_endpoint<'a>(&'a self, input: &'a EndpointInput) -> Pending<'a, SavedEndpoint> {
        Box::pin(self.save_endpoint(None, input))
    }

    fn update_endpoint<'a>(&'a self, id: &'a str, input: &'a EndpointInput) -> Pending<'a, SavedEndpoint> {
        Box::pin(self.save_endpoint(Some(id), input))
    }

    fn check_from_image(&self, input: &EndpointInput) -> Result<(), ControlError> {
        rest_body::create(input).map(drop)
    }

    fn create_from_image<'a>(&'a self, input: &'a EndpointInput) -> Pending<'a, LiveEndpoint> {
        Box::pin(async move { self.rest.create_endpoint(&rest_body::create(input)?).await })
    }

    fn update_from_image<'a>(&'a self, id: &'a str, input: &'a EndpointInput) -> Pending<'a, LiveEndpoint> {
        Box::pin(async move {
            let mut env = input.template.env.clone();
            let live = self.rest.endpoint(id).await?.unwrap_or_default();
            keep_ports(&mut env, live.env);
            self.rest.patch_endpoint(id, &rest_body::update(input, &env)?).await
        })
    }

    fn restore_from_image<'a>(&'a self, was: &'a LiveEndpoint) -> Pending<'a, ()> {
        Box::pin(async move { self.rest.patch_endpoint(&was.id, &rest_body::restore(was)).await.map(drop) })
    }

    fn delete_endpoint<'a>(&'a self, id: &'a str) -> Pending<'a, ()> {
        Box::pin(self.rest.delete_endpoint(id))
    }

    fn workers<'a>(&'a self, endpoint: &'a str) -> Pending<'a, Vec<LiveWorker>> {
        Box::pin(self.rest.workers(endpoint))
    }

    fn logs<'a>(&'a self, endpoint: &'a str, worker: &'a str, tail: u32) -> Pending<'a, Vec<LogEvent>> {
        Box::pin(self.rest.logs(endpoint, worker, tail))
    }

    fn template<'a>(&'a self, id: &'a str) -> Pending<'a, TemplateInput> {
        Box::pin(self.rest.template(id))
    }

    fn prices(&self) -> Pending<'_, Vec<HourlyPrice>> {
        Box::pin(self.rest.prices())
    }

    fn volumes(&self) -> Pending<'_, Vec<NetworkVolume>> {
        Box::pin(self.rest.volumes())
    }

    fn create_volume<'a>(
        &'a self,
        name: &'a str,
        size_gb: u32,
        data_center: &'a str,
    ) -> Pending<'a, NetworkVolume> {
        Box::pin(self.rest.create_volume(name, size_gb, data_center))
    }
}
