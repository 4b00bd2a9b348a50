//! The life of one worker process, from its start to its end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Timestamp;
use flash_core::ids::{EndpointId, WorkerId};
use tokio::process::Child;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::Plan;
use super::fleet::End;
use super::info::{Exit, Signal, WorkerState};
use super::logs::{Logs, Source};
use super::port::free_port;
use super::process::Launch;
use super::record::Birth;
use super::roster::Entry;
use crate::endpoint::Endpoint;
use crate::environment;
use crate::gateway::{Backend, Health};
use crate::plane::Plane;
use crate::spec::Kind;

/// How long the output of a process that has ended is waited for. A grandchild in another group may hold it open.
const OUTPUT_MAX: Duration = Duration::from_secs(2);

/// How often a worker that is let go is looked at for work that it still has.
const FINISH_LOOK: Duration = Duration::from_millis(20);

/// Starts a worker. A task of the platform watches over it until it has ended, and says so to `ended`.
pub(super) fn start(
    plane: &Arc<Plane>,
    endpoint: &Arc<Endpoint>,
    plan: &Plan,
    queued: Timestamp,
    ended: UnboundedSender<End>,
) -> io::Result<Arc<Entry>> {
    let starting = plane.clock.now();
    let port = match endpoint.kind {
        Kind::Queue => None,
        Kind::LoadBalanced => Some(free_port()?),
    };
    let id = WorkerId::from(format!("{}-{}", endpoint.id, short_id()));
    let ours = environment::variables(plane, endpoint, plan, &id, port);
    let launch = Launch {
        program: plan.spec.program.clone(),
        args: plan.spec.args.clone(),
        dir: plan.spec.dir.clone(),
        unset: environment::not_inherited().collect(),
        env: ours
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .chain(plan.spec.env.clone())
            .collect(),
    };
    let child = launch.start()?;
    if let Some(queue) = &endpoint.queue {
        queue.expect_worker(&id);
    }
    let pid = child.id().unwrap_or_default();
    tracing::info!(endpoint = %endpoint.id, worker = %id, pid, release = plan.version, "worker started");
    let birth = Birth {
        worker: id,
        endpoint: endpoint.id.clone(),
        pid,
        port,
        version: plan.version,
        queued,
        starting,
        initialising: plane.clock.now(),
    };
    let page = plane.archive.as_ref().and_then(|archive| archive.page(&birth));
    let logs = Logs::new(plane.limits.log_lines, plane.clock.clone(), page);
    logs.system(format!("worker started from release {}", plan.version));
    let entry =
        plane.roster.add(Entry::new(&birth, logs, endpoint.stop.child_token(), plan.spec.dir.clone()));
    let life = Life { plane: plane.clone(), endpoint: endpoint.clone(), entry: entry.clone() };
    let path = plan.health_path().to_owned();
    plane.tasks.spawn(async move {
        let asked = life.watch(child, &path).await;
        let lived = life.plane.clock.now().since(starting);
        // A fleet that is gone does not need it.
        let _ = ended.send(End { id: life.entry.id.clone(), asked, lived });
    });
    Ok(entry)
}

struct Life {
    plane: Arc<Plane>,
    endpoint: Arc<Endpoint>,
    entry: Arc<Entry>,
}

