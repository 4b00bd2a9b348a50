//! The jobs of one endpoint and everything that points at them. All of it is behind one lock.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{JobStatus, TakenJob};

use super::arena::{Arena, Key};
use super::ended::Ended;
use super::index::Index;
use super::record::Record;
use super::timers::Timers;
use crate::machine::{Effects, Event, Place, Rules, Terms};
use crate::store::stepped::shown;
use crate::store::{Claimed, Counts, Cursor, Held, Inserted, JobView, Listing, NewJob, Stepped};

#[derive(Debug)]
pub(super) struct Table {
    rules: Rules,
    pub(super) jobs: Arena<Record>,
    index: Index,
    /// First those that are taken first. Entries of jobs that left the queue by another way (cancelled, answered late) stay
    /// until they come to the front.
    queues: [VecDeque<(Key, u32)>; 2],
    /// The jobs that were handed in with an idempotency key.
    keys: HashMap<String, Key>,
    /// What each worker has, oldest first.
    held: HashMap<WorkerId, Vec<Key>>,
    timers: Timers,
    ended: Ended,
    counts: Counts,
    /// How many jobs there have been.
    inserted: u64,
}

impl Table {
    pub(super) fn new(rules: Rules, keep_ended: usize) -> Self {
        Self {
            rules,
            jobs: Arena::default(),
            index: Index::default(),
            queues: Default::default(),
            keys: HashMap::new(),
            held: HashMap::new(),
            timers: Timers::default(),
            ended: Ended::new(keep_ended),
            counts: Counts::default(),
            inserted: 0,
        }
    }

    pub(super) fn key(&self, id: &JobId) -> Option<Key> {
        self.index.get(id, &self.jobs)
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { busy_workers: self.busy_workers().count() as u64, ..self.counts }
    }

    pub(super) fn busy_workers(&self) -> impl Iterator<Item = &WorkerId> {
        self.held.iter().filter(|(_, jobs)| !jobs.is_empty()).map(|(worker, _)| worker)
    }

    /// Takes all jobs away from a worker that is gone.
    pub(super) fn lose(&mut self, worker: &WorkerId, now: Timestamp) -> Vec<Stepped> {
        let held = self.held.get(worker).cloned().unwrap_or_default();
        // From the youngest on, because each goes to the front of the queue: so they keep their order.
        let lost =
            held.into_iter().rev().filter_map(|key| self.step(key, Event::WorkerLost(worker), now)).collect();
        self.held.remove(worker);
        lost
    }

    /// What a worker has, oldest first.
    pub(super) fn held(&self, worker: &WorkerId) -> Vec<Held> {
        let keys = self.held.get(worker).map(Vec::as_slice).unwrap_or_default();
        let held = |key: &Key| {
            let job = self.jobs.get(*key)?;
            Some(Held { id: job.id.clone(), taken: job.state.taken? })
        };
        keys.iter().filter_map(held).collect()
    }

    /// Looks at all jobs. Only people ask for it.
    pub(super) fn list(&self, listing: &Listing) -> Vec<JobView> {
        let below = listing.before.as_ref().map(|before| self.below(before));
        let wanted = |job: &&Record| {
            listing.status.is_none_or(|status| job.state.status == status)
                && below.is_none_or(|below| job.number < below)
        };
        let mut found: Vec<&Record> = self.jobs.iter().filter(wanted).collect();
        if listing.most < found.len() {
            // Only what is shown is put in order: there may be a million others.
            found.select_nth_unstable_by_key(listing.most, |job| Reverse(job.number));
            found.truncate(listing.most);
        }
        found.sort_by_key(|job| Reverse(job.number));
        found.into_iter().map(|job| job.view(false)).collect()
    }

    /// The number from which on jobs come after a place.
    fn below(&self, before: &Cursor) -> u64 {
        if let Some(job) = self.key(&before.id).and_then(|key| self.jobs.get(key)) {
            return job.number;
        }
        // It is gone. Those of its millisecond come a second time rather than not at all.
        let earlier = self.jobs.iter().filter(|job| job.state.submitted <= before.submitted);
        earlier.map(|job| job.number + 1).max().unwrap_or_default()
    }

