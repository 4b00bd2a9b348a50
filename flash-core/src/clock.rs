//! The one source of time for everything that has deadlines: real in production, moved by hand in tests.
//!
//! tokio's paused time is not used, because it jumps whenever the runtime is idle, and a runtime that waits for a real
//! socket looks idle. Here only [`TestClock::advance`] moves time, so sockets, processes and foreign threads can take part.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pin_project_lite::pin_project;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

/// A moment: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment that is this many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is in the future, which happens when the wall clock was set back.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

/// Whole milliseconds, rounded up: a sleep of 1 µs must not become one of nothing.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Where code asks for the time and sleeps. Clones share the same time.
#[derive(Clone, Default)]
pub struct Clock {
    test: Option<Arc<TestTime>>,
}

/// [`Clock::timeout`]: the time was over before the future was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is over")]
#[non_exhaustive]
pub struct Elapsed;

impl Clock {
    /// The clock of this machine. Its time is the wall clock's, because deadlines travel between machines and outlive
    /// processes; so it can jump.
    pub const fn real() -> Self {
        Self { test: None }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match &self.test {
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                // Asked several times for each job: without the 128 bits of `as_millis`.
                Timestamp(since.as_secs().saturating_mul(1_000) + u64::from(since.subsec_millis()))
            }
            Some(time) => time.lock().now,
        }
    }

    /// Sleeps until the clock shows `at` or later. Dropping the future takes the sleeper off the clock.
    pub async fn sleep_until(&self, at: Timestamp) {
        let Some(time) = &self.test else {
            // A wall clock that was set back while we slept means that the moment has not come yet.
            loop {
                let now = self.now();
                if now >= at {
                    return;
                }
                tokio::time::sleep(at.since(now)).await;
            }
        };
        if let Some(woken) = time.register(at) {
            // An error means that the clock is gone, and then nothing can ever wake this sleeper.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sleeps for `duration` (whole milliseconds, rounded up).
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    /// Runs `future` for at most `duration`, from this call on.
    ///
    /// # Errors
    /// [`Elapsed`] when the time is over first; the future is dropped then.
    pub fn timeout<F: Future>(
        &self,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> {
        self.timeout_at(self.now() + duration, future)
    }

    /// Runs `future` until `at` at the latest.
    ///
    /// # Errors
    /// [`Elapsed`] when the moment comes first; the future is dropped then.
    pub fn timeout_at<F: Future>(
        &self,
        at: Timestamp,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> {
        Bounded { future, over: self.sleep_until(at) }
    }
}

pin_project! {
    /// A future and the end of its time. An `async fn` would keep its argument twice, once as given and once pinned, and a
    /// future of kilobytes would be moved as often.
    struct Bounded<F, S> {
        #[pin]
        future: F,
        #[pin]
        over: S,
    }
}

impl<F: Future, S: Future<Output = ()>> Future for Bounded<F, S> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.over.poll(cx).map(|()| Err(Elapsed)),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.test.is_some() { "Clock(test)" } else { "Clock(real)" })
    }
}

/// The hand on a test's clock. Time stands still until [`advance`](Self::advance) moves it.
#[derive(Clone)]
pub struct TestClock {
    time: Arc<TestTime>,
}

struct TestTime {
    state: Mutex<TestState>,
    /// Counts registrations, for those who wait for a sleeper.
    registered: watch::Sender<u64>,
}

struct TestState {
    now: Timestamp,
    /// By moment, then in the order in which they went to sleep.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    next: u64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// A clock that stands at 2026-01-01 00:00:00 UTC.
    pub fn new() -> Self {
        Self::at(Timestamp(1_767_225_600_000))
    }

    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        let state = Mutex::new(TestState { now, sleepers: BTreeMap::new(), next: 0 });
        Self { time: Arc::new(TestTime { state, registered: watch::Sender::new(0) }) }
    }

    /// The clock to hand to the code under test.
    pub fn clock(&self) -> Clock {
        Clock { test: Some(self.time.clone()) }
    }

    /// The time that the clock shows.
    pub fn now(&self) -> Timestamp {
        self.time.lock().now
    }

    /// Moves time forward by `duration`, stopping at each sleeper's moment on the way: the sleeper is woken while the
    /// clock shows that moment, and gets a turn (on a current-thread runtime) before time goes on. What it sleeps for
    /// next is honoured when it lies within `duration`.
    pub async fn advance(&self, duration: Duration) {
        let end = self.now() + duration;
        loop {
            let woken = {
                let mut state = self.time.lock();
                match state.sleepers.first_key_value() {
                    Some((&(at, _), _)) if at <= end => {
                        let (_, sleeper) = state.sleepers.pop_first().unwrap_or_else(|| unreachable!());
                        state.now = state.now.max(at);
                        sleeper.send(()).is_ok()
                    }
                    _ => {
                        state.now = state.now.max(end);
                        break;
                    }
                }
            };
            if woken {
                settle().await;
            }
        }
        settle().await;
    }

    /// How many sleepers wait for this clock.
    pub fn sleepers(&self) -> usize {
        self.time.lock().sleepers.values().filter(|sleeper| !sleeper.is_closed()).count()
    }

    /// The moment of the sleeper that wakes next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.time.lock().sleepers.iter().find(|(_, sleeper)| !sleeper.is_closed()).map(|((at, _), _)| *at)
    }

    /// Waits until somebody sleeps exactly until `at`, so that a test moves time only after the code under test has
    /// gone to sleep.
    pub async fn sleeping_until(&self, at: Timestamp) {
        let mut registered = self.time.registered.subscribe();
        loop {
            registered.borrow_and_update();
            let asleep = |((moment, _), sleeper): (&(Timestamp, u64), &oneshot::Sender<()>)| {
                *moment == at && !sleeper.is_closed()
            };
            if self.time.lock().sleepers.iter().any(asleep) {
                return;
            }
            // The sender lives as long as `self`, so this can not fail.
            let _ = registered.changed().await;
        }
    }

    /// Waits until somebody sleeps for exactly `duration` from now on.
    pub async fn sleeping_for(&self, duration: Duration) {
        self.sleeping_until(self.now() + duration).await;
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClock").field("now", &self.now()).field("sleepers", &self.sleepers()).finish()
    }
}

