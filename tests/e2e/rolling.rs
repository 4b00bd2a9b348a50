//! HTTP workers that are stopped and replaced while requests go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flash_local::{EndpointSpec, LocalPlatform, Signal, WorkerState};
use flash_platform::HttpClient;

const APP: &str = env!("CARGO_BIN_EXE_fixture-app");

/// Clients that ask without a pause until they are told to stop, and what they found.
struct Load {
    going: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Result<(), String>>>,
}

impl Load {
    fn start(url: &str, clients: usize) -> Self {
        let going = Arc::new(AtomicBool::new(true));
        let answered = Arc::new(AtomicUsize::new(0));
        let clients = (0..clients)
            .map(|_| tokio::spawn(ask(url.to_owned(), Arc::clone(&going), Arc::clone(&answered))))
            .collect();
        Self { going, answered, clients }
    }

    /// Waits until this many more were answered.
    async fn more(&self, count: usize) {
        let goal = self.answered.load(Ordering::SeqCst) + count;
        while self.answered.load(Ordering::SeqCst) < goal
            && self.clients.iter().all(|client| !client.is_finished())
        {
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.going.store(false, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap().unwrap();
        }
    }
}

async fn ask(url: String, going: Arc<AtomicBool>, answered: Arc<AtomicUsize>) -> Result<(), String> {
    let http = HttpClient::new();
    while going.load(Ordering::SeqCst) {
        let request = http.request(reqwest::Method::GET, &url).unwrap();
        let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
        let (status, text) = (answer.status(), answer.text().await.map_err(|error| format!("{error:?}"))?);
        if status != 200 || text != "name" {
            return Err(format!("{status}: {text}"));
        }
        answered.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_workers_are_stopped_one_after_the_other() {
    let platform = LocalPlatform::start().await.unwrap();
    platform.add_endpoint(EndpointSpec::load_balanced("web", APP).workers(2)).await.unwrap();
    // The endpoint runs two functions at a time in each of two workers.
    let load = Load::start(&format!("{}/files/name", platform.endpoint_url("web").unwrap()), 2);
    load.more(20).await;
    for _ in 0..3 {
        let ready = platform.until_workers(|workers| {
            workers.iter().filter(|worker| worker.state == WorkerState::Ready).count() == 2
        });
        let workers = ready.await;
        let oldest = workers
            .iter()
            .filter(|worker| worker.state == WorkerState::Ready)
            .min_by_key(|worker| worker.started);
        platform.kill_worker(&oldest.unwrap().id, Signal::Terminate).unwrap();
        load.more(20).await;
    }
    load.end().await;
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_a_release_rolls() {
    let platform = LocalPlatform::start().await.unwrap();
    let spec = || EndpointSpec::load_balanced("web", APP).workers(2);
    platform.add_endpoint(spec()).await.unwrap();
    let load = Load::start(&format!("{}/files/name", platform.endpoint_url("web").unwrap()), 2);
    load.more(20).await;
    platform.update_endpoint(spec().env("RELEASE", "2")).await.unwrap();
    platform
        .until_workers(|workers| {
            let ready = workers.iter().filter(|worker| worker.state == WorkerState::Ready);
            ready.clone().count() == 2 && ready.clone().all(|worker| worker.version == 2)
        })
        .await;
    load.more(20).await;
    load.end().await;
    platform.shutdown().await;
}
