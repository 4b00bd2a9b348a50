use std::pin::pin;
use std::time::{Duration, Instant};

use flash_core::WaitReason;
use flash_core::wire::Health;
use flash_platform::control::{LiveWorker, Platform, RunPod};
use reqwest::Method;

use super::call::ask;
use crate::output::Output;

/// How long a call takes before anybody asks why.
pub(super) const MOMENT: Duration = Duration::from_secs(2);
/// Between two looks at why it waits.
const LOOKS: Duration = Duration::from_secs(3);
/// What one look may take: the call is not looked at meanwhile.
const LOOK: Duration = Duration::from_secs(5);

/// Why a call has no worker yet. Each reason is said once, when it begins to hold.
pub(super) struct Waits<'a> {
    pub(super) platform: &'a RunPod,
    /// Where the endpoint is called.
    pub(super) address: &'a str,
    /// Its id, where the manifest tells it.
    endpoint: Option<&'a str>,
    output: Output,
    pub(super) begun: Instant,
    looked: Option<Instant>,
    reason: Option<WaitReason>,
}

impl<'a> Waits<'a> {
    /// A call that begins now.
    pub(super) fn new(
        platform: &'a RunPod,
        address: &'a str,
        endpoint: Option<&'a str>,
        output: Output,
    ) -> Self {
        Self { platform, address, endpoint, output, begun: Instant::now(), looked: None, reason: None }
    }

    /// The job is in the queue: asks why, unless that was done just now. An endpoint that does not say is no failure.
    pub(super) async fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOKS) {
            return;
        }
        if let Ok(Some(health)) = tokio::time::timeout(LOOK, self.health()).await {
            self.say(&health).await;
        }
        self.looked = Some(Instant::now());
    }

    /// Does the `work` of an HTTP endpoint, which says nothing until it answers.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut pause = MOMENT;
        loop {
            if let Ok(done) = tokio::time::timeout(pause, &mut work).await {
                return done;
            }
            pause = LOOKS;
            let Some(id) = self.endpoint else { continue };
            if let Ok(Ok(workers)) = tokio::time::timeout(LOOK, self.platform.workers(id)).await {
                self.say(&health_of(&workers)).await;
            }
        }
    }

    /// A worker has the job.
    pub(super) fn over(&mut self) {
        if self.reason.take().is_some() {
            self.output.note(format_args!("a worker runs it ({} s)", self.begun.elapsed().as_secs()));
        }
    }

    /// `: no worker runs`, for the end of a message.
    pub(super) fn text(&self) -> String {
        self.reason.map(|reason| format!(": {reason}")).unwrap_or_default()
    }

    async fn say(&mut self, health: &Health) {
        let reason = WaitReason::of(health, self.most().await);
        match reason {
            Some(now) if reason != self.reason => {
                let waited = self.begun.elapsed().as_secs();
                self.output.note(format_args!("the call waits: {now} ({waited} s)"));
            }
            _ => {}
        }
        self.reason = reason;
    }

    /// What a queue says of itself.
    async fn health(&self) -> Option<Health> {
        let url = format!("{}/health", self.address);
        let (_, answer) = ask(self.platform, Method::GET, &url, None, LOOK).await.ok()?;
        serde_json::from_value(answer).ok()
    }

    /// The most workers that the endpoint may have, asked of the platform: somebody may have changed it since the app was
    /// deployed.
    async fn most(&self) -> Option<u32> {
        let asked = tokio::time::timeout(LOOK, self.platform.endpoint(self.endpoint?)).await;
        asked.ok()?.ok()?.map(|endpoint| endpoint.workers.max)
    }
}

/// What a queue would say of these workers.
fn health_of(workers: &[LiveWorker]) -> Health {
    let mut health = Health::default();
    for worker in workers {
        let counted = &mut health.workers;
        match worker.status.as_str() {
            "RUNNING" => counted.running += 1,
            "IDLE" => counted.idle += 1,
            "INITIALIZING" => counted.initializing += 1,
            "THROTTLED" => counted.throttled += 1,
            "UNHEALTHY" => counted.unhealthy += 1,
            _ => {}
        }
    }
    health
}
