//! The workers of one endpoint: starts as many as are wanted, from the plan in force, and lets the others go.

use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::WorkerId;
use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::decide::{Seen, Stage, Wanted, decide};
use super::info::WorkerState;
use super::roster::Entry;
use super::{Plan, worker};
use crate::endpoint::Endpoint;
use crate::plane::Plane;
use crate::scaling::Load;

/// How often the load is looked at while workers may have to come or go because of time alone.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps the right number of workers of `endpoint` until the platform or the endpoint stops.
pub(crate) async fn fleet(plane: Arc<Plane>, endpoint: Arc<Endpoint>) {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let now = plane.clock.now();
    let mut fleet = Fleet {
        members: Vec::new(),
        backoff: Backoff::default(),
        not_before: now,
        added: Timestamp::default(),
        waiting_since: None,
        withdrawn: 0,
        ended,
        plane: plane.clone(),
        endpoint: endpoint.clone(),
    };
    let mut plans = endpoint.watch_plan();
    let mut roster = plane.roster.watch();
    while !endpoint.stop.is_cancelled() {
        plans.borrow_and_update();
        roster.borrow_and_update();
        let wake = match endpoint.plan() {
            Some(plan) => fleet.look(&plan).await,
            None => None,
        };
        let pause = async {
            match wake {
                Some(at) => plane.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let scales = endpoint.plan().is_some_and(|plan| !plan.scaling.is_fixed());
        tokio::select! {
            () = endpoint.stop.cancelled() => break,
            _ = plans.changed() => {}
            Some(end) = ends.recv() => fleet.ended(&end),
            _ = roster.changed(), if !fleet.members.is_empty() => {}
            () = attention(&endpoint, scales) => {}
            () = pause => {}
        }
        // The senders live as long as the loop, so none of these can spin because it is closed.
    }
    // Each worker has a task of its own, which ends it: the platform waits for those.
}

/// Waits for something that is worth a look.
async fn attention(endpoint: &Endpoint, scales: bool) {
    match &endpoint.queue {
        Some(queue) => queue.attention().await,
        None if scales => endpoint.pool.attention().await,
        None => std::future::pending().await,
    }
}

/// A worker that has ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) id: WorkerId,
    /// Whether it was asked to.
    pub(super) asked: bool,
    pub(super) lived: Duration,
}

#[derive(Debug)]
struct Member {
    entry: Arc<Entry>,
    going: bool,
}

struct Fleet {
    plane: Arc<Plane>,
    endpoint: Arc<Endpoint>,
    members: Vec<Member>,
    backoff: Backoff,
    /// Nothing is started before this moment, because the last ones died.
    not_before: Timestamp,
    /// When the last worker was added by the scaler.
    added: Timestamp,
    waiting_since: Option<Timestamp>,
    /// Workers that somebody stopped for good: they are not replaced.
    withdrawn: usize,
    ended: mpsc::UnboundedSender<End>,
}

impl Fleet {
    /// Looks at everything once and does what is to be done. Answers when to look again, if nothing happens before.
    async fn look(&mut self, plan: &Plan) -> Option<Timestamp> {
        let now = self.plane.clock.now();
        let load = self.load(now).await;
        let busy = self.busy().await;
        let scaling = plan.scaling;
        let seen: Vec<Seen> = self.members.iter().map(|member| self.seen(member, plan, &busy, now)).collect();
        let staying = seen.iter().filter(|seen| matches!(seen.stage, Stage::Coming | Stage::Ready)).count();
        let leaving = self.members.iter().filter(|one| !one.going && one.entry.stop.is_cancelled()).count();
        let max = scaling.max.saturating_sub(self.withdrawn + leaving);
        let min = scaling.min.min(max);
        let asked = if scaling.is_fixed() {
            min
        } else {
            scaling.scaler.asks_for(load, staying, now.since(self.added))
        };
        let decision = decide(&seen, Wanted { asked, min, max });
        for id in &decision.drain {
            self.drain(id, plan);
        }
        let mut wake = None;
        if decision.start > 0 {
            if now >= self.not_before {
                for _ in 0..decision.start {
                    self.start(plan, now);
                }
            } else {
                wake = Some(self.not_before);
            }
        }
        let unhealthy = self.members.iter().any(|member| member.entry.state() == WorkerState::Unhealthy);
        let restless = unhealthy || (!scaling.is_fixed() && (load.waiting > 0 || staying > min));
        let soon = restless.then(|| now + LOOK);
        wake.into_iter().chain(soon).min()
    }

    fn start(&mut self, plan: &Plan, now: Timestamp) {
        self.added = now;
        let queued = self.waiting_since.unwrap_or(now);
        match worker::start(&self.plane, &self.endpoint, plan, queued, self.ended.clone()) {
            Ok(entry) => self.members.push(Member { entry, going: false }),
            Err(error) => {
                tracing::error!(endpoint = %self.endpoint.id, %error, "failed to start a worker");
                self.pause(Duration::ZERO);
            }
        }
    }

    fn drain(&mut self, id: &WorkerId, plan: &Plan) {
        let Some(member) = self.members.iter_mut().find(|member| member.entry.id == *id) else { return };
        member.going = true;
        let broken = member.entry.state() == WorkerState::Unhealthy;
        let reported = self.endpoint.queue.as_ref().and_then(|queue| queue.worker_signs(id));
        let lived = self.plane.clock.now().since(member.entry.phases().starting);
        let is_crash = broken || reported.is_some_and(|signs| signs.unhealthy);
        tracing::info!(endpoint = %self.endpoint.id, worker = %id, release = member.entry.version, current = plan.version, "worker is let go");
        member.entry.logs.system("worker gets no more work and stops when it has finished what it has");
        if broken {
            member.entry.stop.cancel();
        } else {
            member.entry.drain.cancel();
        }
        if is_crash {
            self.pause(lived);
        }
    }

    fn ended(&mut self, end: &End) {
        let Some(at) = self.members.iter().position(|member| member.entry.id == end.id) else { return };
        let member = self.members.remove(at);
        if member.going {
            return;
        }
        if end.asked {
            self.withdrawn += 1;
        } else {
            self.pause(end.lived);
        }
    }

    fn pause(&mut self, lived: Duration) {
        self.not_before = self.plane.clock.now() + self.backoff.died(lived, &self.plane.limits);
    }

    fn seen(&self, member: &Member, plan: &Plan, busy: &[WorkerId], now: Timestamp) -> Seen {
        let entry = &member.entry;
        let signs = self.endpoint.queue.as_ref().and_then(|queue| queue.worker_signs(&entry.id));
        let (is_busy, worked) = match &self.endpoint.queue {
            Some(_) => (busy.contains(&entry.id), signs.and_then(|signs| signs.worked)),
            None => self.endpoint.pool.work_of(&entry.id),
        };
        let broken = signs.is_some_and(|signs| signs.unhealthy || signs.refresh)
            || entry.unhealthy_for(now) >= Some(self.plane.limits.unhealthy_replaced);
        let stage = match entry.state() {
            _ if member.going => Stage::Going,
            WorkerState::Draining | WorkerState::Stopping | WorkerState::Exited(_) => Stage::Going,
            _ if broken => Stage::Done,
            WorkerState::Starting => Stage::Coming,
            WorkerState::Ready | WorkerState::Unhealthy => Stage::Ready,
        };
        let idle_since = worked.max(entry.phases().ready);
        let expired = stage == Stage::Ready
            && !is_busy
            && idle_since.is_some_and(|since| now.since(since) >= plan.scaling.idle_timeout);
        Seen { id: entry.id.clone(), stage, current: entry.version == plan.version, busy: is_busy, expired }
    }

    async fn load(&mut self, now: Timestamp) -> Load {
        let load = match &self.endpoint.queue {
            Some(queue) => match queue.load().await {
                Ok(load) => Load {
                    waiting: load.waiting,
                    running: load.running,
                    oldest: load.oldest.map_or(Duration::ZERO, |at| now.since(at)),
                },
                Err(error) => {
                    tracing::error!(endpoint = %self.endpoint.id, %error, "failed to look at the queue");
                    Load::default()
                }
            },
            None => self.endpoint.pool.load(now),
        };
        self.waiting_since = (load.waiting > 0).then(|| now - load.oldest);
        load
    }

    async fn busy(&self) -> Vec<WorkerId> {
        match &self.endpoint.queue {
            Some(queue) => queue.busy_workers().await.unwrap_or_default(),
            None => Vec::new(),
        }
    }
}
