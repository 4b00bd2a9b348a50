//! The peers of the queue benchmark: loops over tokio and reqwest that take, parse and post, and do nothing else.
//!
//! `single`: each slot takes a job, runs it and posts the result, one after the other. `prefetch`: each slot takes its next
//! job while it posts the last result. `batch`: one loop takes as many jobs as slots are free.

use std::sync::Arc;

use flash_benches::args::Args;
use flash_benches::client;
use flash_benches::clock::unix_ns;
use flash_benches::echo::{Echo, Started};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Job {
    id: String,
    input: Echo,
}

#[derive(Serialize)]
struct Done<T> {
    output: T,
}

struct Worker {
    client: reqwest::Client,
    base: String,
    /// Whether the job's function is the clock, not the echo.
    clock: bool,
}

impl Worker {
    async fn take(&self) -> Result<Option<Job>, Error> {
        let url = format!("{}/job-take/bench?gpu=none&job_in_progress=0", self.base);
        let answer =
            self.client.get(url).header("authorization", "bench").send().await?.error_for_status()?;
        if answer.status() == 204 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&answer.bytes().await?)?))
    }

    async fn take_batch(&self, size: usize) -> Result<Vec<Job>, Error> {
        let url = format!("{}/job-take-batch/bench?gpu=none&batch_size={size}&job_in_progress=0", self.base);
        let answer =
            self.client.get(url).header("authorization", "bench").send().await?.error_for_status()?;
        if answer.status() == 204 {
            return Ok(Vec::new());
        }
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    async fn finish(&self, job: Job) -> Result<(), Error> {
        let body = if self.clock {
            serde_json::to_vec(&Done { output: Started { started_ns: unix_ns() } })?
        } else {
            serde_json::to_vec(&Done { output: job.input })?
        };
        let url = format!("{}/job-done/bench/{}?gpu=none&isStream=false", self.base, job.id);
        let request = self.client.post(url).header("authorization", "bench").body(body);
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }

    async fn single(&self) -> Result<(), Error> {
        loop {
            if let Some(job) = self.take().await? {
                self.finish(job).await?;
            }
        }
    }

    async fn prefetch(&self) -> Result<(), Error> {
        let mut next = self.take().await?;
        loop {
            next = match next {
                Some(job) => tokio::try_join!(self.finish(job), self.take())?.1,
                None => self.take().await?,
            };
        }
    }

    async fn batch(self: Arc<Self>, slots: usize) -> Result<(), Error> {
        let free = Arc::new(Semaphore::new(slots));
        loop {
            let mut permits = Arc::clone(&free).acquire_owned().await?;
            if let Ok(more) =
                Arc::clone(&free).try_acquire_many_owned(u32::try_from(free.available_permits())?)
            {
                permits.merge(more);
            }
            for job in self.take_batch(permits.num_permits()).await? {
                let permit = permits.split(1);
                let worker = Arc::clone(&self);
                tokio::spawn(async move {
                    if let Err(error) = worker.finish(job).await {
                        fail(&error);
                    }
                    drop(permit);
                });
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "the only way this program has to say why it ended")]
fn fail(error: &Error) -> ! {
    eprintln!("{error}");
    std::process::exit(1)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let slots: usize = args.required("slots")?;
    let mode: String = args.required("mode")?;
    let worker = Arc::new(Worker {
        client: client::bare()?,
        base: args.required("base")?,
        clock: args.optional::<bool>("clock")?.unwrap_or(false),
    });
    let mut loops = tokio::task::JoinSet::new();
    if mode == "batch" {
        loops.spawn(worker.batch(slots));
    } else {
        for _ in 0..slots {
            let worker = Arc::clone(&worker);
            let prefetch = mode == "prefetch";
            loops
                .spawn(async move { if prefetch { worker.prefetch().await } else { worker.single().await } });
        }
    }
    while let Some(ended) = loops.join_next().await {
        ended??;
    }
    Ok(())
}
