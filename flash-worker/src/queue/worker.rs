use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use flash_core::boot::Boot;
use flash_core::wire::TakenJob;
use flash_core::{App, Endpoint};
use flash_platform::HttpClient;
use serde_json::value::RawValue;
use tokio::runtime::Handle;

use super::heartbeat::Heartbeat;
use super::held::{Held, HeldJob};
use super::intake::Intake;
use super::job::{self, Job};
use super::lane::Lane;
use super::link::Link;
use super::outbox::{Outbox, Poster};
use super::slots::{Slot, Slots};
use super::stops::Stops;
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
    /// within the grace time. A fatal error of a function begins the shutdown too.
    ///
    /// # Errors
    /// No job-take URL, work that was not finished in time, or a fatal error.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), QueueWorkerError> {
        let identity = Identity::new(&self.boot);
        let urls = Urls::new(&self.boot.jobs, &identity.worker_id)
            .ok_or_else(|| QueueWorkerError::Start("RUNPOD_WEBHOOK_GET_JOB is not set".to_owned()))?;
        let concurrency = self.endpoint.jobs_per_worker();
        let clock = self.app.clock().clone();
        let key = self.boot.worker_key.clone();
        let link = Arc::new(Link { http: HttpClient::new(), urls, key, clock: clock.clone() });
        let (slots, held) = (Slots::new(concurrency), Held::default());
        let thread = Thread::start().map_err(QueueWorkerError::Start)?;
        let poster = Poster { link: Arc::clone(&link), identity };
        let outbox = Outbox::start(poster, &thread.handle, concurrency);
        let intake = Intake { link: Arc::clone(&link), slots: slots.clone(), shutdown: shutdown.clone() };
        let heartbeat = Arc::new(Heartbeat {
            link: Arc::clone(&link),
            held: held.clone(),
            interval: self.boot.ping_interval,
        });
        let stops = Stops { link, held: held.clone() };
        let fatal = Arc::new(OnceLock::new());
        let runner = Arc::new(Runner {
            app: self.app,
            endpoint: self.endpoint,
            outbox: outbox.clone(),
            held,
            shutdown,
            fatal: Arc::clone(&fatal),
        });

        tracing::info!(endpoint = self.endpoint.name(), slots = concurrency, "worker takes jobs");
        let beats = Arc::clone(&heartbeat);
        thread.handle.spawn(async move { beats.run().await });
        thread.handle.spawn(async move { stops.run().await });
        let main = Handle::current();
        let taking = thread.handle.spawn(async move { intake.run(|jobs| runner.start(&main, jobs)).await });
        taking.await.map_err(|error| QueueWorkerError::Start(format!("the intake ended: {error}")))?;

        let finishing = async {
            slots.all_free().await;
            outbox.drained().await;
        };
        let grace = self.boot.grace;
        let finished = clock.timeout(grace, finishing).await;
        if let Some(reason) = fatal.get() {
            heartbeat.report_unhealthy(reason).await;
        }
        thread.stop();
        finished.map_err(|_| QueueWorkerError::NotDrained(grace))?;
        if let Some(reason) = fatal.get() {
            return Err(QueueWorkerError::Unhealthy(reason.clone()));
        }
        tracing::info!("worker drained");
        Ok(())
    }
}

/// Why a queue worker ended in another way than asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueWorkerError {
    /// It could not begin.
    #[error("{0}")]
    Start(String),
    /// Work was left.
    #[error("running jobs were not finished within the grace time of {0:?}")]
    NotDrained(Duration),
    /// A function said that this worker cannot go on.
    #[error("a function failed fatally, so this worker ends: {0}")]
    Unhealthy(String),
}

/// Runs the jobs that the intake brings, on the main runtime.
struct Runner {
    app: App,
    endpoint: &'static Endpoint,
    outbox: Outbox,
    held: Held,
    shutdown: Shutdown,
    fatal: Arc<OnceLock<String>>,
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

    async fn run(&self, body: &[u8], slot: Slot) {
        let taken: TakenJob<&RawValue> = match serde_json::from_slice(body) {
            Ok(job) => job,
            Err(error) => {
                // Without an id there is nobody to answer.
                tracing::error!(%error, "the queue sent a job that cannot be read");
                return;
            }
        };
        let slot = Arc::new(slot);
        let held = self.held.add(taken.id.clone());
        let lane = Arc::new(Lane::new(taken.id.clone(), self.outbox.clone(), &slot));
        let job = Job {
            id: &taken.id,
            input: taken.input.map(RawValue::get),
            execution_timeout: taken.policy.as_ref().and_then(|policy| policy.execution_timeout),
            cancellation: held.token().clone(),
            control: Some(Arc::clone(&lane) as _),
        };
        let outcome = tokio::select! {
            // In this order: a function that hears of the stop may return at the same moment, and nothing is posted then.
            biased;
            () = held.token().cancelled() => return stopped(&lane, &held, &slot),
            outcome = job::answer(&self.app, self.endpoint, job) => outcome,
        };
        if let Err(error) = &outcome
            && error.fatal
        {
            let reason = error.internal.clone().unwrap_or_else(|| error.message.clone());
            tracing::error!(request_id = taken.id.as_str(), reason, "fatal: this worker takes no more jobs");
            let _ = self.fatal.set(reason);
        }
        let refresh = lane.wants_refresh();
        lane.finish(self.outbox.finished(held, &outcome, slot, refresh));
        if refresh || self.fatal.get().is_some() {
            self.shutdown.start();
        }
    }
}

/// The platform stopped the job: its future is gone, and nothing is posted.
fn stopped(lane: &Lane, held: &HeldJob, slot: &Arc<Slot>) {
    lane.discard();
    let request_id = held.id().as_str();
    if Arc::strong_count(slot) > 1 {
        tracing::warn!(
            request_id,
            "the job was stopped, but its blocking function still runs and keeps its slot"
        );
    } else {
        tracing::info!(request_id, "the job was stopped");
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
