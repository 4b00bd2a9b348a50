use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ControlError;
use super::input::TemplateInput;
use super::live::{LiveEndpoint, LiveWorker, LogEvent};
use super::model::{HourlyPrice, NetworkVolume};
use super::sender::{Again, Sender};

/// Bytes of a log that are read at once; 5 000 lines, which is the most that the platform gives, have 1.6 kB each then.
const LONGEST_LOG: usize = 8 << 20;

/// The platform's REST API, version 2 (version 1 is gone).
#[derive(Debug, Clone)]
pub struct Rest {
    sender: Sender,
    base: String,
}

impl Rest {
    /// The API at this address.
    #[must_use]
    pub fn new(sender: Sender, base: &str) -> Self {
        Self { sender, base: base.to_owned() }
    }

    /// All endpoints.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn endpoints(&self) -> Result<Vec<LiveEndpoint>, ControlError> {
        self.list("listing the endpoints", "/serverless", "endpoints").await
    }

    /// One endpoint.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn endpoint(&self, id: &str) -> Result<Option<LiveEndpoint>, ControlError> {
        let found = self.get("looking at the endpoint", &format!("/serverless/{id}")).await;
        match found {
            Err(error) if error.is_not_found() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Creates an endpoint of an image, without an artifact.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn create_endpoint(&self, request: &Value) -> Result<LiveEndpoint, ControlError> {
        self.send("creating the endpoint", Method::POST, "/serverless", Some(request), Again::Once).await
    }

    /// Changes the named fields of an endpoint.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn patch_endpoint(&self, id: &str, request: &Value) -> Result<LiveEndpoint, ControlError> {
        let path = format!("/serverless/{id}");
        self.send("updating the endpoint", Method::PATCH, &path, Some(request), Again::Safe).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete_endpoint(&self, id: &str) -> Result<(), ControlError> {
        let url = format!("{}/serverless/{id}", self.base);
        let done = self.sender.send("deleting the endpoint", Method::DELETE, &url, None, Again::Safe).await;
        match done {
            Err(error) if error.is_not_found() => Ok(()),
            done => done.map(drop),
        }
    }

    /// The workers of an endpoint.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn workers(&self, id: &str) -> Result<Vec<LiveWorker>, ControlError> {
        self.list("listing the workers", &format!("/serverless/{id}/workers"), "workers").await
    }

    /// The last lines of a worker's log, read from the stream of events until it pauses.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn logs(&self, endpoint: &str, worker: &str, tail: u32) -> Result<Vec<LogEvent>, ControlError> {
        let what = "reading the log";
        let url = format!("{}/serverless/{endpoint}/workers/{worker}/logs?tail={tail}", self.base);
        let failed = |reason: String| ControlError::Unreachable { what: what.to_owned(), reason, tries: 1 };
        let request =
            self.sender.http().request(Method::GET, &url).map_err(|error| failed(error.to_string()))?;
        let request =
            self.sender.credentials().authorize(request, &url).header("accept", "text/event-stream");
        let mut response = request
            .timeout(self.sender.timeout())
            .send()
            .await
            .map_err(|error| failed(crate::http::unreachable(error).to_string()))?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        if !response.status().is_success() {
            return Err(failed(format!("the platform answered {}", response.status())));
        }
        let mut text = Vec::new();
        // The stream never ends by itself; what is known arrives at once.
        let pause = std::time::Duration::from_millis(400);
        // A worker that prints all the time would never let it pause.
        let end = tokio::time::Instant::now() + 5 * pause;
        while let Ok(Ok(Some(chunk))) = tokio::time::timeout(pause, response.chunk()).await {
            text.extend_from_slice(&chunk);
            if tokio::time::Instant::now() > end || text.len() > LONGEST_LOG {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text);
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        Ok(data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect())
    }

    /// List prices of serverless hardware: GPUs by their pool, CPUs by their flavour. What has no price is left out.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn prices(&self) -> Result<Vec<HourlyPrice>, ControlError> {
        let what = "reading the prices";
        let gpus: Vec<Value> = self.list(what, "/catalog/gpus", "gpus").await?;
        let cpus: Vec<Value> = self.list(what, "/catalog/cpus", "cpus").await?;
        let price = |item: &Value, name: &str, price: &str| {
            Some(HourlyPrice {
                hardware: item.get(name)?.as_str()?.to_owned(),
                usd: item.pointer(price)?.as_f64().filter(|usd| usd.is_finite() && *usd >= 0.0)?,
            })
        };
        let gpus = gpus.iter().filter_map(|gpu| price(gpu, "pool", "/price/serverless"));
        let cpus = cpus.iter().filter_map(|cpu| price(cpu, "id", "/price/serverlessPerVcpu"));
        Ok(gpus.chain(cpus).collect())
    }

    /// All network volumes.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn volumes(&self) -> Result<Vec<NetworkVolume>, ControlError> {
        self.list("listing the network volumes", "/network-volumes", "networkVolumes").await
    }

    /// Creates a network volume.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn create_volume(
        &self,
        name: &str,
        size: u32,
        place: &str,
    ) -> Result<NetworkVolume, ControlError> {
        let body = json!({"name": name, "size": size, "dataCenter": place});
        self.send("creating the network volume", Method::POST, "/network-volumes", Some(&body), Again::Once)
            .await
    }

    /// What a template of the account starts: image, disk, variables and credential.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn template(&self, id: &str) -> Result<TemplateInput, ControlError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Template {
            image: String,
            disk: Option<u32>,
            env: BTreeMap<String, String>,
            registry: Option<String>,
        }
        let found: Template = self.get("looking at the template", &format!("/templates/{id}")).await?;
        Ok(TemplateInput {
            image: found.image,
            disk_gb: found.disk.unwrap_or_default(),
            env: found.env,
            registry_auth_id: found.registry,
            ..TemplateInput::default()
        })
    }

    async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, ControlError> {
        self.send(what, Method::GET, path, None, Again::Safe).await
    }

    /// All pages of a list. The platform documents no pages yet; its other lists have `nextCursor`.
    async fn list<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        key: &str,
    ) -> Result<Vec<T>, ControlError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            next_cursor: Option<String>,
            #[serde(flatten)]
            rest: serde_json::Map<String, Value>,
        }
        let mut all: Vec<T> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let path = match &cursor {
                None => path.to_owned(),
                Some(cursor) => format!("{path}?cursor={}", encode(cursor)),
            };
            let mut page: Page = self.get(what, &path).await?;
            let items = page.rest.remove(key).unwrap_or_default();
            let items: Vec<T> = serde_json::from_value(items).map_err(|error| ControlError::BadAnswer {
                what: what.to_owned(),
                reason: format!("`{key}`: {error}"),
            })?;
            all.extend(items);
            if page.next_cursor.is_none() || page.next_cursor == cursor {
                return Ok(all);
            }
            cursor = page.next_cursor;
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        again: Again,
    ) -> Result<T, ControlError> {
        let url = format!("{}{path}", self.base);
        let answer = self.sender.send(what, method, &url, body, again).await?;
        serde_json::from_slice(&answer.body).map_err(|error| ControlError::BadAnswer {
            what: what.to_owned(),
            reason: format!("{} {error}", answer.status),
        })
    }
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
