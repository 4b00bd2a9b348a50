use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::boot::Boot;
use flash_core::wire::TakenJob;
use flash_core::{App, Endpoint};
use flash_platform::HttpClient;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::heartbeat::Heartbeat;
use super::intake::Intake;
use super::job::{self, Job};
use super::outbox::{Outbox, Poster};
use super::slots::{Slot, Slots};
use super::urls::Urls;
use crate::identity::Identity;
use crate::shutdown::Shutdown;

/// A worker of one queue endpoint.
#[derive(Debug)]
pub struct QueueWorker {
    app: App,
    endpoint: &'static Endpoint,
    boot: Boot,
}

impl QueueWorker {
    /// A worker of `endpoint`, with the addresses of `boot`.
    #[must_use]
    pub fn new(app: App, endpoint: &'static Endpoint, boot: Boot) -> Self {
        Self { app, endpoint, boot }
    }

    /// Takes and runs jobs until `shutdown` begins, then finishes the running ones and delivers their results, all
    /// within the grace time.
    ///
    /// # Errors
    /// No job-take URL, or work that was not finished in time.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), String> {
        let identity = Identity::new(&self.boot);
        let urls =
            Urls::new(&self.boot.jobs, &identity.worker_id).ok_or("RUNPOD_WEBHOOK_GET_JOB is not set")?;
        let slots = Slots::new(self.endpoint.jobs_per_worker());
        let grace = self.boot.grace;
        let thread = Thread::start()?;
        let poster = Poster {
            http: HttpClient::new(),
            urls: urls.clone(),
            key: self.boot.worker_key.clone(),
            identity,
            clock: self.app.clock().clone(),
        };
        let outbox = Outbox::start(poster, &thread.handle, self.endpoint.jobs_per_worker());
        let intake = Intake {
            http: HttpClient::new(),
            urls: urls.clone(),
            key: self.boot.worker_key.clone(),
            clock: self.app.clock().clone(),
            slots: slots.clone(),
            shutdown: shutdown.clone(),
        };
        let heartbeat = Heartbeat {
            http: HttpClient::new(),
            urls,
            key: self.boot.worker_key.clone(),
            clock: self.app.clock().clone(),
            slots: slots.clone(),
            interval: self.boot.ping_interval,
        };
        tracing::info!(
            endpoint = self.endpoint.name(),
            slots = self.endpoint.jobs_per_worker(),
            "worker takes jobs"
        );
        let beating = thread.handle.spawn(async move { heartbeat.run().await });
        let runner =
            Arc::new(Runner { app: self.app.clone(), endpoint: self.endpoint, outbox: outbox.clone() });
        let main = Handle::current();
        let taking = thread.handle.spawn(async move { intake.run(|jobs| runner.start(&main, jobs)).await });
        taking.await.map_err(|error| format!("the intake ended: {error}"))?;

        let finishing = async {
            slots.all_free().await;
            outbox.drained().await;
        };
        let finished = self.app.clock().timeout(grace, finishing).await;
        beating.abort();
        thread.stop();
        finished.map_err(|_| format!("running jobs were not finished within the grace time of {grace:?}"))?;
        tracing::info!("worker drained");
        Ok(())
    }
}

/// Runs the jobs that the intake brings, on the main runtime.
struct Runner {
    app: App,
    endpoint: &'static Endpoint,
    outbox: Outbox,
}

impl Runner {
    /// Hands over to the main runtime once, however many jobs came.
    fn start(self: &Arc<Self>, main: &Handle, jobs: Vec<(Bytes, Slot)>) {
        let runner = Arc::clone(self);
        main.spawn(async move {
            for (body, slot) in jobs {
                let runner = Arc::clone(&runner);
                tokio::spawn(async move { runner.run(&body, slot).await });
            }
        });
    }

    async fn run(&self, body: &[u8], mut slot: Slot) {
        let job: TakenJob<&RawValue> = match serde_json::from_slice(body) {
            Ok(job) => job,
            Err(error) => {
                // Without an id there is nobody to answer.
                tracing::error!(%error, "the queue sent a job that cannot be read");
                return;
            }
        };
        slot.occupy(job.id.clone());
        let execution_timeout = job.policy.as_ref().and_then(|policy| policy.execution_timeout);
        let input = job.input.map(RawValue::get);
        let work = Job { id: &job.id, input, execution_timeout };
        let outcome = job::answer(&self.app, self.endpoint, work).await;
        self.outbox.put(job.id, &outcome, slot);
    }
}

/// A thread with a runtime of its own for everything that must go on while user functions block the others.
struct Thread {
    handle: Handle,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Thread {
    fn start() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("the intake cannot start: {error}"))?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("flash-intake".to_owned())
            .spawn(move || {
                // Ends when the worker is done, or gone.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_timeout(Duration::from_millis(100));
            })
            .map_err(|error| format!("the intake cannot start: {error}"))?;
        Ok(Self { handle, stop })
    }

    fn stop(self) {
        let _ = self.stop.send(());
    }
}
