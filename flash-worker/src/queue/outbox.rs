use std::sync::Arc;

use bytes::Bytes;
use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::held::HeldJob;
use super::poster::{Addressee, Poster};
use super::slots::Slot;
use super::spool::{Kept, Spool};

/// How many finished jobs are taken over at once.
const GROUP: usize = 64;

/// Where finished jobs go. Cheap to clone; every runner has one.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    finished: mpsc::UnboundedSender<Finished>,
    posts: TaskTracker,
    runtime: Handle,
    poster: Arc<Poster>,
}

/// A job whose function has ended. It keeps its slot until its result is on its way, so the channel holds no more of
/// them than there are slots.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) job: HeldJob,
    pub(crate) answer: Answer,
    /// From then on the queue does not want the result any more.
    pub(crate) give_up: Timestamp,
    pub(crate) slot: Arc<Slot>,
}

/// What is posted for a job.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// Whether the job succeeded.
    pub(crate) is_result: bool,
    /// Whether it ends a stream.
    pub(crate) is_stream: bool,
}

/// One answer on its way to the queue.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) job: HeldJob,
    pub(crate) answer: Answer,
    pub(crate) give_up: Timestamp,
    /// The worker that took the job, where it was another process.
    pub(crate) taken_by: Option<Arc<str>>,
    /// What the answer is called on the disk.
    number: Option<u64>,
}

impl Outbox {
    /// An outbox that posts on `runtime`: the intake's, which no user function can starve. At most `room` results are
    /// on their way at the same time; without a bound, a worker with fast functions would take jobs faster than it can
    /// bring results home, and hold more of them than it has slots for.
    pub(crate) fn start(poster: Poster, spool: Arc<Spool>, runtime: &Handle, room: u32) -> Self {
        let (finished, arriving) = mpsc::unbounded_channel::<Finished>();
        let posts = TaskTracker::new();
        let poster = Arc::new(poster);
        let dispatch = Dispatch {
            arriving,
            room: Arc::new(Semaphore::new(room as usize)),
            spool: Arc::clone(&spool),
            poster: Arc::clone(&poster),
            posts: posts.clone(),
        };
        runtime.spawn(dispatch.run());
        runtime.spawn(async move { spool.run().await });
        Self { finished, posts, runtime: runtime.clone(), poster }
    }

    /// Takes over the result of a job, and its slot.
    pub(crate) fn put(&self, finished: Finished) {
        if let Err(lost) = self.finished.send(finished) {
            // Only when the intake's runtime is gone, and then the worker is past its grace time.
            let request_id = lost.0.job.id().as_str();
            tracing::error!(request_id, "the worker ended before the result was delivered");
        }
    }

    /// Delivers what an earlier process could not.
    pub(crate) fn inherit(&self, spool: &Arc<Spool>, number: Option<u64>, kept: Kept, job: HeldJob) {
        let Kept { worker, job: _, give_up, is_stream, is_result, body } = kept;
        let answer = Answer { body, is_result, is_stream };
        let delivery = Delivery { job, answer, give_up, taken_by: Some(worker), number };
        self.spawn(deliver(Arc::clone(&self.poster), Arc::clone(spool), delivery));
    }

    /// Runs something that belongs to a job on the outbox's runtime.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.posts.spawn_on(task, &self.runtime);
    }

    pub(crate) fn poster(&self) -> &Arc<Poster> {
        &self.poster
    }

    /// Waits until every result has been delivered or given up. All slots have to be free before.
    pub(crate) async fn drained(&self) {
        self.posts.close();
        self.posts.wait().await;
    }
}

/// One task takes over all results: a sender that spawned its own would wake the intake's thread once for every job.
struct Dispatch {
    arriving: mpsc::UnboundedReceiver<Finished>,
    room: Arc<Semaphore>,
    spool: Arc<Spool>,
    poster: Arc<Poster>,
    posts: TaskTracker,
}

impl Dispatch {
    async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.arriving.recv_many(&mut group, GROUP).await > 0 {
            let numbers = self.spool.append(|| group.iter().map(|finished| self.kept(finished)).collect());
            let mut numbers = numbers.into_iter().flatten();
            for Finished { job, answer, give_up, slot } in group.drain(..) {
                let room = Arc::clone(&self.room).acquire_owned().await;
                let delivery = Delivery { job, answer, give_up, taken_by: None, number: numbers.next() };
                let (poster, spool) = (Arc::clone(&self.poster), Arc::clone(&self.spool));
                self.posts.spawn(async move {
                    deliver(poster, spool, delivery).await;
                    drop(room);
                });
                // Only now: a worker that stops waits for free slots first, and then for posts.
                drop(slot);
            }
        }
    }

    fn kept(&self, finished: &Finished) -> Kept {
        Kept {
            worker: Arc::clone(&self.poster.worker),
            job: finished.job.id().clone(),
            give_up: finished.give_up,
            is_stream: finished.answer.is_stream,
            is_result: finished.answer.is_result,
            body: finished.answer.body.clone(),
        }
    }
}

async fn deliver(poster: Arc<Poster>, spool: Arc<Spool>, delivery: Delivery) {
    poster.deliver(&delivery).await;
    if let Some(number) = delivery.number {
        spool.delivered(number);
    }
}

impl Addressee for Delivery {
    fn job(&self) -> &JobId {
        self.job.id()
    }

    fn give_up(&self) -> Timestamp {
        self.give_up
    }

    fn is_stopped(&self) -> bool {
        self.job.token().is_cancelled()
    }
}
