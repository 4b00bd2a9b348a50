use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flash_platform::HttpClient;
use serde_json::Value;

/// Far below the platform's limit of 200 synchronous jobs per second and endpoint, however many calls a request makes.
const PACE: Duration = Duration::from_millis(25);

/// One request to a deployed endpoint.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) body: Option<Value>,
}

impl Probe {
    /// Sends it; a queue's answer must be a finished job.
    pub(crate) async fn send(&self, http: &HttpClient) -> Result<Value, String> {
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = http.request(method, &self.url).unwrap().bearer_auth(&self.key);
        if let Some(body) = &self.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response =
            request.timeout(Duration::from_secs(120)).send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response.text().await.map_err(|error| error.to_string())?;
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("{status} {error}: {text}"))?;
        let job = json.get("status").and_then(Value::as_str).filter(|_| json.get("id").is_some());
        if !status.is_success() || job.is_some_and(|job| job != "COMPLETED") {
            return Err(format!("{status} {json}"));
        }
        Ok(json)
    }

    pub(crate) fn send_now(&self) -> Result<Value, String> {
        runtime().block_on(self.send(&HttpClient::new()))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One request at a time, until it is stopped. Everything that fails is kept.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    thread: JoinHandle<Vec<String>>,
}

impl Load {
    pub(crate) fn start(probe: Probe) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, count) = (stop.clone(), answered.clone());
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let http = HttpClient::new();
                let mut failed = Vec::new();
                let mut turn = tokio::time::interval(PACE);
                while !stopped.load(Ordering::Relaxed) {
                    turn.tick().await;
                    match probe.send(&http).await {
                        Ok(_) => drop(count.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => failed.push(error),
                    }
                }
                failed
            })
        });
        Self { stop, answered, thread }
    }

    /// How many were answered; none may have failed.
    pub(crate) fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let failed = self.thread.join().unwrap();
        assert!(failed.is_empty(), "{} requests were lost: {}", failed.len(), failed[0]);
        self.answered.load(Ordering::Relaxed)
    }
}
