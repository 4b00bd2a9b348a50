//! The library for tests: time that is moved by hand, faults on request, endpoints that a test answers itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post as on_post};
use flash_core::clock::TestClock;
use flash_local::{Fault, Faults, LocalPlatform, Mock};
use http::StatusCode;
use serde_json::{Value, json};

use crate::scripted::Role;
use crate::support::{get as fetch, ok, platform, post, quick, ready, until_status};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_day_three_retries_and_a_cold_start_pass_by_moving_the_clock() {
    let test = TestClock::new();
    let start = test.now();
    let platform = LocalPlatform::builder().clock(test.clock()).start().await.unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let mock = Mock::jobs(move |input| {
        let attempt = counted.fetch_add(1, Ordering::Relaxed);
        async move { if attempt < 3 { Err("not yet".to_owned()) } else { Ok(input) } }
    });
    // The clock must stand still until the worker sleeps; then it comes after a minute, and not before.
    platform.mock("cold", mock.cold_start(SECOND * 60)).await.unwrap();
    let url = platform.endpoint_url("cold").unwrap();
    let id = ok(post(&format!("{url}/run"), r#"{"input":"x"}"#).await)["id"].as_str().unwrap().to_owned();
    test.sleeping_for(SECOND * 60).await;
    test.advance(SECOND * 59).await;
    assert_eq!(ok(fetch(&format!("{url}/status/{id}")).await)["status"], "IN_QUEUE");
    test.advance(SECOND).await;
    for retry in 0..3 {
        let job = until_status(&url, &id, "FAILED").await;
        assert_eq!(job["error"], "not yet");
        assert_eq!(job["delayTime"], if retry == 0 { 60_000 } else { 0 });
        ok(post(&format!("{url}/retry/{id}"), Body::empty()).await);
    }
    assert_eq!(until_status(&url, &id, "COMPLETED").await["output"], "x");
    assert_eq!(
        (tries.load(Ordering::Relaxed), test.now().since(start)),
        (4, SECOND * 60),
        "time was moved by us alone"
    );

    // Nobody takes this one, so it lives for its day and not longer.
    platform.declare("idle", flash_local::Kind::Queue).await.unwrap();
    let idle = platform.endpoint_url("idle").unwrap();
    let id = ok(post(&format!("{idle}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    test.advance(SECOND * (86_400 - 1)).await;
    assert_eq!(ok(fetch(&format!("{idle}/status/{id}")).await)["status"], "IN_QUEUE");
    test.advance(SECOND).await;
    assert_eq!(fetch(&format!("{idle}/status/{id}")).await.status, 404);
}

#[tokio::test]
async fn the_next_result_is_refused_and_the_one_after_it_is_not() {
    let faults = Faults::none();
    let platform = LocalPlatform::builder().limits(quick()).faults(faults.clone()).start().await.unwrap();
    platform.declare("ep", flash_local::Kind::Queue).await.unwrap();
    let url = platform.endpoint_url("ep").unwrap();
    let id = ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    ok(fetch(&format!("{url}/job-take/w")).await);
    faults.next("/job-done/", Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    let done = format!("{url}/job-done/w/{id}");
    assert_eq!(post(&done, r#"{"output":1}"#).await.status, 503);
    assert_eq!(ok(fetch(&format!("{url}/status/{id}")).await)["status"], "IN_PROGRESS");
    assert_eq!(platform.faults().left(), 0);
    ok(post(&done, r#"{"output":1}"#).await);
    until_status(&url, &id, "COMPLETED").await;
}

#[tokio::test]
async fn connections_are_dropped_before_and_after_the_work() {
    let platform = platform().await;
    platform.declare("ep", flash_local::Kind::Queue).await.unwrap();
    let url = platform.endpoint_url("ep").unwrap();
    let run = format!("{url}/run");
    let queued = async || ok(fetch(&format!("{url}/health")).await)["jobs"]["inQueue"].clone();
    for (fault, jobs) in [(Fault::Drop, 0), (Fault::DropAnswer, 1)] {
        platform.faults().next("/run", fault);
        let answer = crate::support::try_post(&run, r#"{"input":1}"#).await;
        assert!(answer.is_err(), "{fault:?}");
        assert_eq!(queued().await, jobs, "{fault:?}");
    }
    platform.faults().next("/health", Fault::Cut(10));
    assert!(crate::support::try_get(&format!("{url}/health")).await.is_err());
    platform.faults().always("/run", Fault::Status(StatusCode::BAD_GATEWAY));
    for _ in 0..3 {
        assert_eq!(post(&run, r#"{"input":1}"#).await.status, 502);
    }
    platform.faults().clear();
    ok(post(&run, r#"{"input":1}"#).await);
    assert_eq!(queued().await, 2);
}

#[tokio::test]
async fn what_is_frozen_or_delayed_is_served_in_the_end() {
    let test = TestClock::new();
    let platform = LocalPlatform::builder().clock(test.clock()).start().await.unwrap();
    platform.mock("ep", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    let url = format!("{}/runsync", platform.endpoint_url("ep").unwrap());
    platform.faults().next("/runsync", Fault::Delay(SECOND * 7));
    let (answer, ()) = tokio::join!(post(&url, r#"{"input":1}"#), async {
        test.sleeping_for(SECOND * 7).await;
        test.advance(SECOND * 7).await;
    });
    assert_eq!(ok(answer)["output"], 1);
    platform.faults().next("/runsync", Fault::Freeze);
    let mut frozen = tokio::spawn(async move { post(&url, r#"{"input":2}"#).await });
    // It has reached the platform when the script is used up, and goes no further.
    crate::support::poll("the request", async || (platform.faults().left() == 0).then_some(())).await;
    test.advance(SECOND * 1_000).await;
    assert!(futures_now(&mut frozen).await.is_none());
    crate::support::poll("the answer", async || {
        platform.faults().thaw();
        frozen.is_finished().then_some(())
    })
    .await;
    assert_eq!(ok(frozen.await.unwrap())["output"], 2);
}

/// The result of a task that has ended.
async fn futures_now<T>(task: &mut tokio::task::JoinHandle<T>) -> Option<T> {
    if task.is_finished() { Some(task.await.unwrap()) } else { None }
}

#[tokio::test]
async fn a_worker_is_killed_in_the_middle_of_its_result() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    let first = ready(&platform, 1).await[0].id.clone();
    let url = platform.endpoint_url("echo").unwrap();
    platform.faults().next("/job-done/", Fault::KillWorker(1_000));
    let body = json!({ "input": "x".repeat(5_000_000) }).to_string();
    let id = ok(post(&format!("{url}/run"), body).await)["id"].as_str().unwrap().to_owned();
    // Its replacement does the job.
    let job = until_status(&url, &id, "COMPLETED").await;
    assert_eq!(job["retries"], 1);
    assert_ne!(job["workerId"], first.as_str());
    assert_eq!(job["output"].as_str().map(str::len), Some(5_000_000));
}

#[tokio::test]
async fn a_thousand_jobs_are_spread_evenly_over_two_worker_processes() {
    let limits = flash_local::Limits { rate_limits: false, ..quick() };
    let platform = LocalPlatform::builder().limits(limits).start().await.unwrap();
    platform.add_endpoint(Role::Echo.spec("echo").workers(2)).await.unwrap();
    ready(&platform, 2).await;
    let url = platform.endpoint_url("echo").unwrap();
    let mut ids = Vec::new();
    for n in 0..1_000 {
        let body = json!({ "input": n }).to_string();
        ids.push(ok(post(&format!("{url}/run"), body).await)["id"].as_str().unwrap().to_owned());
    }
    let mut shares = std::collections::BTreeMap::<String, usize>::new();
    for id in ids {
        let job = until_status(&url, &id, "COMPLETED").await;
        *shares.entry(job["workerId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let shares: Vec<usize> = shares.into_values().collect();
    assert!(shares.len() == 2 && shares.iter().all(|share| (400..=600).contains(share)), "{shares:?}");
}

#[tokio::test]
async fn endpoints_of_both_kinds_are_answered_by_the_test() {
    let platform = platform().await;
    let double = Mock::jobs(|input: Value| async move {
        input["n"].as_u64().map(|n| json!(n * 2)).ok_or_else(|| "n is missing".to_owned())
    });
    platform.mock("double", double.workers(2)).await.unwrap();
    let router = Router::new()
        .route("/up", get(|| async { "yes" }))
        .route("/echo", on_post(|body: String| async { body }));
    platform.mock("api", Mock::http(router)).await.unwrap();
    let (queue, api) = (platform.endpoint_url("double").unwrap(), platform.endpoint_url("api").unwrap());
    let run = format!("{queue}/runsync");
    assert_eq!(ok(post(&run, r#"{"input":{"n":21}}"#).await)["output"], 42);
    let failed = ok(post(&run, r#"{"input":{"m":1}}"#).await);
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("n is missing")));
    assert_eq!(ok(post(&format!("{api}/echo"), r#"{"a":1}"#).await), json!({"a": 1}));
    assert_eq!(fetch(&format!("{api}/up")).await.status, 200);
    assert_eq!(ok(fetch(&format!("{queue}/health")).await)["workers"]["ready"], 2);
}

#[tokio::test]
async fn webhooks_are_called_over_http_until_they_answer_200() {
    let mut limits = quick();
    limits.webhook_pause = Duration::from_millis(5);
    let platform = LocalPlatform::builder().limits(limits.clone()).start().await.unwrap();
    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let asked = Arc::new(AtomicUsize::new(0));
    let receiver = Router::new().route(
        "/hook",
        on_post(move |body: axum::Json<Value>| async move {
            let call = asked.fetch_add(1, Ordering::Relaxed);
            sender.send(body.0).unwrap();
            if call < 2 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
        }),
    );
    platform.mock("receiver", Mock::http(receiver)).await.unwrap();
    platform.mock("ep", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    let hook = format!("{}/hook", platform.endpoint_url("receiver").unwrap());
    let url = platform.endpoint_url("ep").unwrap();
    let body = json!({ "input": 7, "webhook": hook }).to_string();
    let id = ok(post(&format!("{url}/run"), body.clone()).await)["id"].as_str().unwrap().to_owned();
    let status = until_status(&url, &id, "COMPLETED").await;
    for _ in 0..3 {
        assert_eq!(calls.recv().await.unwrap(), status);
    }
    // Not to this machine, where that is switched off: the job ends all the same.
    limits.webhook_private = false;
    limits.webhook_tries = 1;
    let strict = LocalPlatform::builder().limits(limits).start().await.unwrap();
    strict.mock("ep", Mock::jobs(|input| async { Ok(input) })).await.unwrap();
    let url = strict.endpoint_url("ep").unwrap();
    assert_eq!(ok(post(&format!("{url}/runsync"), body).await)["output"], 7);
    assert!(calls.try_recv().is_err());
}
