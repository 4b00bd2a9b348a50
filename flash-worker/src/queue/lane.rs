use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use flash_core::clock::Timestamp;
use flash_core::ids::JobId;
use flash_core::{JobControl, WireError, code};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use super::held::HeldJob;
use super::life::Life;
use super::outbox::{Finished, Outbox};
use super::poster::Addressee;
use super::slots::Slot;
use super::stream::ItemWay;

/// The ordered way of one job's messages: items of a stream one after the other, progress before the result, nothing
/// after it. A job without progress costs no task of its own.
pub(crate) struct Lane {
    job: JobId,
    token: CancellationToken,
    life: Life,
    outbox: Outbox,
    slot: Weak<Slot>,
    pending: Arc<Pending>,
    refresh: AtomicBool,
}

#[derive(Default)]
struct Pending {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    is_running: bool,
    /// Only the newest: a caller who asks wants to know how far the job is now.
    progress: Option<Vec<u8>>,
    last: Option<Last>,
}

/// What ends a lane.
enum Last {
    Result(Finished),
    /// The platform stopped the job, so nothing is posted for it.
    Nothing,
}

enum Next {
    Progress(Vec<u8>),
    Last(Last),
    Wait,
}

impl Lane {
    pub(crate) fn new(job: &HeldJob, life: Life, outbox: Outbox, slot: &Arc<Slot>) -> Self {
        Self {
            job: job.id().clone(),
            token: job.token().clone(),
            life,
            outbox,
            slot: Arc::downgrade(slot),
            pending: Arc::default(),
            refresh: AtomicBool::new(false),
        }
    }

    /// Whether the function asked for a fresh worker.
    pub(crate) fn wants_refresh(&self) -> bool {
        self.refresh.load(Ordering::Acquire)
    }

    /// Brings the result home, after the progress that is on its way.
    pub(crate) fn finish(&self, finished: Finished) {
        let mut state = self.pending.lock();
        if state.is_running {
            state.progress = None;
            state.last = Some(Last::Result(finished));
            drop(state);
            self.pending.changed.notify_one();
        } else {
            self.outbox.put(finished);
        }
    }

    /// Ends the lane without a result.
    pub(crate) fn discard(&self) {
        let mut state = self.pending.lock();
        state.progress = None;
        state.last = Some(Last::Nothing);
        drop(state);
        self.pending.changed.notify_one();
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Next {
        let mut state = self.lock();
        match (state.last.take(), state.progress.take()) {
            (Some(last), _) => Next::Last(last),
            (None, Some(progress)) => Next::Progress(progress),
            (None, None) => Next::Wait,
        }
    }

    async fn run(&self, job: &JobId, outbox: &Outbox) {
        loop {
            match self.next() {
                Next::Progress(json) => outbox.poster().progress(job, json).await,
                Next::Last(Last::Result(finished)) => return outbox.put(finished),
                Next::Last(Last::Nothing) => return,
                Next::Wait => self.changed.notified().await,
            }
        }
    }
}

impl JobControl for Lane {
    fn progress(&self, json: Vec<u8>) {
        let mut state = self.pending.lock();
        if state.last.is_some() {
            return;
        }
        state.progress = Some(json);
        let start = !std::mem::replace(&mut state.is_running, true);
        drop(state);
        if start {
            let (pending, job, outbox) = (Arc::clone(&self.pending), self.job.clone(), self.outbox.clone());
            self.outbox.spawn(async move { pending.run(&job, &outbox).await });
        } else {
            self.pending.changed.notify_one();
        }
    }

    fn refresh_worker(&self) {
        self.refresh.store(true, Ordering::Release);
    }

    fn hold(&self) -> Box<dyn Any + Send> {
        Box::new(self.slot.upgrade())
    }
}

/// To whom the items of one job's stream go.
struct Items {
    job: JobId,
    token: CancellationToken,
    give_up: Timestamp,
}

impl Addressee for Items {
    fn job(&self) -> &JobId {
        &self.job
    }

    fn give_up(&self) -> Timestamp {
        self.give_up
    }

    fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }
}

impl ItemWay for Lane {
    fn is_there(&self) -> bool {
        self.outbox.poster().can_stream()
    }

    async fn send(&self, json: Vec<u8>) -> Result<(), WireError> {
        let poster = Arc::clone(self.outbox.poster());
        let give_up = self.life.give_up(poster.now());
        let to = Items { job: self.job.clone(), token: self.token.clone(), give_up };
        let (sent, arrived) = oneshot::channel();
        // As all posts, on the intake's thread, which no user function can starve.
        self.outbox.spawn(async move {
            // Nobody listens when the job was stopped meanwhile.
            let _ = sent.send(poster.item(&to, json).await);
        });
        arrived
            .await
            .unwrap_or_else(|_| Err(WireError::new(code::DRAINING, "the worker ended before the stream")))
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({})", self.job)
    }
}
