use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_core::Endpoint;
use http::StatusCode;
use serde_json::value::RawValue;

use super::arrived::Arrived;
use super::backoff::Backoff;
use super::held::Held;
use super::link::Link;
use super::slots::Slots;
use crate::shutdown::Shutdown;

/// How long the queue may hold a take open. The Python worker gives up after 90 s (platform contract B.4).
const TAKE_TIMEOUT: Duration = Duration::from_secs(90);
/// How long an answer may be on its way from the queue to a worker that stops.
const LINGER: Duration = Duration::from_millis(100);
/// Most bytes of a job: the platform takes inputs up to 20 MB (platform contract A.4), and adds a little.
const LARGEST_JOB: usize = 32_000_000;
/// A queue that is over its rate limit wants this much peace (platform contract B.4).
const RATE_LIMITED: Duration = Duration::from_secs(5);

/// Takes jobs while slots are free.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) link: Arc<Link>,
    pub(crate) slots: Slots,
    pub(crate) held: Held,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) shutdown: Shutdown,
}

/// What one take brought.
#[derive(Debug, PartialEq)]
enum Taken {
    /// One JSON text for each job.
    Jobs(Vec<Bytes>),
    Nothing,
    RateLimited,
    Trouble(String),
}

impl Intake {
    /// Runs until the shutdown begins. Jobs go to `start`, each with its slot.
    pub(crate) async fn run(&self, start: impl Fn(Vec<Arrived>)) {
        // 204 answers are held by a real queue; one that answers at once must not be flooded.
        let mut empty = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        let mut trouble = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            let slots = tokio::select! {
                biased;
                () = self.shutdown.started() => return,
                slots = self.slots.free() => slots,
            };
            let asked = self.link.clock.now();
            let taken = tokio::select! {
                biased;
                taken = self.take(slots.len()) => taken,
                () = self.lingered() => return,
            };
            let pause = match taken {
                Taken::Jobs(mut jobs) => {
                    empty.reset();
                    trouble.reset();
                    // More than were asked for: each is owed an answer, so it waits for its turn.
                    let late = jobs.split_off(jobs.len().min(slots.len()));
                    let now = self.link.clock.now();
                    let arrived = |(body, slot)| Arrived::read(&body, slot, &self.held, self.endpoint, now);
                    start(jobs.into_iter().zip(slots).filter_map(arrived).collect());
                    for job in late {
                        start(arrived((job, self.slots.next().await)).into_iter().collect());
                    }
                    continue;
                }
                Taken::Nothing => {
                    trouble.reset();
                    if self.link.clock.now().since(asked) >= Duration::from_secs(1) {
                        empty.reset();
                        continue;
                    }
                    empty.pause()
                }
                Taken::RateLimited => RATE_LIMITED,
                Taken::Trouble(text) => {
                    let pause = trouble.pause();
                    tracing::warn!(problem = text, ?pause, "no job could be taken; trying again");
                    pause
                }
            };
            drop(slots);
            tokio::select! {
                () = self.shutdown.started() => return,
                () = self.link.clock.sleep(pause) => {}
            }
        }
    }

    /// Ends shortly after the shutdown began. A held poll is not waited for, but a job that is already on its way to
    /// this worker would otherwise be lost until the platform notices.
    async fn lingered(&self) {
        self.shutdown.started().await;
        self.link.clock.sleep(LINGER).await;
    }

    async fn take(&self, most: usize) -> Taken {
        let address = self.link.urls.take(most, self.slots.is_busy());
        let (status, body) =
            match self.link.get(address, TAKE_TIMEOUT, most.saturating_mul(LARGEST_JOB)).await {
                Ok(answer) => answer,
                Err(error) if error.is_timeout => return Taken::Nothing,
                Err(error) => return Taken::Trouble(error.to_string()),
            };
        match status {
            StatusCode::OK if body.is_empty() => Taken::Nothing,
            StatusCode::OK => match split(&body) {
                Ok(jobs) if jobs.is_empty() => Taken::Nothing,
                Ok(jobs) => Taken::Jobs(jobs),
                // Without an id there is nobody to answer.
                Err(error) => Taken::Trouble(format!("the queue sent what is no job: {error}")),
            },
            // 400 is the queue's word for "nothing now" to a worker that was frozen (platform contract B.4).
            StatusCode::NO_CONTENT | StatusCode::BAD_REQUEST => Taken::Nothing,
            StatusCode::TOO_MANY_REQUESTS => Taken::RateLimited,
            status => Taken::Trouble(format!("the queue answered {status}")),
        }
    }
}

/// The jobs in the answer to a take, without reading them: one object, or a list of them. Both occur on both routes.
fn split(body: &Bytes) -> Result<Vec<Bytes>, serde_json::Error> {
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Ok(vec![body.clone()]);
    }
    let jobs: Vec<&RawValue> = serde_json::from_slice(body)?;
    Ok(jobs.into_iter().map(|job| body.slice_ref(job.get().as_bytes())).collect())
}
