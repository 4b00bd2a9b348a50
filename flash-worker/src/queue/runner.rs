use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tracing::Instrument;

use super::arrived::Arrived;
use super::held::HeldJob;
use super::job::{Door, Job};
use super::lane::Lane;
use super::outbox::{Finished, Outbox};
use super::slots::Slot;
use crate::metrics;
use crate::shutdown::Shutdown;

/// Runs the jobs that the intake brings, on the main runtime.
pub(super) struct Runner {
    pub(super) door: Door,
    pub(super) outbox: Outbox,
    pub(super) shutdown: Shutdown,
    pub(super) fatal: Arc<OnceLock<String>>,
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

    async fn run(&self, Arrived { job: held, input, attempt, life, slot }: Arrived) {
        let slot = Arc::new(slot);
        let lane = Arc::new(Lane::new(&held, life, self.outbox.clone(), &slot));
        let job = Job {
            id: held.id(),
            input: Arrived::text(input.as_ref()),
            attempt,
            deadline: life.deadline,
            cancellation: held.token().clone(),
            control: Some(Arc::clone(&lane) as _),
        };
        let running = metrics::job();
        let span = tracing::info_span!(
            "job",
            request_id = held.id().as_str(),
            endpoint = self.door.endpoint.name(),
            attempt,
            trace_id = tracing::field::Empty,
        );
        let ended = tokio::select! {
            // In this order: a function that hears of the stop may return at the same moment, and nothing is posted then.
            biased;
            () = held.token().cancelled() => return stopped(&lane, &held, &slot),
            ended = self.door.answer(job, &*lane).instrument(span) => ended,
        };
        running.ended(ended.outcome.is_ok());
        if let Some(reason) = ended.fatal {
            tracing::error!(request_id = held.id().as_str(), reason, "fatal: this worker takes no more jobs");
            let _ = self.fatal.set(reason);
        }
        let refresh = lane.wants_refresh();
        let answer = self.outbox.poster().answer(&ended.outcome, ended.is_stream, refresh);
        let give_up = life.give_up(self.door.app.clock().now());
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
