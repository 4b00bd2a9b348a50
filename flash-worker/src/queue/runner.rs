use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flash_core::clock::Timestamp;
use flash_core::wire::TakenJob;
use flash_core::{App, Endpoint};
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tracing::Instrument;

use super::held::{Held, HeldJob};
use super::job::{self, Job};
use super::lane::Lane;
use super::life::{Life, attempt};
use super::outbox::{Finished, Outbox};
use super::slots::Slot;
use crate::shutdown::Shutdown;

/// Runs the jobs that the intake brings, on the main runtime.
pub(super) struct Runner {
    pub(super) app: App,
    pub(super) endpoint: &'static Endpoint,
    pub(super) outbox: Outbox,
    pub(super) held: Held,
    pub(super) shutdown: Shutdown,
    pub(super) fatal: Arc<OnceLock<String>>,
}

/// A job as the queue sent it, with its place and the moment it came.
pub(super) struct Arrived {
    pub(super) body: Bytes,
    pub(super) slot: Slot,
    pub(super) taken: Timestamp,
}

impl Runner {
    /// Hands over to the main runtime once, however many jobs came.
    pub(super) fn start(self: &Arc<Self>, main: &Handle, jobs: Vec<Arrived>) {
        let runner = Arc::clone(self);
        let mut jobs = jobs.into_iter();
        match (jobs.next(), jobs.len()) {
            (None, _) => {}
            (Some(only), 0) => drop(main.spawn(async move { runner.run(only).await })),
            (Some(first), _) => {
                main.spawn(async move {
                    for job in std::iter::once(first).chain(jobs) {
                        let runner = Arc::clone(&runner);
                        tokio::spawn(async move { runner.run(job).await });
                    }
                });
            }
        }
    }

    async fn run(&self, Arrived { body, slot, taken }: Arrived) {
        let job: TakenJob<&RawValue> = match serde_json::from_slice(&body) {
            Ok(job) => job,
            Err(error) => {
                // Without an id there is nobody to answer.
                tracing::error!(%error, "the queue sent a job that cannot be read");
                return;
            }
        };
        let life = Life::new(&job, self.endpoint, taken);
        let slot = Arc::new(slot);
        let held = self.held.add(job.id.clone());
        let lane = Arc::new(Lane::new(job.id.clone(), self.outbox.clone(), &slot));
        let work = Job {
            id: &job.id,
            input: job.input.map(RawValue::get),
            attempt: attempt(job.extra.iter().map(|(key, json)| (key.as_str(), json.get()))),
            deadline: life.deadline,
            cancellation: held.token().clone(),
            control: Some(Arc::clone(&lane) as _),
        };
        let span = tracing::info_span!(
            "job",
            request_id = job.id.as_str(),
            endpoint = self.endpoint.name(),
            attempt = work.attempt,
            trace_id = tracing::field::Empty,
        );
        let outcome = tokio::select! {
            // In this order: a function that hears of the stop may return at the same moment, and nothing is posted then.
            biased;
            () = held.token().cancelled() => return stopped(&lane, &held, &slot),
            outcome = job::answer(&self.app, self.endpoint, work).instrument(span) => outcome,
        };
        if let Err(error) = &outcome
            && error.fatal
        {
            let reason = error.internal.clone().unwrap_or_else(|| error.message.clone());
            tracing::error!(request_id = job.id.as_str(), reason, "fatal: this worker takes no more jobs");
            let _ = self.fatal.set(reason);
        }
        let refresh = lane.wants_refresh();
        let answer = self.outbox.poster().answer(&outcome, refresh);
        let give_up = life.give_up(self.app.clock().now());
        lane.finish(Finished { job: held, answer, give_up, slot });
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
