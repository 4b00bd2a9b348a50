//! Results on their way: retried until the job's own time is over, in order, and alive after their process.

use std::time::Duration;

use flash_tests::faults::tally;
use serde_json::json;
use tokio::net::TcpSocket;

use crate::recording_queue::{Answer, PAUSE, Running, Script};

/// The time limit of a post.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn one_result_is_accepted_and_its_function_ran_once() {
    let answers = [Answer::Status(500), Answer::Status(500), Answer::Never, Answer::Status(200)];
    let script =
        Script::default().done_with(answers).job("j1", &json!({"method": "once", "tally": "accepted"}));
    let running = Running::start("faults", script).await;
    running.pass_until(PAUSE, |script| script.results().len() >= 3).await;
    // Nothing but the post without an answer is on its way.
    running.clock.advance(LIMIT).await;
    running.pass_until(PAUSE, |script| script.results().len() >= 4).await;
    let results = running.stop().await;
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|seen| seen.body == json!({"output": 1})), "{results:?}");
    assert_eq!(tally("accepted"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_refuses_connections_for_half_a_minute_gets_the_result() {
    // Bound, so that nobody else gets the port, and not listening, so that connections are refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let script = Script::default().job("j1", &json!({"method": "once", "tally": "refused"}));
    let running = Running::start_with("faults", script, |boot| {
        boot.jobs.done = Some(format!("http://{address}/v2/e/job-done/$RUNPOD_POD_ID/$ID?gpu=x"));
    })
    .await;
    let (start, clock) = (running.now(), running.clock.clone());
    running.pass_until(PAUSE, |_| clock.now().since(start) >= Duration::from_secs(30)).await;
    assert_eq!(running.script.results().len(), 0);
    running.script.serve_late(socket);
    running.pass_until(PAUSE, |script| !script.results().is_empty()).await;
    assert_eq!(running.script.result_of("j1"), json!({"output": 1}));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_given_up_when_the_jobs_own_time_is_over() {
    let job =
        |id: &str, policy: &str| format!(r#"{{"id":"{id}","input":{{"method":"once"}},"policy":{policy}}}"#);
    let script = Script::default()
        .answer(200, &job("short", r#"{"executionTimeout":20000}"#))
        .answer(200, &job("removed", r#"{"executionTimeout":500000,"ttl":30000}"#))
        .answer(200, &job("long", r#"{"executionTimeout":120000}"#));
    *script.otherwise.lock().unwrap() = Answer::Status(503);
    let running = Running::start("faults", script).await;
    running.script.until(|script| script.jobs.lock().unwrap().is_empty()).await;
    let (start, clock) = (running.now(), running.clock.clone());
    running.pass_until(PAUSE, |_| clock.now().since(start) >= Duration::from_secs(100)).await;
    let posts = |id: &str| running.script.all(|seen| seen.is_result_of(id)).len();
    let at_100 = [posts("short"), posts("removed"), posts("long")];
    // What is left is delivered or given up before the worker ends.
    let script = running.script.clone();
    running.stop().await;
    let ended_after = clock.now().since(start);
    let posts = |id: &str| script.all(|seen| seen.is_result_of(id)).len();
    let at_the_end = [posts("short"), posts("removed"), posts("long")];
    assert_eq!(at_100[..2], at_the_end[..2], "the short ones were given up before");
    assert!(at_100[0] <= at_100[1] && at_100[1] < at_100[2], "{at_100:?}");
    assert!(at_100[2] < at_the_end[2], "{at_100:?} {at_the_end:?}");
    let minutes = Duration::from_secs(120)..Duration::from_secs(135);
    assert!(minutes.contains(&ended_after), "{ended_after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_fail_the_job_with_the_reason() {
    let script = Script::default().done_with_status(&[413, 200, 400, 200, 400, 200, 404, 403, 403]);
    let running = Running::start("faults", script).await;
    let mut posts = 0;
    // One after the other, so that each gets its own answers.
    for (id, value, expected) in [
        ("j413", json!(1), 2),
        ("j400", json!(2), 2),
        ("big", json!("x".repeat(1_500_000)), 2),
        ("gone", json!(3), 1),
        ("forbidden", json!(4), 2),
    ] {
        running.script.add(id, &json!({"method": "same", "value": value}));
        posts += expected;
        running.script.results_at_least(posts).await;
    }
    let last =
        |id: &str| running.script.all(|seen| seen.is_result_of(id)).pop().unwrap().body["error"].to_string();
    assert!(
        last("j413").contains("result_too_large") && last("j413").contains("12 bytes with 413"),
        "{}",
        last("j413")
    );
    assert!(last("j400").contains("12 bytes with 400"), "{}", last("j400"));
    assert!(
        last("big").contains("result_too_large") && last("big").contains("1500013 bytes"),
        "{}",
        last("big")
    );
    assert_eq!(running.stop().await.len(), posts, "nothing is tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_is_never_sent() {
    let script = Script::default()
        .job("async-job", &json!({"method": "big", "bytes": 10_000_000}))
        .job("sync-job", &json!({"method": "big", "bytes": 10_000_000}))
        .job("sync-large", &json!({"method": "big", "bytes": 20_000_000}));
    let running = Running::start("mixed", script).await;
    running.script.results_at_least(3).await;
    let error = running.script.result_of("async-job")["error"].to_string();
    assert!(error.contains("10000002 bytes is over the limit of 10000000"), "{error}");
    assert_eq!(running.script.result_of("sync-job")["output"].as_str().unwrap().len(), 10_000_000);
    let error = running.script.result_of("sync-large")["error"].to_string();
    assert!(error.contains("20000002 bytes is over the limit of 20000000"), "{error}");
    running.stop().await;
}
