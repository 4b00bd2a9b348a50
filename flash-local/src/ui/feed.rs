//! What one open page is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::wire::JobStatus;
use flash_queue::store::{Cursor, Listing};
use flash_queue::{Queue, QueueError};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::endpoint::EndpointShown;
use super::job::{Page, detail};
use super::routes::Ui;
use super::worker::lines;
use crate::endpoint::Endpoint;
use crate::sse::{Closed, Events};

/// How often it is looked whether something has changed. People read no faster.
const LOOK: Duration = Duration::from_millis(200);

/// How often a page hears at least that it is connected.
const ALIVE: Duration = Duration::from_secs(5);

/// Lines of a log that are sent at once.
const LINES: usize = 500;

/// What the page shows at the moment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Focus {
    /// An endpoint, with its jobs.
    pub(super) endpoint: Option<String>,
    /// Only jobs that stand here.
    status: Option<JobStatus>,
    /// Only jobs behind this one: when it was submitted, and its id.
    submitted: Option<u64>,
    id: Option<String>,
    /// One of its jobs.
    job: Option<String>,
    /// A worker's log.
    worker: Option<String>,
    /// The number of the last line that the page has.
    after: u64,
}

/// Looks again and again, and tells what is new.
pub(super) struct Feed {
    ui: Ui,
    headers: HeaderMap,
    focus: Focus,
    events: Events,
    /// What was told last, by its subject.
    told: BTreeMap<String, String>,
    /// The count of changes at the last look at jobs.
    revision: Option<u64>,
    spoke: Instant,
}

impl Feed {
    pub(super) fn new(ui: Ui, mut headers: HeaderMap, focus: Focus, events: Events) -> Self {
        let key = headers.remove(AUTHORIZATION);
        let headers = key.map(|key| (AUTHORIZATION, key)).into_iter().collect();
        let (told, revision, spoke) = (BTreeMap::new(), None, Instant::now());
        Self { ui, headers, focus, events, told, revision, spoke }
    }

    /// Goes on until the page or the platform is gone.
    pub(super) async fn run(mut self) {
        let stop = self.ui.plane.stop.clone();
        let following = async {
            self.hello().await?;
            loop {
                let began = Instant::now();
                self.look().await?;
                if self.spoke.elapsed() >= ALIVE {
                    self.spoke = Instant::now();
                    self.events.alive().await?;
                }
                // What takes long is done less often: nobody's jobs wait for a page.
                let pause = LOOK.max(began.elapsed() * 10);
                tokio::select! {
                    () = self.events.closed() => return Err(Closed),
                    () = tokio::time::sleep(pause) => {}
                }
            }
        };
        let _: Option<Result<(), Closed>> = stop.run_until_cancelled(following).await;
    }

    async fn hello(&self) -> Result<(), Closed> {
        let plane = &self.ui.plane;
        let hello = json!({ "base": plane.common.base, "version": env!("CARGO_PKG_VERSION") });
        self.events.send(Some("hello"), None, &hello.to_string()).await
    }

    async fn look(&mut self) -> Result<(), Closed> {
        let mut endpoints = self.ui.plane.table.all();
        endpoints.retain(|endpoint| self.ui.opens(endpoint.id.as_str(), &self.headers));
        let workers = self.ui.plane.roster.workers();
        for endpoint in &endpoints {
            let shown = EndpointShown::read(&self.ui.plane, endpoint, &workers).await;
            self.tell("endpoint", endpoint.id.as_str(), &shown).await?;
        }
        if !self.told.contains_key("history ") {
            // The first look. From now on the page takes its own samples.
            let history = &self.ui.history;
            let samples: BTreeMap<_, _> =
                endpoints.iter().map(|endpoint| (&endpoint.id, history.of(endpoint.id.as_str()))).collect();
            self.tell("history", "", &samples).await?;
        }
        let order: Vec<_> = endpoints.iter().map(|endpoint| &endpoint.id).collect();
        // Last, so that a page that hears it knows all of them.
        self.tell("endpoints", "", &order).await?;
        let focused = self.focus.endpoint.as_deref();
        let focused = focused.and_then(|id| endpoints.iter().find(|endpoint| endpoint.id == *id)).cloned();
        if let Some(endpoint) = focused {
            self.focused(&endpoint).await?;
        }
        Ok(())
    }

    async fn focused(&mut self, endpoint: &Arc<Endpoint>) -> Result<(), Closed> {
        if let Some(queue) = &endpoint.queue {
            let revision = queue.revision();
            if self.revision.replace(revision) != Some(revision) {
                self.jobs(queue).await?;
            }
        }
        self.log(endpoint).await
    }

    async fn jobs(&mut self, queue: &Queue) -> Result<(), Closed> {
        let before = self
            .focus
            .submitted
            .zip(self.focus.id.as_deref())
            .map(|(submitted, id)| Cursor { submitted: Timestamp::from_millis(submitted), id: id.into() });
        let listing = Listing { status: self.focus.status, before, ..Listing::default() };
        match Page::read(queue, listing).await {
            Ok(page) => self.tell("jobs", "", &page).await?,
            Err(error) => self.tell("trouble", "", &error.to_string()).await?,
        }
        let Some(id) = self.focus.job.as_deref().map(JobId::from) else { return Ok(()) };
        match queue.view(&id).await {
            Ok(view) => self.tell("job", "", &detail(&view)).await,
            Err(QueueError::UnknownJob(id)) => self.tell("job", "", &json!({ "id": id, "gone": true })).await,
            Err(error) => self.tell("trouble", "", &error.to_string()).await,
        }
    }

    async fn log(&mut self, endpoint: &Endpoint) -> Result<(), Closed> {
        let Some(worker) = self.focus.worker.clone() else { return Ok(()) };
        loop {
            let new = self.ui.plane.roster.log_after(&worker, &endpoint.id, self.focus.after, LINES);
            let Some(last) = new.last() else { return Ok(()) };
            self.focus.after = last.number;
            self.spoke = Instant::now();
            let log = json!({ "worker": worker, "lines": lines(&new) });
            self.events.send(Some("log"), None, &log.to_string()).await?;
        }
    }

    /// Tells something, unless it was told already.
    async fn tell(&mut self, event: &str, subject: &str, data: &impl serde::Serialize) -> Result<(), Closed> {
        let text = match serde_json::to_string(data) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(%error, event, "failed to write an event");
                return Ok(());
            }
        };
        let key = format!("{event} {subject}");
        if self.told.get(&key) == Some(&text) {
            return Ok(());
        }
        self.spoke = Instant::now();
        let now = self.ui.plane.clock.now().as_millis();
        self.events.send(Some(event), None, &format!(r#"{{"now":{now},"is":{text}}}"#)).await?;
        self.told.insert(key, text);
        Ok(())
    }
}
