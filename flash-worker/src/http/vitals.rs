use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::limits::Limits;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Between two requests.
    Idle = 0,
    /// The head of a request has begun to come.
    Head = 1,
    /// A request is being answered.
    Busy = 2,
    /// It speaks another protocol now, such as WebSocket.
    Upgraded = 3,
}

/// What a connection is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Order {
    /// Go on.
    None = 0,
    /// Close when the request that is under way is answered.
    Finish = 1,
    /// Close now.
    Close = 2,
}

/// Milliseconds as the watch saw them last. Reading the time on every read and write would cost more than the watch needs.
pub(super) type Tick = Arc<AtomicU64>;

/// The state of one connection, which its parts note and the watch reads.
#[derive(Debug)]
pub(super) struct Vitals {
    phase: AtomicU8,
    since: AtomicU64,
    /// Since when the client has read nothing although something waits for it; 0 when nothing does.
    blocked: AtomicU64,
    order: AtomicU8,
    ordered: Notify,
    tick: Tick,
}

impl Vitals {
    pub(super) fn new(tick: Tick) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Idle as u8),
            since: AtomicU64::new(tick.load(Ordering::Relaxed)),
            blocked: AtomicU64::new(0),
            order: AtomicU8::new(Order::None as u8),
            ordered: Notify::new(),
            tick,
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.since.store(self.tick.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    pub(super) fn received(&self) {
        if self.is(Phase::Idle) {
            self.enter(Phase::Head);
        }
    }

    pub(super) fn begun(&self) {
        self.enter(Phase::Busy);
    }

    pub(super) fn answered(&self) {
        if self.is(Phase::Busy) {
            self.enter(Phase::Idle);
        }
    }

    pub(super) fn upgraded(&self) {
        self.enter(Phase::Upgraded);
    }

    pub(super) fn blocked(&self) {
        let now = self.tick.load(Ordering::Relaxed).max(1);
        let _ = self.blocked.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(super) fn unblocked(&self) {
        if self.blocked.load(Ordering::Relaxed) != 0 {
            self.blocked.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.is(Phase::Upgraded)
    }

    /// Since when the connection has been without a request.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let is_idle = self.is(Phase::Idle) || self.is(Phase::Head);
        is_idle.then(|| self.since.load(Ordering::Relaxed))
    }

    /// Why the connection has to be closed now.
    pub(super) fn overdue(&self, now: u64, limits: &Limits) -> Option<&'static str> {
        let longer = |since: u64, limit: Duration| u128::from(now.saturating_sub(since)) > limit.as_millis();
        let since = self.since.load(Ordering::Relaxed);
        let blocked = self.blocked.load(Ordering::Relaxed);
        if blocked != 0 && longer(blocked, limits.stall_time) {
            return Some("the client reads nothing");
        }
        if self.is(Phase::Head) && longer(since, limits.head_time) {
            return Some("the head of a request did not come in time");
        }
        if self.is(Phase::Idle) && longer(since, limits.idle_time) {
            return Some("no request came");
        }
        None
    }

    pub(super) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::Relaxed);
        self.ordered.notify_one();
    }

    /// Waits for an order that is not `known`.
    pub(super) async fn order(&self, known: Order) -> Order {
        loop {
            match self.order.load(Ordering::Relaxed) {
                order if order == known as u8 || order == Order::None as u8 => self.ordered.notified().await,
                order if order == Order::Finish as u8 => return Order::Finish,
                _ => return Order::Close,
            }
        }
    }
}

/// A request that is being answered, until its answer is written.
#[derive(Debug)]
pub(super) struct Busy(Arc<Vitals>);

impl Busy {
    pub(super) fn new(vitals: &Arc<Vitals>) -> Self {
        vitals.begun();
        Self(Arc::clone(vitals))
    }

    pub(super) fn upgraded(&self) {
        self.0.upgraded();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.answered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_slowness_has_its_limit() {
        let tick = Tick::default();
        let limits = Limits::default();
        let vitals = Arc::new(Vitals::new(tick.clone()));
        let after = |duration: Duration| {
            let base = tick.load(Ordering::Relaxed);
            (base + duration.as_millis() as u64, base + duration.as_millis() as u64 + 1)
        };
        let (still, late) = after(limits.idle_time);
        assert_eq!(
            (vitals.overdue(still, &limits), vitals.overdue(late, &limits)),
            (None, Some("no request came"))
        );

        tick.store(5_000, Ordering::Relaxed);
        vitals.received();
        tick.store(6_000, Ordering::Relaxed);
        // A byte now and then does not begin the time again.
        vitals.received();
        assert_eq!(vitals.overdue(5_000 + 20_000, &limits), None);
        assert!(vitals.overdue(5_001 + 20_000, &limits).unwrap().contains("head"));

        // A function may take its time.
        let busy = Busy::new(&vitals);
        assert_eq!((vitals.overdue(u64::MAX, &limits), vitals.idle_since()), (None, None));
        vitals.blocked();
        tick.store(30_000, Ordering::Relaxed);
        vitals.blocked();
        assert_eq!(vitals.overdue(6_000 + 60_000, &limits), None);
        assert!(vitals.overdue(6_001 + 60_000, &limits).unwrap().contains("reads nothing"));
        vitals.unblocked();
        assert_eq!(vitals.overdue(u64::MAX, &limits), None);
        drop(busy);
        assert_eq!(vitals.idle_since(), Some(30_000));
    }

    #[test]
    fn a_websocket_is_nobodys_idle_connection() {
        let limits = Limits::default();
        let vitals = Arc::new(Vitals::new(Tick::default()));
        let busy = Busy::new(&vitals);
        busy.upgraded();
        drop(busy);
        assert_eq!((vitals.overdue(u64::MAX, &limits), vitals.idle_since()), (None, None));
        assert!(vitals.is_upgraded());
    }
}