    pub(super) fn queued(&self) -> Vec<Key> {
        let waits = |(key, turn): &(Key, u32)| {
            self.jobs.get(*key).is_some_and(|job| job.turn == *turn && job.state.status == JobStatus::InQueue)
        };
        self.queues.iter().flatten().filter(|entry| waits(entry)).map(|(key, _)| *key).collect()
    }

    pub(super) fn oldest_queued(&self) -> Option<Timestamp> {
        let waits = |(key, turn): &(Key, u32)| {
            let job = self.jobs.get(*key).filter(|job| job.turn == *turn)?;
            let counts = job.state.status == JobStatus::InQueue && !job.state.terms.low_priority;
            counts.then_some(job.state.submitted)
        };
        self.queues.iter().flatten().find_map(waits)
    }

    pub(super) fn insert(&mut self, job: NewJob, now: Timestamp) -> Inserted {
        let id = job.id.clone();
        let idempotency = job.attached.as_ref().and_then(|attached| attached.key.clone());
        if let Some(idempotency) = &idempotency
            && let Some(there) = self.keys.get(&idempotency.name).and_then(|key| self.jobs.get(*key))
        {
            let same = there.idempotency().is_some_and(|other| other.fingerprint == idempotency.fingerprint);
            let id = there.id.clone();
            return if same { Inserted::Existing(id) } else { Inserted::KeyReused(id) };
        }
        let class = self.class(&job.terms);
        self.counts.low_priority += u64::from(job.terms.low_priority);
        let record = Record::new(job, self.inserted, now);
        self.inserted += 1;
        let due = self.rules.due(&record.state);
        let key = self.jobs.insert(record);
        self.index.insert(&id, key);
        self.counts.in_queue += 1;
        self.queues[class].push_back((key, 0));
        if let Some(idempotency) = idempotency {
            self.keys.insert(idempotency.name, key);
        }
        self.set_alarm(key, due);
        Inserted::New { due }
    }

    /// Which of the queues a job with these terms waits in.
    fn class(&self, terms: &Terms) -> usize {
        usize::from(terms.low_priority && self.rules.low_priority_waits)
    }

    fn next_queued(&mut self) -> Option<(Key, u32)> {
        self.queues.iter_mut().find_map(VecDeque::pop_front)
    }

    pub(super) fn claim(&mut self, worker: &WorkerId, most: usize, now: Timestamp) -> Claimed {
        let mut claimed = Claimed::default();
        while claimed.jobs.len() < most {
            let Some((key, turn)) = self.next_queued() else { break };
            let Some(job) = self.jobs.get_mut(key) else { continue };
            if job.turn != turn || job.state.status != JobStatus::InQueue {
                continue;
            }
            self.rules.step(&mut job.state, Event::Taken(worker), now);
            let attached = job.attached.as_deref();
            claimed.jobs.push(TakenJob {
                id: job.id.clone(),
                input: job.input.clone(),
                delay_time: job.state.delay_time(),
                webhook: attached.and_then(|attached| attached.webhook.clone()),
                policy: attached.and_then(|attached| attached.policy.clone()),
                extra: Claimed::extra(
                    attached.map(|attached| attached.extra.clone()).unwrap_or_default(),
                    job.state.retries,
                ),
            });
            let due = self.rules.due(&job.state);
            claimed.due = Some(claimed.due.map_or(due, |earlier| earlier.min(due)));
            self.counts.in_queue -= 1;
            self.counts.low_priority -= u64::from(job.state.terms.low_priority);
            self.counts.in_progress += 1;
            match self.held.get_mut(worker) {
                Some(held) => held.push(key),
                None => drop(self.held.insert(worker.clone(), vec![key])),
            }
            self.set_alarm(key, due);
        }
        claimed
    }

    /// Lets `event` happen to a job. `None`: it is gone.
    pub(super) fn step(&mut self, key: Key, event: Event<'_>, now: Timestamp) -> Option<Stepped> {
        let job = self.jobs.get_mut(key)?;
        let before = job.state.status;
        let (holder, retries) =
            (job.state.worker.clone().filter(|_| before == JobStatus::InProgress), job.state.retries);
        let mut effects = self.rules.step(&mut job.state, event, now);
        if let Some(outcome) = effects.outcome.take() {
            job.outcome = outcome;
        }
        if effects.drop_chunks {
            job.chunks = None;
        }
        if effects.drop_input {
            job.input = None;
        }
        let (after, retried) = (job.state.status, job.state.retries > retries);
        let due = self.rules.due(&job.state);
        let shown = shown(&job.id, &job.state, &job.outcome);
        let webhook = if effects.ended { job.webhook() } else { None };
        let low_priority = job.state.terms.low_priority;
        if before != after {
            self.moved(key, before, after, holder.as_ref());
            let in_queue = |status| u64::from(low_priority && status == JobStatus::InQueue);
            self.counts.low_priority = self.counts.low_priority + in_queue(after) - in_queue(before);
        }
        self.counts.retried += u64::from(retried);
        self.settle(key, &effects, due);
        Some(Stepped { effects, job: shown, due, webhook })
    }

