//! Keeps one worker of an endpoint alive.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use flash_core::clock::Clock;
use flash_core::ids::WorkerId;
use flash_queue::Limits;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backoff::Backoff;
use super::info::{Exit, Signal, WorkerState};
use super::logs::{Logs, Source};
use super::port::free_port;
use super::process::Launch;
use super::roster::{Entry, Roster};
use crate::endpoint::Endpoint;
use crate::environment::{self, Common};
use crate::gateway::{Backend, Health};
use crate::spec::Kind;
use crate::table::Table;

/// What keepers need.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) common: Common,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) table: Table,
    pub(crate) roster: Roster,
}

/// How long the output of a process that has ended is waited for. A grandchild in another group may hold it open.
const OUTPUT_MAX: Duration = Duration::from_secs(2);

/// Keeps one worker of `endpoint` alive until `stop`.
pub(crate) async fn keep(keeper: Arc<Keeper>, endpoint: Arc<Endpoint>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let started = keeper.clock.now();
        match keeper.start(&endpoint, &stop) {
            Ok((entry, child)) => {
                let stopped = keeper.watch(&endpoint, &entry, child).await;
                if stopped {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(endpoint = %endpoint.id, %error, "failed to start a worker");
            }
        }
        let pause = backoff.died(keeper.clock.now().since(started), &keeper.limits);
        if stop.run_until_cancelled(keeper.clock.sleep(pause)).await.is_none() {
            return;
        }
    }
}

impl Keeper {
    fn start(&self, endpoint: &Endpoint, stop: &CancellationToken) -> io::Result<(Arc<Entry>, Child)> {
        let spec = endpoint.spec().ok_or(io::ErrorKind::NotFound)?;
        let port = match endpoint.kind {
            Kind::Queue => None,
            Kind::LoadBalanced => Some(free_port()?),
        };
        let id = WorkerId::from(format!("{}-{}", endpoint.name, short_id()));
        let peers = self.table.addresses(&self.common.base);
        let ours = environment::variables(&self.common, endpoint, &id, port, &peers, &self.limits);
        let launch = Launch {
            program: spec.program,
            args: spec.args,
            dir: spec.dir,
            unset: environment::not_inherited().collect(),
            env: ours.into_iter().map(|(name, value)| (name.into(), value.into())).chain(spec.env).collect(),
        };
        let child = launch.start()?;
        if let Some(queue) = &endpoint.queue {
            queue.expect_worker(&id);
        }
        let pid = child.id().unwrap_or_default();
        tracing::info!(endpoint = %endpoint.id, worker = %id, pid, "worker started");
        let entry = Entry::new(
            id,
            endpoint.id.clone(),
            pid,
            port,
            self.clock.now(),
            Logs::new(self.limits.log_lines),
            stop.child_token(),
        );
        Ok((self.roster.add(entry), child))
    }

    /// Watches a worker until its process has ended. Answers whether it was asked to.
    async fn watch(&self, endpoint: &Endpoint, entry: &Entry, mut child: Child) -> bool {
        let output: Vec<_> =
            [
                child.stdout.take().map(|out| {
                    tokio::spawn(entry.logs.clone().follow(out, Source::Stdout, self.clock.clone()))
                }),
                child.stderr.take().map(|err| {
                    tokio::spawn(entry.logs.clone().follow(err, Source::Stderr, self.clock.clone()))
                }),
            ]
            .into_iter()
            .flatten()
            .collect();
        let reset = async {
            match &endpoint.queue {
                Some(queue) => queue.reset_wanted(&entry.id).await,
                None => std::future::pending().await,
            }
        };
        let (stopped, asked) = tokio::select! {
            _ = child.wait() => (false, false),
            () = self.attend(endpoint, entry) => (false, false),
            () = entry.stop.cancelled() => (true, true),
            // Another takes its place.
            () = reset => (false, true),
        };
        endpoint.pool.remove(&entry.id);
        if asked {
            self.roster.set(entry, WorkerState::Stopping);
            self.terminate(entry, &mut child).await;
        }
        // Not asked to stop, but still there: it never got healthy.
        let exit = match child.try_wait() {
            Ok(Some(status)) => Exit::from(status),
            _ => self.kill(entry, &mut child).await,
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
        self.roster.exited(entry, exit);
        stopped
    }

    /// Looks after a living worker. It returns only when the worker is to be killed.
    async fn attend(&self, endpoint: &Endpoint, entry: &Entry) {
        if let Some(queue) = &endpoint.queue {
            queue.worker_joined(&entry.id).await;
            self.roster.set(entry, WorkerState::Ready);
        }
        let Some(port) = entry.port else { return std::future::pending().await };
        let path = endpoint.health_path();
        let backend = endpoint.pool.add(Backend::new(entry.id.clone(), port));
        let deadline = tokio::time::Instant::now() + self.limits.http_start;
        let mut answered = false;
        loop {
            let health = backend.probe(&path, self.limits.health_timeout).await;
            answered |= health != Health::Silent;
            endpoint.pool.set_healthy(&backend, health == Health::Healthy);
            match (health, entry.state()) {
                (Health::Healthy, _) => self.roster.set(entry, WorkerState::Ready),
                (_, WorkerState::Ready) => self.roster.set(entry, WorkerState::Unhealthy),
                _ => {}
            }
            if !answered && tokio::time::Instant::now() >= deadline {
                tracing::error!(endpoint = %endpoint.id, worker = %entry.id, port, "worker never answered its health path");
                return;
            }
            let healthy = health == Health::Healthy;
            let pause = if healthy { self.limits.health_poll } else { self.limits.health_poll_starting };
            let mut suspicion = pin!(backend.suspicion());
            // Somebody could not reach it: look again at once.
            let _ = tokio::time::timeout(pause, &mut suspicion).await;
        }
    }

    /// Asks a worker to end, and kills it when it takes too long.
    async fn terminate(&self, entry: &Entry, child: &mut Child) {
        // A frozen process does not hear a SIGTERM.
        for signal in [Signal::Terminate, Signal::Thaw] {
            if let Err(error) = entry.group.signal(signal) {
                tracing::debug!(worker = %entry.id, %error, "failed to signal a worker");
            }
        }
        if tokio::time::timeout(self.limits.stop_grace, child.wait()).await.is_err() {
            tracing::warn!(worker = %entry.id, grace = ?self.limits.stop_grace, "worker did not stop in time");
        }
    }

    async fn kill(&self, entry: &Entry, child: &mut Child) -> Exit {
        if let Err(error) = entry.group.signal(Signal::Kill) {
            tracing::debug!(worker = %entry.id, %error, "failed to kill a worker");
        }
        match child.wait().await {
            Ok(status) => status.into(),
            Err(error) => {
                tracing::error!(worker = %entry.id, %error, "failed to wait for a worker");
                Exit { code: None, signal: None }
            }
        }
    }
}

fn short_id() -> String {
    let mut buffer = Uuid::encode_buffer();
    Uuid::new_v4().simple().encode_lower(&mut buffer)[..8].to_owned()
}
