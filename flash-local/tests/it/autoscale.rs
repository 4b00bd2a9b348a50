//! Workers come and go with the work, and releases replace each other without losing any.

use std::process::Stdio;
use std::time::Duration;

use flash_core::clock::TestClock;
use flash_local::{LocalPlatform, Scaler, Scaling, Signal, WorkerState};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::scripted::{Role, platform_command};
use crate::support::{alive, get, line, ok, platform, poll, post, quick, ready, runs, until_status};

const S: Duration = Duration::from_secs(1);

async fn submit(url: &str) -> String {
    ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn request_count_starts_what_the_formula_says_and_idle_workers_go() {
    let clock = TestClock::new();
    let platform = LocalPlatform::builder().limits(quick()).clock(clock.clock()).start().await.unwrap();
    let scaling = Scaling { min: 0, max: 3, idle_timeout: 5 * S, scaler: Scaler::RequestCount(2) };
    platform.add_endpoint(Role::Finish.spec("finish").scaling(scaling)).await.unwrap();
    let url = platform.endpoint_url("finish").unwrap();
    assert!(alive(&platform.workers()).is_empty(), "nobody has work");
    let mut jobs = vec![submit(&url).await];
    ready(&platform, 1).await;
    for _ in 0..2 {
        jobs.push(submit(&url).await);
    }
    // ceil(3 / 2)
    let workers = ready(&platform, 2).await;
    for _ in 0..20 {
        jobs.push(submit(&url).await);
    }
    ready(&platform, 3).await;
    // The phases of a cold start are in order.
    for worker in &workers {
        let phases = worker.phases;
        assert!(phases.queued <= phases.starting && phases.starting <= phases.initialising);
        assert!(phases.ready.is_some_and(|ready| ready >= phases.initialising));
    }
    // Three of them are held by workers that never answer; the others leave.
    ok(post(&format!("{url}/purge-queue"), "").await);
    let held = poll("the queue to be empty", async || {
        let health = ok(get(&format!("{url}/health")).await);
        (health["jobs"]["inQueue"] == 0).then(|| health["jobs"]["inProgress"].as_u64().unwrap())
    })
    .await;
    assert_eq!(held, 3, "each worker has one");
    clock.advance(30 * S).await;
    assert_eq!(alive(&platform.workers()).len(), 3, "busy workers stay");
    let one = &platform.workers()[0];
    platform.kill_worker(&one.id, Signal::Terminate).unwrap();
    platform.until_workers(|all| alive(all).len() == 2).await;
    platform.shutdown().await;
}

#[tokio::test]
async fn a_worker_without_work_ends_after_the_idle_timeout_and_not_before() {
    let clock = TestClock::new();
    let platform = LocalPlatform::builder().limits(quick()).clock(clock.clock()).start().await.unwrap();
    let scaling = Scaling { idle_timeout: 5 * S, ..Scaling::between(0, 2) };
    platform.add_endpoint(Role::Echo.spec("echo").scaling(scaling)).await.unwrap();
    let url = platform.endpoint_url("echo").unwrap();
    ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    let worker = ready(&platform, 1).await.remove(0);
    clock.advance(4 * S).await;
    // A job renews its time.
    ok(post(&format!("{url}/runsync"), r#"{"input":2}"#).await);
    clock.advance(4 * S).await;
    assert!(platform.workers()[0].state.is_alive());
    // The look at the clock may come a moment after it was moved.
    poll("the worker to end", async || {
        clock.advance(S).await;
        alive(&platform.workers()).is_empty().then_some(())
    })
    .await;
    // Its next life begins with the next job.
    ok(post(&format!("{url}/runsync"), r#"{"input":3}"#).await);
    assert_ne!(ready(&platform, 1).await.remove(0).id, worker.id);
    platform.shutdown().await;
}

#[tokio::test]
async fn a_queue_delay_adds_workers_while_jobs_wait() {
    let clock = TestClock::new();
    let platform = LocalPlatform::builder().limits(quick()).clock(clock.clock()).start().await.unwrap();
    let scaling = Scaling { scaler: Scaler::QueueDelay(4 * S), ..Scaling::between(0, 2) };
    platform.add_endpoint(Role::Hold.spec("hold").scaling(scaling)).await.unwrap();
    let url = platform.endpoint_url("hold").unwrap();
    let first = submit(&url).await;
    until_status(&url, &first, "IN_PROGRESS").await;
    let second = submit(&url).await;
    clock.advance(3 * S).await;
    assert_eq!(alive(&platform.workers()).len(), 1, "it has not waited long enough");
    clock.advance(S).await;
    until_status(&url, &second, "IN_PROGRESS").await;
    assert_eq!(alive(&platform.workers()).len(), 2);
}

#[tokio::test]
async fn a_release_replaces_workers_and_no_job_is_lost() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("echo").workers(2)).await.unwrap();
    let url = platform.endpoint_url("echo").unwrap();
    let old = ready(&platform, 2).await;
    let jobs: Vec<_> = (0..40)
        .map(|n| {
            let url = format!("{url}/runsync");
            tokio::spawn(async move { ok(post(&url, json!({"input": n}).to_string()).await) })
        })
        .collect();
    platform.update_endpoint(Role::Echo.spec("echo").workers(2).env("RELEASE", "2")).await.unwrap();
    let workers = platform
        .until_workers(|all| {
            let living = alive(all);
            living.len() == 2 && living.iter().all(|one| one.version == 2 && one.state == WorkerState::Ready)
        })
        .await;
    for (n, job) in jobs.into_iter().enumerate() {
        let job = job.await.unwrap();
        assert_eq!((&job["output"], job.get("retries")), (&json!(n), None));
    }
    // The old ones ended by themselves, after the new ones were ready.
    let new_ready = workers.iter().filter(|one| one.version == 2).filter_map(|one| one.phases.ready).min();
    for worker in workers.iter().filter(|one| old.iter().any(|old| old.id == one.id)) {
        assert!(worker.phases.ended >= new_ready, "{worker:?}");
    }
    platform.shutdown().await;
}

#[tokio::test]
async fn a_release_that_is_never_ready_changes_nothing() {
    let platform = platform().await;
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    let url = platform.endpoint_url("api").unwrap();
    let old = ready(&platform, 1).await.remove(0);
    platform.update_endpoint(Role::Sick.spec("api")).await.unwrap();
    let is_sick = |one: &flash_local::WorkerInfo| one.version == 2;
    platform.until_workers(|all| all.iter().any(is_sick)).await;
    for _ in 0..20 {
        let answer = get(&format!("{url}/x")).await;
        assert_eq!(answer.headers["x-runpod-worker-id"], old.id.as_str());
    }
    platform.shutdown().await;
}

#[tokio::test]
async fn a_worker_that_asks_for_a_new_start_gets_one() {
    let platform = platform().await;
    platform.add_endpoint(Role::Refresh.spec("refresh")).await.unwrap();
    let url = platform.endpoint_url("refresh").unwrap();
    let mut workers = Vec::new();
    for n in 0..3 {
        let job = ok(post(&format!("{url}/runsync"), json!({"input": n}).to_string()).await);
        assert_eq!((&job["output"], job.get("retries")), (&json!(n), None));
        workers.push(job["workerId"].clone());
        // The next job is for the next worker.
        let gone = job["workerId"].as_str().unwrap().to_owned();
        platform.until_workers(|all| !alive(all).iter().any(|one| one.id == *gone)).await;
    }
    workers.dedup();
    assert_eq!(workers.len(), 3);
}

#[tokio::test]
async fn a_worker_that_reports_to_be_broken_is_replaced() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    let first = ready(&platform, 1).await.remove(0);
    let url = platform.endpoint_url("echo").unwrap();
    let report = format!("{url}/ping/{}?status=unhealthy&check=gpu&reason=gone", first.id);
    ok(get(&report).await);
    platform
        .until_workers(|all| {
            alive(all).iter().any(|one| one.id != first.id && one.state == WorkerState::Ready)
        })
        .await;
    platform.until_workers(|all| alive(all).iter().all(|one| one.id != first.id)).await;
    ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
}

/// The one thing that no code of the platform can do is to clean up after it was killed.
#[tokio::test]
async fn nothing_outlives_a_platform_that_is_killed() {
    let mut process = platform_command().stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut pids: Vec<u32> = Vec::new();
    while let Some(text) = lines.next_line().await.unwrap() {
        if let Some(list) = text.strip_prefix("pids ") {
            pids = list.split(' ').map(|pid| pid.parse().unwrap()).collect();
            break;
        }
    }
    // Two workers that hold a job, the child of each, an HTTP worker, and one that is frozen.
    assert!(pids.len() == 6 && pids.iter().all(|pid| runs(*pid)), "{pids:?}");
    process.start_kill().unwrap();
    process.wait().await.unwrap();
    poll("all processes to end", async || (!pids.iter().any(|pid| runs(*pid))).then_some(())).await;
}

#[tokio::test]
async fn variables_and_exit_codes_pass_the_shim() {
    let platform = platform().await;
    let spec = Role::Environment.spec("env").env("odd.name-1", "a b='\"$HOME").env("PLAIN", "x\ny");
    platform.add_endpoint(spec).await.unwrap();
    let url = platform.endpoint_url("env").unwrap();
    let job = ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    assert_eq!(job["output"]["odd.name-1"], "a b='\"$HOME");
    assert_eq!(job["output"]["PLAIN"], "x\ny");
    let worker = ready(&platform, 1).await.remove(0);
    let own: u32 = line(&platform, &worker, "pid ").await.parse().unwrap();
    assert_eq!(own, worker.pid, "the shim became the worker");
}