impl TestTime {
    fn lock(&self) -> MutexGuard<'_, TestState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when the moment has come already.
    fn register(&self, at: Timestamp) -> Option<oneshot::Receiver<()>> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            if at <= state.now {
                return None;
            }
            state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
            let seq = state.next;
            state.next += 1;
            state.sleepers.insert((at, seq), sender);
        }
        self.registered.send_modify(|count| *count += 1);
        Some(receiver)
    }
}

/// Lets tasks that were just woken run. A handful of turns covers a task that hands on to another one.
async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn sleepers_wake_in_order_at_their_own_moment() {
        block_on(async {
            let test = TestClock::new();
            let start = test.now();
            let seen = Arc::new(Mutex::new(Vec::new()));
            for (name, seconds) in [("c", 30), ("a", 10), ("b", 20), ("late", 60)] {
                let (clock, seen) = (test.clock(), seen.clone());
                tokio::spawn(async move {
                    clock.sleep(SECOND * seconds).await;
                    seen.lock().unwrap().push((name, clock.now().since(start).as_secs()));
                });
            }
            test.sleeping_for(SECOND * 60).await;
            assert_eq!(test.sleepers(), 4);
            test.advance(SECOND * 45).await;
            assert_eq!(*seen.lock().unwrap(), [("a", 10), ("b", 20), ("c", 30)]);
            assert_eq!(test.now().since(start), SECOND * 45);
            assert_eq!(test.next_wake(), Some(start + SECOND * 60));
        });
    }

    #[test]
    fn a_loop_of_sleeps_ticks_through_one_advance() {
        block_on(async {
            let test = TestClock::new();
            let (clock, ticks) = (test.clock(), Arc::new(Mutex::new(0)));
            let counted = ticks.clone();
            tokio::spawn(async move {
                loop {
                    clock.sleep(SECOND).await;
                    *counted.lock().unwrap() += 1;
                }
            });
            test.sleeping_for(SECOND).await;
            test.advance(SECOND * 100).await;
            assert_eq!(*ticks.lock().unwrap(), 100);
        });
    }

    #[test]
    fn a_timeout_drops_the_future_and_its_sleeper() {
        block_on(async {
            let test = TestClock::new();
            let clock = test.clock();
            assert_eq!(clock.timeout(SECOND, async { 7 }).await, Ok(7));
            assert_eq!(test.sleepers(), 0);
            let waiting =
                tokio::spawn(async move { clock.timeout(SECOND, std::future::pending::<()>()).await });
            test.sleeping_for(SECOND).await;
            test.advance(SECOND).await;
            assert_eq!(waiting.await.unwrap(), Err(Elapsed));
        });
    }

    #[test]
    fn the_past_is_no_reason_to_sleep() {
        block_on(async {
            for clock in [Clock::real(), TestClock::new().clock()] {
                clock.sleep_until(clock.now() - SECOND).await;
                clock.sleep(Duration::ZERO).await;
            }
            assert!(Clock::real().now() > Timestamp::from_millis(1_700_000_000_000));
        });
    }

    #[test]
    fn times_saturate() {
        let at = Timestamp::from_millis(5);
        assert_eq!(at.since(Timestamp::from_millis(9)), Duration::ZERO);
        assert_eq!(at - SECOND, Timestamp::from_millis(0));
        assert_eq!(at + Duration::MAX, Timestamp::from_millis(u64::MAX));
        assert_eq!(at + Duration::from_nanos(1), Timestamp::from_millis(6));
    }
}
