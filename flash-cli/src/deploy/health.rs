use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{Platform, RunPod};
use reqwest::{Method, StatusCode};

use crate::failure::{Failure, exit};

/// Looks at an endpoint that is not healthy yet.
const TRIES: u32 = 10;
/// What one look may take.
const LOOK: Duration = Duration::from_secs(15);
/// An endpoint that says it is initialising may take this long in all.
const INITIALISING: Duration = Duration::from_secs(600);
/// Log lines of a worker in an error.
const LINES: u32 = 30;

/// Verifies that endpoints answer.
pub(super) struct Health {
    pub(super) platform: Arc<RunPod>,
    pub(super) interval: Duration,
}

impl Health {
    /// Every endpoint must be healthy; all that are not are named.
    pub(super) async fn check_all(
        &self,
        resources: &BTreeMap<String, ResourceEntry>,
        addresses: &BTreeMap<String, String>,
        ids: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let mut failed = Vec::new();
        for (name, url) in addresses {
            let (Some(entry), Some(id)) = (resources.get(name), ids.get(name)) else { continue };
            if let Err(failure) = self.check(name, id, entry, url).await {
                failed.push(failure);
            }
        }
        let Some(first) = failed.first() else { return Ok(()) };
        let text = failed.iter().map(|failure| failure.text.as_str()).collect::<Vec<_>>().join("\n");
        Err(Failure::of(first.code, text))
    }

    /// An HTTP endpoint must answer 200 on its health path; a queue must report its health.
    async fn check(&self, name: &str, id: &str, entry: &ResourceEntry, url: &str) -> Result<(), Failure> {
        let path = match entry.is_load_balanced {
            true => entry.env.get("HEALTH_CHECK_PATH").map_or("/ping", String::as_str),
            false => "/health",
        };
        let url = format!("{url}{path}");
        let begun = Instant::now();
        let mut tried = 0;
        let mut last = "no answer".to_owned();
        while tried < TRIES {
            match self.look(&url).await {
                Ok(StatusCode::OK) => return Ok(()),
                // It is on its way, and says so.
                Ok(StatusCode::NO_CONTENT) if begun.elapsed() < INITIALISING => {
                    last = "204, initialising".to_owned();
                    tokio::time::sleep(self.interval).await;
                    continue;
                }
                Ok(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                    return Err(Failure::of(
                        exit::AUTH,
                        format!("endpoint `{name}` at {url} refuses the key ({status})"),
                    )
                    .help("set RUNPOD_API_KEY to a key that may call endpoints"));
                }
                Ok(status) => last = status.to_string(),
                Err(text) => last = text,
            }
            tried += 1;
            if tried < TRIES {
                tokio::time::sleep(self.interval).await;
            }
        }
        // A failure is told whether or not its log can be had.
        let lines = tokio::time::timeout(LOOK, self.log_lines(id)).await.unwrap_or_default();
        Err(Failure::of(
            exit::UNVERIFIED,
            format!("endpoint `{name}` at {url} is not healthy after {tried} tries; last: {last}{lines}"),
        )
        .help(format_args!("look at `flash logs {name}`")))
    }

    async fn look(&self, url: &str) -> Result<StatusCode, String> {
        let sender = self.platform.sender();
        let request = sender.http().request(Method::GET, url).map_err(|error| error.to_string())?;
        let request = sender.credentials().authorize(request.timeout(LOOK), url);
        let response = request.send().await.map_err(|error| match error.is_timeout() {
            true => format!("no answer within {} s", LOOK.as_secs()),
            false => "no connection".to_owned(),
        })?;
        Ok(response.status())
    }

    /// What the workers said last, as far as the platform tells.
    async fn log_lines(&self, endpoint: &str) -> String {
        let mut text = String::new();
        for worker in self.platform.workers(endpoint).await.unwrap_or_default() {
            for event in self.platform.logs(endpoint, &worker.id, LINES).await.unwrap_or_default() {
                text.push_str("\n  | ");
                text.push_str(event.line.trim_end());
            }
        }
        text
    }
}
