use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flash_core::boot::Boot;
use flash_core::{App, Endpoint};
use tokio::runtime::Handle;

use super::fitness;
use super::heartbeat::Heartbeat;
use super::held::Held;
use super::intake::Intake;
use super::job::Door;
use super::link::Link;
use super::outbox::Outbox;
use super::poster::Poster;
use super::runner::Runner;
use super::slots::Slots;
use super::spool::Spool;
use super::stops::Stops;
use super::thread::Thread;
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
    /// No usable job-take URL, a machine that is not fit, work that was not finished in time, or a fatal error.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), QueueWorkerError> {
        let identity = Identity::new(&self.boot);
        let urls = Urls::new(&self.boot, &identity.worker_id).map_err(QueueWorkerError::Start)?;
        let concurrency = self.endpoint.jobs_per_worker();
        let clock = self.app.clock().clone();
        let link = Link::new(urls, self.boot.worker_key.as_ref(), clock.clone(), self.boot.uses_proxy);
        let link = Arc::new(link.map_err(QueueWorkerError::Start)?);
        let (slots, held) = (Slots::new(concurrency), Held::default());
        let thread = Thread::start().map_err(QueueWorkerError::Start)?;
        let heartbeat = Arc::new(Heartbeat {
            link: Arc::clone(&link),
            held: held.clone(),
            interval: self.boot.ping_interval,
        });

        // Told before the first heartbeat, so that the platform never takes this worker for a healthy one.
        if let Err(unfit) = fitness::check(&self.boot.fitness, self.endpoint, Path::new("/")) {
            let (link, reason) = (Arc::clone(&heartbeat), unfit.reason.clone());
            let report = async move { link.report_unhealthy(unfit.check, &reason).await };
            let told = thread.handle.spawn(report).await;
            thread.stop();
            tracing::debug!(told = told.is_ok(), "reported");
            return Err(QueueWorkerError::Unfit { check: unfit.check, reason: unfit.reason });
        }

        let (spool, inherited) = Spool::open(&self.boot);
        let spool = Arc::new(spool);
        let poster = Poster::new(Arc::clone(&link), identity);
        let outbox = Outbox::start(poster, Arc::clone(&spool), &thread.handle, concurrency);
        if !inherited.is_empty() {
            tracing::info!(
                results = inherited.len(),
                "delivering what an earlier process of this worker could not"
            );
        }
        for (number, kept) in inherited {
            let job = held.add(kept.job.clone());
            outbox.inherit(&spool, number, kept, job);
        }

        let intake = Intake {
            link: Arc::clone(&link),
            slots: slots.clone(),
            held: held.clone(),
            endpoint: self.endpoint,
            shutdown: shutdown.clone(),
        };
        let stops = Stops { link, held };
        let fatal = Arc::new(OnceLock::new());
        let runner = Arc::new(Runner {
            door: Door::new(self.app, self.endpoint),
            outbox: outbox.clone(),
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
        spool.close();
        if let Some(reason) = fatal.get() {
            heartbeat.report_unhealthy("fatal_error", reason).await;
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
    /// The machine is not fit for the endpoint.
    #[error("this machine is not fit: {check}: {reason}")]
    Unfit {
        /// The check that failed.
        check: &'static str,
        /// What it found.
        reason: String,
    },
    /// Work was left.
    #[error("running jobs were not finished within the grace time of {0:?}")]
    NotDrained(Duration),
    /// A function said that this worker cannot go on.
    #[error("a function failed fatally, so this worker ends: {0}")]
    Unhealthy(String),
}
