use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{DoneBody, TakenJob};
use flash_core::{JobControl, Outcome, WireError, code, to_error_string};
use flash_queue::{Payload, Queue};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::queue::{Door, ItemWay, Job, Life, attempt};
use crate::shutdown::Shutdown;

/// How long one look for a job waits.
const HOLD: Duration = Duration::from_secs(30);

/// One slot of a queue endpoint that takes its jobs without HTTP. It is a worker of its own, so that cancellation
/// reaches just its job.
pub(super) struct InProcessSlot {
    pub(super) door: Arc<Door>,
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
                    tracing::error!(%error, endpoint = self.door.endpoint.name(), "no job could be taken");
                    self.door.app.clock().sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn work(&self, taken: TakenJob<Payload>) {
        let id = taken.id.clone();
        let cancellation = CancellationToken::new();
        let (progress, reports) = watch::channel(None);
        let (hold, mut held) = mpsc::channel(1);
        let control = Arc::new(LocalControl {
            queue: self.queue.clone(),
            worker: self.worker.clone(),
            job: id.clone(),
            progress,
            hold,
        });
        let job = Job {
            id: &id,
            input: taken.input.as_ref().map(Payload::get),
            attempt: attempt(taken.extra.iter().map(|(key, payload)| (key.as_str(), payload.get()))),
            deadline: Life::new(&taken, self.door.endpoint, self.door.app.clock().now()).deadline,
            cancellation: cancellation.clone(),
            control: Some(Arc::clone(&control) as _),
        };
        let ended = tokio::select! {
            biased;
            () = self.stopped(&id) => None,
            ended = self.door.answer(job, &*control) => Some(ended),
            () = self.report(&id, reports) => None,
        };
        drop(control);
        let Some(ended) = ended else {
            // A blocking function learns of it by asking; its slot is free when it has really ended.
            cancellation.cancel();
            tracing::info!(request_id = id.as_str(), "job stopped");
            while held.recv().await.is_some() {}
            return;
        };
        if let Err(error) = self.queue.done(&self.worker, &id, self.body(ended.outcome)).await {
            tracing::warn!(request_id = id.as_str(), %error, "the result was not accepted");
        }
    }

    /// Passes on how far the job is, one report after the other, the newest when several wait. Never ends.
    async fn report(&self, id: &JobId, mut reports: watch::Receiver<Option<Payload>>) {
        while reports.changed().await.is_ok() {
            let Some(report) = reports.borrow_and_update().clone() else { continue };
            if let Err(error) = self.queue.done(&self.worker, id, DoneBody::progress(report)).await {
                tracing::debug!(request_id = id.as_str(), %error, "the progress was not accepted");
            }
        }
        std::future::pending::<()>().await;
    }

    async fn stopped(&self, id: &JobId) {
        while !self.queue.stops(&self.worker, HOLD).await.contains(id) {}
    }

    fn body(&self, outcome: Outcome) -> DoneBody<Payload> {
        let outcome = outcome.and_then(|encoded| {
            Payload::from_json(encoded.json).map_err(|error| {
                WireError::new(code::INTERNAL, "the result is no JSON").with_internal(error.to_string())
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
    progress: watch::Sender<Option<Payload>>,
    hold: mpsc::Sender<()>,
}

impl JobControl for LocalControl {
    fn progress(&self, json: Vec<u8>) {
        if let Ok(report) = Payload::from_json(json) {
            self.progress.send_replace(Some(report));
        }
    }

    fn refresh_worker(&self) {
        tracing::info!(
            request_id = self.job.as_str(),
            "the function asked for a fresh worker; locally there is none"
        );
    }

    fn hold(&self) -> Box<dyn Any + Send> {
        Box::new(self.hold.clone())
    }
}

impl ItemWay for LocalControl {
    fn is_there(&self) -> bool {
        true
    }

    async fn send(&self, json: Vec<u8>) -> Result<(), WireError> {
        let refused = |text: String| {
            WireError::new(code::FAILED, format!("the queue refused an item: {text}")).terminal()
        };
        let item = Payload::from_json(json).map_err(|error| refused(error.to_string()))?;
        self.queue
            .push(&self.worker, &self.job, item)
            .await
            .map(drop)
            .map_err(|error| refused(error.to_string()))
    }
}
