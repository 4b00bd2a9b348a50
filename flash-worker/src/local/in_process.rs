use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{DoneBody, TakenJob};
use flash_core::{App, Endpoint, JobControl, Outcome, to_error_string};
use flash_queue::{Payload, Queue};
use tokio_util::sync::CancellationToken;

use crate::queue::{Job, Life, answer, attempt};
use crate::shutdown::Shutdown;

/// How long one look for a job waits.
const HOLD: Duration = Duration::from_secs(30);

/// One slot of a queue endpoint that takes its jobs without HTTP. It is a worker of its own, so that cancellation
/// reaches just its job.
pub(super) struct InProcessSlot {
    pub(super) app: App,
    pub(super) endpoint: &'static Endpoint,
    pub(super) queue: Queue,
    pub(super) worker: WorkerId,
}

impl InProcessSlot {
    /// Takes and runs one job after the other until the shutdown begins; a running job is finished.
    pub(super) async fn run(self, shutdown: Shutdown) {
        loop {
            let taken = tokio::select! {
                biased;
                () = shutdown.started() => return,
                taken = self.queue.take(&self.worker, 1, HOLD) => taken,
            };
            match taken {
                Ok(jobs) => {
                    for job in jobs {
                        self.work(job).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, endpoint = self.endpoint.name(), "no job could be taken");
                    self.app.clock().sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn work(&self, taken: TakenJob<Payload>) {
        let id = taken.id.clone();
        let cancellation = CancellationToken::new();
        let job = Job {
            id: &id,
            input: taken.input.as_ref().map(Payload::get),
            attempt: attempt(taken.extra.iter().map(|(key, payload)| (key.as_str(), payload.get()))),
            deadline: Life::new(&taken, self.endpoint, self.app.clock().now()).deadline,
            cancellation: cancellation.clone(),
            control: Some(Arc::new(LocalControl {
                queue: self.queue.clone(),
                worker: self.worker.clone(),
                job: id.clone(),
            })),
        };
        let outcome = tokio::select! {
            outcome = answer(&self.app, self.endpoint, job) => outcome,
            () = self.stopped(&id) => {
                // A blocking function learns of it by asking.
                cancellation.cancel();
                tracing::info!(request_id = id.as_str(), "job stopped");
                return;
            }
        };
        let body = self.body(outcome);
        if let Err(error) = self.queue.done(&self.worker, &id, body).await {
            tracing::warn!(request_id = id.as_str(), %error, "the result was not accepted");
        }
    }

    async fn stopped(&self, id: &JobId) {
        while !self.queue.stops(&self.worker, HOLD).await.contains(id) {}
    }

    fn body(&self, outcome: Outcome) -> DoneBody<Payload> {
        let outcome = outcome.and_then(|encoded| {
            Payload::from_json(encoded.json).map_err(|error| {
                flash_core::WireError::new(flash_core::code::INTERNAL, "the result is no JSON")
                    .with_internal(error.to_string())
            })
        });
        match outcome {
            Ok(output) => DoneBody::output(output),
            Err(error) => DoneBody::error(to_error_string(&error, "localhost", self.worker.as_str())),
        }
    }
}

/// What a function may ask of a worker that is part of the local server.
#[derive(Debug)]
struct LocalControl {
    queue: Queue,
    worker: WorkerId,
    job: JobId,
}

impl JobControl for LocalControl {
    fn progress(&self, json: Vec<u8>) {
        let Ok(output) = Payload::from_json(json) else { return };
        let (queue, worker, job) = (self.queue.clone(), self.worker.clone(), self.job.clone());
        // The queue ignores progress that comes after the result.
        tokio::spawn(async move {
            if let Err(error) = queue.done(&worker, &job, DoneBody::progress(output)).await {
                tracing::debug!(request_id = job.as_str(), %error, "the progress was not accepted");
            }
        });
    }

    fn refresh_worker(&self) {
        tracing::info!(
            request_id = self.job.as_str(),
            "the function asked for a fresh worker; locally there is none"
        );
    }

    fn hold(&self) -> Box<dyn Any + Send> {
        Box::new(())
    }
}
