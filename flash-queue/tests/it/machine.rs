//! The pure machine over random schedules, and the transitions that the platform contract names.

use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::WorkerId;
use flash_core::wire::JobStatus::{self, Cancelled, Completed, Failed, InProgress, InQueue, TimedOut};
use flash_queue::limits::Overdue;
use flash_queue::machine::{Effects, Event, JobState, Outcome, Place, Rules, Terms, Verdict};
use flash_queue::{Limits, Payload};

use crate::rng::Rng;

const TERMS: Terms = Terms {
    execution_timeout: Duration::from_secs(600),
    ttl: Duration::from_secs(86_400),
    retention: Duration::from_secs(60),
    low_priority: false,
};

fn rules() -> Rules {
    Rules::from(&Limits::default())
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn worker(n: u64) -> WorkerId {
    WorkerId::from(format!("w{n}"))
}

fn payload(n: u64) -> Payload {
    Payload::from_json(n.to_string()).unwrap()
}

/// A job, what it shows, and what a naive reader would say must be true of it.
struct Model {
    rules: Rules,
    job: JobState,
    outcome: Outcome,
    now: Timestamp,
    removed: bool,
    ends: u32,
    retried: u32,
}

impl Model {
    fn new(rules: Rules) -> Self {
        let job = JobState::submitted(at(0), TERMS);
        Self { rules, job, outcome: Outcome::default(), now: at(0), removed: false, ends: 0, retried: 0 }
    }

    fn step(&mut self, event: Event<'_>) {
        let what = format!("{event:?}");
        let is_retry = matches!(event, Event::Retry);
        let (before, shown_before) = (self.job.clone(), self.outcome.clone());
        let effects = self.rules.step(&mut self.job, event, self.now);
        let after = self.job.status;
        let context = format!("{what} at {:?}: {before:?} -> {:?}, {effects:?}", self.now, self.job);
        if effects.verdict != Verdict::Applied {
            assert_eq!(self.job, before, "an event that did not count changed the job: {context}");
            let nothing = Effects { verdict: effects.verdict, ..Effects::default() };
            assert_eq!(effects, nothing, "{context}");
            return;
        }
        if let Some(outcome) = effects.outcome.clone() {
            self.outcome = outcome;
        }
        if before.status.is_terminal() && !is_retry {
            assert_eq!((after, &self.outcome), (before.status, &shown_before), "overwritten: {context}");
            assert!(effects.remove, "only removal is left for a job that ended: {context}");
        }
        if is_retry {
            assert!(matches!(before.status, Failed | TimedOut) && after == InQueue, "{context}");
            assert_eq!(self.outcome, Outcome::default(), "old output and error are gone: {context}");
            self.retried += 1;
        }
        assert_eq!(effects.ended, !before.status.is_terminal() && after.is_terminal(), "{context}");
        assert_eq!(effects.enqueue.is_some(), before.status != InQueue && after == InQueue, "{context}");
        if let Some(stop) = &effects.stop {
            assert!(before.is_held_by(stop), "only the holder is stopped: {context}");
            assert!(after.is_terminal(), "{context}");
        }
        assert!(self.job.retries <= self.rules.lost_worker_retries, "{context}");
        assert_eq!(self.job.ended.is_some(), after.is_terminal(), "{context}");
        self.ends += u32::from(effects.ended);
        self.removed |= effects.remove;
    }
}

#[test]
fn a_job_ends_once_and_is_never_overwritten() {
    let mut seen = std::collections::HashSet::new();
    for seed in 0..2_000 {
        let mut rng = Rng(seed);
        let mut rules = rules();
        rules.lost_worker_retries = (seed % 3) as u32;
        rules.ttl_removes = seed % 2 == 0;
        rules.overdue = if seed % 5 == 0 { Overdue::Failed } else { Overdue::TimedOut };
        let mut model = Model::new(rules);
        for n in 0..60 {
            let (a, error) = (worker(rng.below(3)), std::sync::Arc::from("boom"));
            match rng.below(40) {
                0..=11 => model.step(Event::Taken(&a)),
                12..=15 => model.step(Event::Progress(&a, Some(payload(n)))),
                16..=18 => model.step(Event::Completed(&a, Some(payload(n)))),
                19..=21 => model.step(Event::Failed(&a, error, None)),
                22..=28 => model.step(Event::WorkerLost(&a)),
                29 => model.step(Event::Cancel),
                30 => model.step(Event::Purge),
                31..=33 => model.step(Event::Retry),
                _ => {
                    // To the moment itself, just before it, or somewhere.
                    let due = model.rules.due(&model.job);
                    model.now = match rng.below(4) {
                        0 => model.now.max(due),
                        1 => model.now.max(due - Duration::from_millis(1)),
                        _ => model.now + Duration::from_millis(rng.below(10_000)),
                    };
                    model.step(Event::Tick);
                }
            }
            seen.insert(model.job.status);
            if model.removed {
                break;
            }
        }
        let open = u32::from(!model.job.status.is_terminal());
        assert_eq!(model.ends + open, 1 + model.retried, "seed {seed}: one end per life");
    }
    assert_eq!(seen.len(), JobStatus::ALL.len(), "the schedules reach every state: {seen:?}");
}

#[test]
fn the_same_schedule_gives_the_same_life() {
    let life = |seed: u64| {
        let mut rng = Rng(seed);
        let (mut job, mut trace, mut now) = (JobState::submitted(at(0), TERMS), String::new(), at(0));
        for n in 0..40 {
            let a = worker(rng.below(3));
            now = now + Duration::from_millis(rng.below(200_000));
            let event = match rng.below(8) {
                0..=1 => Event::Taken(&a),
                2 => Event::Progress(&a, Some(payload(n))),
                3 => Event::Completed(&a, Some(payload(n))),
                4 => Event::Failed(&a, "boom".into(), None),
                5 => Event::WorkerLost(&a),
                6 => Event::Retry,
                _ => Event::Tick,
            };
            let effects = rules().step(&mut job, event, now);
            trace.push_str(&format!("{job:?} {effects:?}\n"));
        }
        trace
    };
    let lives: Vec<String> = (0..100).map(life).collect();
    assert!((0..100).map(life).eq(lives.iter().cloned()));
    let different: std::collections::HashSet<_> = lives.iter().collect();
    assert!(different.len() > 90, "the seeds are different lives: {}", different.len());
}

#[test]
fn time_alone_ends_and_removes_every_job() {
    for seed in 0..500 {
        let mut rng = Rng(seed);
        let mut model = Model::new(rules());
        for _ in 0..rng.below(12) {
            let a = worker(rng.below(2));
            match rng.below(4) {
                0..=1 => model.step(Event::Taken(&a)),
                2 => model.step(Event::WorkerLost(&a)),
                _ => model.step(Event::Cancel),
            }
        }
        let mut ticks = 0;
        while !model.removed {
            model.now = model.rules.due(&model.job);
            model.step(Event::Tick);
            ticks += 1;
            assert!(ticks <= 3, "seed {seed}: {:?}", model.job);
        }
        assert_eq!(model.ends, 1, "seed {seed}");
    }
}

fn after(events: &[fn(&mut JobState) -> Effects]) -> (JobState, Effects) {
    let mut job = JobState::submitted(at(0), TERMS);
    let mut last = Effects::default();
    for event in events {
        last = event(&mut job);
    }
    (job, last)
}

fn take(job: &mut JobState) -> Effects {
    rules().step(job, Event::Taken(&worker(1)), at(824))
}

fn lose(job: &mut JobState) -> Effects {
    rules().step(job, Event::WorkerLost(&worker(1)), at(45_824))
}

fn take_again(job: &mut JobState) -> Effects {
    rules().step(job, Event::Taken(&worker(2)), at(50_000))
}

fn lose_again(job: &mut JobState) -> Effects {
    rules().step(job, Event::WorkerLost(&worker(2)), at(92_078))
}

fn complete(job: &mut JobState) -> Effects {
    rules().step(job, Event::Completed(&worker(1), Some(payload(7))), at(60_000))
}

#[test]
fn a_lost_worker_means_one_more_try_and_then_the_documented_error() {
    let (job, effects) = after(&[take, lose]);
    assert_eq!((job.status, job.retries, effects.enqueue), (InQueue, 1, Some(Place::Front)));
    let (job, effects) = after(&[take, lose, take_again, lose_again]);
    let outcome = effects.outcome.unwrap();
    assert_eq!((job.status, job.retries), (Failed, 1));
    assert_eq!(outcome.error.as_deref(), Some("job timed out after 1 retries"));
    assert_eq!((job.delay_time(), job.execution_time()), (Some(50_000), Some(42_078)));
    assert_eq!(job.worker, Some(worker(2)));
}

#[test]
fn a_worker_taken_for_lost_may_still_answer() {
    let (job, effects) = after(&[take, lose, complete]);
    assert_eq!((job.status, effects.stop), (Completed, None));
    let (job, effects) = after(&[take, lose, take_again, complete]);
    assert_eq!((job.status, effects.stop), (Completed, Some(worker(2))), "the second run is moot");
    let (job, _) = after(&[complete]);
    assert_eq!(job.status, InQueue, "nobody had it yet");
    let failure: fn(&mut JobState) -> Effects =
        |job| rules().step(job, Event::Failed(&worker(1), "draining".into(), None), at(60_000));
    let (job, _) = after(&[take, lose, take_again, failure]);
    assert_eq!(job.status, InProgress, "its failure does not count, the second run may succeed");
}

#[test]
fn the_cancelled_are_stopped_and_stay_cancelled() {
    let cancel: fn(&mut JobState) -> Effects = |job| rules().step(job, Event::Cancel, at(1_000));
    let (job, effects) = after(&[take, cancel]);
    assert_eq!((job.status, effects.stop, effects.drop_input), (Cancelled, Some(worker(1)), true));
    let (job, effects) = after(&[take, cancel, complete]);
    assert_eq!((job.status, effects.verdict), (Cancelled, Verdict::Ignored));
    let (_, effects) = after(&[cancel, |job| rules().step(job, Event::Retry, at(2_000))]);
    assert_eq!(effects.verdict, Verdict::Refused);
}

#[test]
fn a_ttl_ends_and_removes_or_only_ends() {
    for removes in [true, false] {
        let rules = Rules { ttl_removes: removes, ..rules() };
        let mut job = JobState::submitted(at(0), TERMS);
        rules.step(&mut job, Event::Taken(&worker(1)), at(86_399_000));
        let now = rules.due(&job);
        assert_eq!(now, at(86_400_000));
        let effects = rules.step(&mut job, Event::Tick, now);
        assert_eq!((job.status, effects.remove, effects.stop), (TimedOut, removes, Some(worker(1))));
        assert_eq!(rules.due(&job) > now, !removes, "a job that is kept is kept for its retention");
    }
}