    /// Lets time pass for the jobs whose alarm rings by `now`.
    pub(super) fn tick(&mut self, now: Timestamp, most: usize) -> Vec<Stepped> {
        let mut stepped = Vec::new();
        while stepped.len() < most {
            let Some((at, key)) = self.timers.first().filter(|(at, _)| *at <= now) else { break };
            self.timers.pop();
            let Some(job) = self.jobs.get_mut(key).filter(|job| job.alarm == at) else { continue };
            job.alarm = Timestamp::from_millis(u64::MAX);
            let due = self.rules.due(&job.state);
            if due > now {
                self.set_alarm(key, due);
            } else {
                stepped.extend(self.step(key, Event::Tick, now));
            }
        }
        stepped
    }

    pub(super) fn next_due(&mut self) -> Option<Timestamp> {
        loop {
            let (at, key) = self.timers.first()?;
            if self.jobs.get(key).is_some_and(|job| job.alarm == at) {
                return Some(at);
            }
            self.timers.pop();
        }
    }

    fn moved(&mut self, key: Key, before: JobStatus, after: JobStatus, holder: Option<&WorkerId>) {
        match before {
            JobStatus::InQueue => self.counts.in_queue -= 1,
            JobStatus::InProgress => self.counts.in_progress -= 1,
            _ => {}
        }
        match after {
            JobStatus::InQueue => self.counts.in_queue += 1,
            JobStatus::Completed => self.counts.completed += 1,
            JobStatus::Failed | JobStatus::TimedOut => self.counts.failed += 1,
            JobStatus::InProgress | JobStatus::Cancelled => {}
        }
        if let Some(held) = holder.and_then(|holder| self.held.get_mut(holder)) {
            // The list stays when it is empty: a worker that takes one job after the other would only build it again.
            held.retain(|other| *other != key);
        }
    }

    fn settle(&mut self, key: Key, effects: &Effects, due: Timestamp) {
        if effects.remove {
            self.remove(key);
            return;
        }
        let Some(job) = self.jobs.get_mut(key) else { return };
        if let Some(place) = effects.enqueue {
            self.ended.forget(std::mem::take(&mut job.counted));
            job.turn = job.turn.wrapping_add(1);
            let entry = (key, job.turn);
            let terms = job.state.terms;
            let queue = &mut self.queues[usize::from(terms.low_priority && self.rules.low_priority_waits)];
            match place {
                Place::Front => queue.push_front(entry),
                Place::Back => queue.push_back(entry),
            }
        }
        if effects.ended {
            job.counted = job.bytes();
            self.ended.push(key, job.counted);
            while let Some(oldest) = self.ended.pop_over_limit() {
                if self.jobs.get(oldest).is_some_and(|job| job.counted > 0) {
                    self.remove(oldest);
                }
            }
        }
        self.set_alarm(key, due);
    }

    fn remove(&mut self, key: Key) {
        let Some(job) = self.jobs.remove(key) else { return };
        self.index.remove(&job.id, key);
        if let Some(idempotency) = job.idempotency() {
            self.keys.remove(&idempotency.name);
        }
        self.ended.forget(job.counted);
        let jobs = &self.jobs;
        self.ended.tidy(jobs.len(), |key| jobs.get(key).is_some_and(|job| job.counted > 0));
        self.timers.tidy(jobs.len(), |at, key| jobs.get(key).is_some_and(|job| job.alarm == at));
    }

    /// Sets an alarm unless an earlier one is set, which will look again when it rings.
    fn set_alarm(&mut self, key: Key, due: Timestamp) {
        if let Some(job) = self.jobs.get_mut(key)
            && due < job.alarm
        {
            job.alarm = due;
            self.timers.set(due, key);
        }
    }
}
