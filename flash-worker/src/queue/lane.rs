use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use flash_core::JobControl;
use flash_core::ids::JobId;
use tokio::sync::Notify;

use super::outbox::{Finished, Outbox};
use super::slots::Slot;

/// The ordered way of one job's messages: progress before the result, never after it. A job without progress costs no
/// task of its own.
pub(crate) struct Lane {
    job: JobId,
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
    pub(crate) fn new(job: JobId, outbox: Outbox, slot: &Arc<Slot>) -> Self {
        Self {
            job,
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

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({})", self.job)
    }
}
