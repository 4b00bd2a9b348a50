//! What the writer keeps in memory of an endpoint's jobs: enough to find the next one without searching.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{Job, JobStatus};
use flash_queue::Payload;
use flash_queue::machine::{JobState, Place, Rules};
use flash_queue::store::Counts;

use super::recent::Recent;
use super::row::Row;

/// What others may look at without asking the writer. All of it is committed.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<View>);

#[derive(Debug, Default)]
struct View {
    counts: Counts,
    due: Option<Timestamp>,
    recent: Recent,
}

impl Shown {
    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.lock().due
    }

    /// A job that ended a moment ago. `None`: any other one.
    pub(super) fn recent(&self, id: &JobId) -> Option<Job<Payload>> {
        self.lock().recent.get(id)
    }

    fn lock(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a job in the group that is being written.
#[derive(Debug)]
enum News {
    Ended(Job<Payload>),
    /// It had ended before.
    Other(JobId),
}

/// The jobs of one endpoint.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) rules: Rules,
    pub(super) shown: Arc<Shown>,
    /// By place: first those that are taken first. Entries of jobs that left the queue by another way stay until they come to
    /// the front.
    queues: [VecDeque<(i64, i64)>; 2],
    /// The places that the next ones at either end get.
    front: i64,
    back: i64,
    /// Each job, by the moment at which time alone will do something to it.
    due: BTreeSet<(Timestamp, i64)>,
    /// What each worker has, oldest first.
    held: HashMap<WorkerId, Vec<i64>>,
    /// Streamed pieces that wait: the number of the next one, and their bytes.
    pub(super) streams: HashMap<i64, Stream>,
    pub(super) counts: Counts,
    /// The ended jobs as the database has them.
    pub(super) kept: Counts,
    news: Vec<News>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stream {
    pub(super) next: i64,
    pub(super) bytes: usize,
}

impl Index {
    pub(super) fn new(rules: Rules, shown: Arc<Shown>, kept: Counts) -> Self {
        Self {
            rules,
            shown,
            queues: Default::default(),
            front: -1,
            back: 0,
            due: BTreeSet::new(),
            held: HashMap::new(),
            streams: HashMap::new(),
            counts: kept,
            kept,
            news: Vec::new(),
        }
    }

    /// Adds the jobs that the database has, in the order of their places.
    pub(super) fn load(&mut self, seq: i64, place: i64, state: &JobState) {
        match state.status {
            JobStatus::InQueue => {
                let class = self.class(state);
                self.queues[class].push_back((place, seq));
                self.counts.in_queue += 1;
                self.counts.low_priority += u64::from(state.terms.low_priority);
            }
            JobStatus::InProgress => {
                self.counts.in_progress += 1;
                if let Some(worker) = &state.worker {
                    self.held.entry(worker.clone()).or_default().push(seq);
                }
            }
            _ => {}
        }
        self.front = self.front.min(place - 1);
        self.back = self.back.max(place + 1);
        self.due.insert((self.rules.due(state), seq));
    }

    fn class(&self, state: &JobState) -> usize {
        usize::from(state.terms.low_priority && self.rules.low_priority_waits)
    }

    /// A new job is at the back of the queue. Answers its place.
    pub(super) fn inserted(&mut self, seq: i64, state: &JobState) -> i64 {
        self.counts.in_queue += 1;
        self.counts.low_priority += u64::from(state.terms.low_priority);
        self.due.insert((self.rules.due(state), seq));
        self.queue(seq, Place::Back, state)
    }

    pub(super) fn queue(&mut self, seq: i64, end: Place, state: &JobState) -> i64 {
        let class = self.class(state);
        match end {
            Place::Back => {
                let place = self.back;
                self.back += 1;
                self.queues[class].push_back((place, seq));
                place
            }
            Place::Front => {
                let place = self.front;
                self.front -= 1;
                self.queues[class].push_front((place, seq));
                place
            }
        }
    }

    /// The first entry of the queue, with its place. The job may have left that place.
    pub(super) fn pop(&mut self) -> Option<(i64, i64)> {
        self.queues.iter_mut().find_map(VecDeque::pop_front)
    }

    /// The jobs in the queue, with their places. Some may have left them.
    pub(super) fn queued(&self) -> Vec<(i64, i64)> {
        self.queues.iter().flatten().copied().collect()
    }

    /// One of the jobs in the queue, with its place.
    pub(super) fn queued_at(&self, at: usize) -> Option<(i64, i64)> {
        self.queues.iter().flatten().nth(at).copied()
    }

    /// A job went from one state to another.
    pub(super) fn moved(&mut self, seq: i64, before: &JobState, after: &JobState) {
        self.due.remove(&(self.rules.due(before), seq));
        self.due.insert((self.rules.due(after), seq));
        let low =
            |state: &JobState| u64::from(state.terms.low_priority && state.status == JobStatus::InQueue);
        self.counts.low_priority = self.counts.low_priority + low(after) - low(before);
        self.counts.retried += u64::from(after.retries > before.retries);
        let holder =
            |state: &JobState| state.worker.clone().filter(|_| state.status == JobStatus::InProgress);
        let (had, has) = (holder(before), holder(after));
        if had != has {
            if let Some(held) = had.and_then(|worker| self.held.get_mut(&worker)) {
                held.retain(|other| *other != seq);
            }
            if let Some(worker) = has {
                self.held.entry(worker).or_default().push(seq);
            }
        }
        if before.status == after.status {
            return;
        }
        match before.status {
            JobStatus::InQueue => self.counts.in_queue -= 1,
            JobStatus::InProgress => self.counts.in_progress -= 1,
            _ => {}
        }
        match after.status {
            JobStatus::InQueue => self.counts.in_queue += 1,
            JobStatus::InProgress => self.counts.in_progress += 1,
            JobStatus::Completed => self.counts.completed += 1,
            JobStatus::Failed | JobStatus::TimedOut => self.counts.failed += 1,
            JobStatus::Cancelled => {}
        }
    }

    pub(super) fn removed(&mut self, row: &Row) {
        self.due.remove(&(self.rules.due(&row.state), row.seq));
        self.streams.remove(&row.seq);
    }

    /// A job whose record can not be read does not count any more. `waits`: it may be in the queue.
    pub(super) fn set_aside(&mut self, seq: i64, waits: bool, low_priority: bool) {
        for held in self.held.values_mut() {
            let before = held.len();
            held.retain(|other| *other != seq);
            if held.len() != before {
                self.counts.in_progress -= 1;
                return;
            }
        }
        if waits {
            self.counts.in_queue = self.counts.in_queue.saturating_sub(1);
            self.counts.low_priority = self.counts.low_priority.saturating_sub(u64::from(low_priority));
        }
        for queue in &mut self.queues {
            queue.retain(|(_, other)| *other != seq);
        }
    }

    /// Gives up on a job whose record can not be read: it would be met again and again.
    pub(super) fn abandon(&mut self, at: Timestamp, seq: i64) {
        self.due.remove(&(at, seq));
    }

    pub(super) fn first_due(&self) -> Option<(Timestamp, i64)> {
        self.due.first().copied()
    }

    pub(super) fn held(&self, worker: &WorkerId) -> Vec<i64> {
        self.held.get(worker).cloned().unwrap_or_default()
    }

    pub(super) fn forget_worker(&mut self, worker: &WorkerId) {
        self.held.remove(worker);
    }

    pub(super) fn busy_workers(&self) -> impl Iterator<Item = &WorkerId> {
        self.held.iter().filter(|(_, jobs)| !jobs.is_empty()).map(|(worker, _)| worker)
    }

    /// A job has ended.
    pub(super) fn ended(&mut self, job: Job<Payload>) {
        self.news.push(News::Ended(job));
    }

    /// Something happened to a job that had ended before.
    pub(super) fn changed(&mut self, id: JobId) {
        self.news.push(News::Other(id));
    }

    /// What happened in this group has not happened. What ended before it may not be what it was any more.
    pub(super) fn forget_news(&mut self) {
        self.news.clear();
        self.shown.lock().recent.clear();
    }

    /// Lets others see where things stand, after a commit.
    pub(super) fn show(&mut self) {
        let counts = Counts { busy_workers: self.busy_workers().count() as u64, ..self.counts };
        let due = self.first_due().map(|(at, _)| at);
        let mut view = self.shown.lock();
        (view.counts, view.due) = (counts, due);
        for news in self.news.drain(..) {
            match news {
                News::Ended(job) => view.recent.add(job),
                News::Other(id) => view.recent.remove(&id),
            }
        }
    }
}
