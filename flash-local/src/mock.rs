//! Endpoints that a test answers itself, in this process.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use flash_core::ids::{EndpointId, WorkerId};
use flash_core::wire::{DoneBody, TakenJob};
use flash_queue::{Payload, Queue, QueueOptions};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::endpoint::Endpoint;
use crate::gateway::Backend;
use crate::plane::Plane;
use crate::server::serve;
use crate::{Kind, LocalPlatform, PlatformError};

type Answering = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// What answers in place of the workers of an endpoint.
#[derive(Clone)]
#[must_use]
pub struct Mock {
    part: Part,
    cold_start: Duration,
    workers: usize,
}

#[derive(Clone)]
enum Part {
    Jobs(Arc<dyn Fn(Value) -> Answering + Send + Sync>),
    Http(Router),
}

impl Mock {
    /// Answers the jobs of a queue endpoint: the output, or the error that the job fails with.
    pub fn jobs<F, A>(answer: F) -> Self
    where
        F: Fn(Value) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Value, String>> + Send + 'static,
    {
        let answer: Arc<dyn Fn(Value) -> Answering + Send + Sync> =
            Arc::new(move |input| Box::pin(answer(input)));
        Self { part: Part::Jobs(answer), cold_start: Duration::ZERO, workers: 1 }
    }

    /// Serves an HTTP endpoint. Paths are those behind `/lb/{id}`.
    pub fn http(router: Router) -> Self {
        Self { part: Part::Http(router), cold_start: Duration::ZERO, workers: 1 }
    }

    /// It comes only after this time, on the platform's clock.
    pub const fn cold_start(mut self, time: Duration) -> Self {
        self.cold_start = time;
        self
    }

    /// So many jobs are answered at the same time, each by a worker of its own.
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match &self.part {
            Part::Jobs(_) => "jobs",
            Part::Http(_) => "http",
        };
        f.debug_struct("Mock")
            .field("part", &part)
            .field("cold_start", &self.cold_start)
            .finish_non_exhaustive()
    }
}

impl LocalPlatform {
    /// Adds an endpoint that `mock` answers, until the platform ends. Calls to it go the whole way over HTTP.
    ///
    /// # Errors
    /// When the name can not be part of a URL, or belongs to an endpoint of the other kind; when no port can be opened.
    pub async fn mock(&self, name: &str, mock: Mock) -> Result<EndpointId, PlatformError> {
        let plane = self.plane();
        match mock.part {
            Part::Jobs(answer) => {
                let endpoint = plane.declare(name, name, Kind::Queue, QueueOptions::new()).await?;
                let Some(queue) = &endpoint.queue else {
                    return Err(PlatformError::Duplicate(name.to_owned()));
                };
                for number in 1..=mock.workers.max(1) {
                    let worker = WorkerId::from(format!("{name}-mock-{number}"));
                    queue.expect_worker(&worker);
                    let working = work(queue.clone(), worker, mock.cold_start, answer.clone());
                    let stop = plane.stop.clone();
                    plane.tasks.spawn(async move {
                        stop.run_until_cancelled(working).await.map(|never| match never {})
                    });
                }
                Ok(endpoint.id.clone())
            }
            Part::Http(router) => {
                let refused = |error| PlatformError::Listen((Ipv4Addr::LOCALHOST, 0).into(), error);
                let endpoint = plane.declare(name, name, Kind::LoadBalanced, QueueOptions::new()).await?;
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(refused)?;
                let port = listener.local_addr().map_err(refused)?.port();
                let worker = WorkerId::from(format!("{name}-mock-{port}"));
                plane.tasks.spawn(serve_http(plane.clone(), endpoint.clone(), worker, port, mock.cold_start));
                plane.tasks.spawn(serve(listener, router, plane.stop.clone()));
                Ok(endpoint.id.clone())
            }
        }
    }
}

async fn work(
    queue: Queue,
    worker: WorkerId,
    cold_start: Duration,
    answer: Arc<dyn Fn(Value) -> Answering + Send + Sync>,
) -> Infallible {
    queue.clock().sleep(cold_start).await;
    loop {
        let jobs = match queue.take(&worker, 1, queue.limits().take_hold).await {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::error!(%worker, %error, "a mock can not take jobs");
                queue.clock().sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        for job in jobs {
            answer_job(&queue, &worker, job, &*answer).await;
        }
    }
}

async fn answer_job(
    queue: &Queue,
    worker: &WorkerId,
    job: TakenJob<Payload>,
    answer: &(dyn Fn(Value) -> Answering + Send + Sync),
) {
    let input = job.input.as_ref().map_or(Ok(Value::Null), |input| serde_json::from_str(input.get()));
    let answered = match input {
        Ok(input) => answer(input).await,
        Err(error) => Err(error.to_string()),
    };
    let body = match answered.map(|output| Payload::from_json(output.to_string())) {
        Ok(Ok(output)) => DoneBody::output(output),
        Ok(Err(error)) => DoneBody::error(error.to_string()),
        Err(error) => DoneBody::error(error),
    };
    if let Err(error) = queue.done(worker, &job.id, body).await {
        tracing::error!(%worker, job = %job.id, %error, "a mock can not answer its job");
    }
}

async fn serve_http(
    plane: Arc<Plane>,
    endpoint: Arc<Endpoint>,
    worker: WorkerId,
    port: u16,
    cold_start: Duration,
) {
    if plane.stop.run_until_cancelled(plane.clock.sleep(cold_start)).await.is_none() {
        return;
    }
    let backend = endpoint.pool.add(Backend::new(worker.clone(), port));
    endpoint.pool.set_healthy(&backend, true);
    plane.stop.cancelled().await;
    endpoint.pool.remove(&worker);
}