impl Life {
    /// Watches a worker until its process has ended. Answers whether it was asked to.
    async fn watch(&self, mut child: Child, health_path: &str) -> bool {
        let Self { plane, endpoint, entry } = self;
        // While this is open, the shim lets the worker live.
        let _lifeline = child.stdin.take();
        let output: Vec<_> = [
            child.stdout.take().map(|out| tokio::spawn(entry.logs.clone().follow(out, Source::Stdout))),
            child.stderr.take().map(|err| tokio::spawn(entry.logs.clone().follow(err, Source::Stderr))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let stopped = tokio::select! {
            _ = child.wait() => false,
            () = self.attend(health_path) => false,
            () = self.finished() => true,
            () = entry.stop.cancelled() => true,
        };
        endpoint.pool.remove(&entry.id);
        if stopped {
            plane.roster.set(entry, WorkerState::Stopping);
            self.terminate(&mut child).await;
        }
        // Not asked to stop, but still there: it never got healthy.
        let exit = match child.try_wait() {
            Ok(Some(status)) => Exit::from(status),
            _ => self.kill(&mut child).await,
        };
        entry.group.ended();
        tracing::info!(endpoint = %endpoint.id, worker = %entry.id, ?exit, stopped, "worker ended");
        if let Some(queue) = &endpoint.queue
            && let Err(error) = queue.worker_lost(&entry.id).await
        {
            tracing::error!(endpoint = %endpoint.id, worker = %entry.id, %error, "failed to give back jobs");
        }
        for task in output {
            let _ = tokio::time::timeout(OUTPUT_MAX, task).await;
        }
        entry.logs.system(format!("worker ended: {exit}"));
        plane.roster.exited(entry, exit, plane.clock.now());
        entry.logs.close();
        stopped
    }

    /// Waits until the worker is let go and has nothing to do any more. It gets nothing new from then on.
    async fn finished(&self) {
        let Self { endpoint, entry, .. } = self;
        entry.drain.cancelled().await;
        self.plane.roster.set(entry, WorkerState::Draining);
        match &endpoint.queue {
            Some(queue) => {
                queue.retire(&entry.id).await;
                while queue.busy_workers().await.is_ok_and(|busy| busy.contains(&entry.id)) {
                    tokio::time::sleep(FINISH_LOOK).await;
                }
            }
            None => {
                let Some(backend) = endpoint.pool.remove(&entry.id) else { return };
                while backend.in_flight() > 0 {
                    tokio::time::sleep(FINISH_LOOK).await;
                }
            }
        }
    }

    /// Looks after a living worker. It returns only when the worker is to be killed.
    async fn attend(&self, path: &str) {
        let Self { plane, endpoint, entry } = self;
        let limits = &plane.limits;
        if let Some(queue) = &endpoint.queue {
            queue.worker_joined(&entry.id).await;
            self.ready();
        }
        let Some(port) = entry.port else { return std::future::pending().await };
        let backend = endpoint.pool.add(Backend::new(entry.id.clone(), port));
        let deadline = tokio::time::Instant::now() + limits.http_start;
        let mut answered = false;
        loop {
            let health = backend.probe(path, limits.health_timeout).await;
            answered |= health != Health::Silent;
            endpoint.pool.set_healthy(&backend, health == Health::Healthy);
            match (health, entry.state()) {
                (Health::Healthy, _) => self.ready(),
                (_, WorkerState::Ready) => self.unhealthy(health),
                _ => {}
            }
            if !answered && tokio::time::Instant::now() >= deadline {
                tracing::error!(endpoint = %endpoint.id, worker = %entry.id, port, "worker never answered its health path");
                entry.logs.system(format!("worker never answered {path} on port {port} and is killed"));
                return;
            }
            let healthy = health == Health::Healthy;
            let pause = if healthy { limits.health_poll } else { limits.health_poll_starting };
            let mut suspicion = pin!(backend.suspicion());
            // Somebody could not reach it: look again at once.
            let _ = tokio::time::timeout(pause, &mut suspicion).await;
        }
    }

    fn ready(&self) {
        let now = self.plane.clock.now();
        if self.entry.is_ready(now) {
            self.entry.logs.ready(now);
        }
        self.plane.roster.set(&self.entry, WorkerState::Ready);
    }

    fn unhealthy(&self, health: Health) {
        self.entry.logs.system(format!("worker is unhealthy: {health}"));
        self.entry.is_unhealthy(self.plane.clock.now());
        self.plane.roster.set(&self.entry, WorkerState::Unhealthy);
    }

    /// Asks a worker to end, and kills it when it takes too long.
    async fn terminate(&self, child: &mut Child) {
        let (entry, grace) = (&self.entry, self.plane.limits.stop_grace);
        // A frozen process does not hear a SIGTERM.
        for signal in [Signal::Terminate, Signal::Thaw] {
            if let Err(error) = entry.group.signal(signal) {
                tracing::debug!(worker = %entry.id, %error, "failed to signal a worker");
            }
        }
        if tokio::time::timeout(grace, child.wait()).await.is_err() {
            tracing::warn!(worker = %entry.id, ?grace, "worker did not stop in time");
            entry.logs.system(format!("worker did not stop within {grace:?} and is killed"));
        }
    }

    async fn kill(&self, child: &mut Child) -> Exit {
        if let Err(error) = self.entry.group.signal(Signal::Kill) {
            tracing::debug!(worker = %self.entry.id, %error, "failed to kill a worker");
        }
        match child.wait().await {
            Ok(status) => status.into(),
            Err(error) => {
                tracing::error!(worker = %self.entry.id, %error, "failed to wait for a worker");
                Exit { code: None, signal: None }
            }
        }
    }
}

/// Digits that tell the workers of an endpoint apart.
const DIGITS: usize = 8;

fn short_id() -> String {
    let mut buffer = Uuid::encode_buffer();
    Uuid::new_v4().simple().encode_lower(&mut buffer)[..DIGITS].to_owned()
}

/// Whether a worker is one that a platform started, as far as its name says. Those do not outlive their platform: whatever an
/// earlier one left is gone. A worker from elsewhere has a name of its own, and may still be there.
pub(crate) fn is_own(endpoint: &EndpointId, worker: &WorkerId) -> bool {
    let rest = worker.as_str().strip_prefix(endpoint.as_str()).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|id| id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_of_a_platform_is_known_by_its_name() {
        let endpoint = EndpointId::from("ep");
        let own = |name: &str| is_own(&endpoint, &WorkerId::from(name));
        assert!(own(&format!("ep-{}", short_id())));
        assert!(!own("ep-mock-1") && !own("pod-0123abcd") && !own("ep-0123abcd-x") && !own("ep"));
    }
}
