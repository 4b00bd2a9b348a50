//! The queue worker against a server that records every byte and answers by script.

use flash_worker::queue::QueueWorkerError;
use serde_json::json;

use crate::recording_queue::{PAUSE, Running, Script};

#[tokio::test(flavor = "multi_thread")]
async fn takes_runs_and_posts_as_the_protocol_says() {
    let script = Script::default().job("j1", &json!({"text": "ä", "times": 2}));
    let running = Running::start("echo", script).await;
    running.script.results_at_least(1).await;
    let seen = running.script.seen.lock().unwrap().clone();
    let take = seen.iter().find(|seen| seen.target.contains("/job-take")).unwrap();
    // `echo` has four slots, and all are free.
    assert_eq!(take.target, "/v2/e/job-take-batch/pod-1?gpu=x&batch_size=4&job_in_progress=0");
    let ping = seen.iter().find(|seen| seen.target.contains("/ping/")).unwrap();
    assert!(ping.target.starts_with("/v2/e/ping/pod-1?gpu=x&runpod_version="), "{}", ping.target);
    // The queue wants the bare key, without `Bearer`.
    assert!(seen.iter().all(|seen| seen.authorization == "fake-worker-key"), "{seen:?}");
    let results = running.stop().await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].target, "/v2/e/job-done/pod-1/j1?gpu=x&isStream=false");
    assert_eq!(results[0].body, json!({"output": ["ää", null]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_that_has_an_id_is_answered() {
    let script = Script::default()
        .job("bad", &json!({"text": 1}))
        .answer(200, r#"{"id": "no-input"}"#)
        .answer(200, r#"{"id": "null-input", "input": null}"#)
        .answer(200, r#"{"id": "list-input", "input": [1]}"#)
        .answer(200, "not json")
        .answer(204, "")
        .answer(400, "")
        .job("good", &json!({"text": "a"}));
    let running = Running::start("echo", script).await;
    // The queue answered 204 and 400 at once, so the worker makes a pause before it asks again.
    running.pass_until(PAUSE, |script| script.results().len() >= 5).await;
    let results = running.stop().await;
    let of = |id: &str| {
        let all: Vec<_> = results.iter().filter(|seen| seen.target.contains(&format!("/{id}?"))).collect();
        assert_eq!(all.len(), 1, "{id}");
        all[0].body.clone()
    };
    for id in ["bad", "no-input", "null-input", "list-input"] {
        assert!(of(id)["error"].is_string(), "{id} {}", of(id));
    }
    assert_eq!(of("good"), json!({"output": ["a", null]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_offered_until_the_queue_takes_it() {
    let script = Script::default().job("j1", &json!({"text": "a"})).done_with_status(&[500, 503, 429, 200]);
    let running = Running::start("echo", script).await;
    running.pass_until(PAUSE, |script| script.results().len() >= 4).await;
    let results = running.stop().await;
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|seen| seen.body == json!({"output": ["a", null]})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_result_fails_the_job_with_the_reason() {
    let script = Script::default().job("j1", &json!({"text": "a"})).done_with_status(&[413, 200]);
    let running = Running::start("echo", script).await;
    let results = running.script.results_at_least(2).await;
    running.stop().await;
    let error = results[1].body["error"].as_str().unwrap();
    assert!(error.contains("result_too_large") && error.contains("413"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_the_running_job_and_delivers_it() {
    let script = Script::default().job("j1", &json!({"method": "block", "millis": 300}));
    let running = Running::start("mixed", script).await;
    // The worker says that it has the job, and therefore owes the result.
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    let results = running.stop().await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].body, json!({"output": 300}));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_are_taken_than_there_are_slots() {
    let mut script = Script::default();
    for n in 0..9 {
        script = script.job(&format!("j{n}"), &json!({"method": "block", "millis": 200}));
    }
    let running = Running::start("mixed", script).await;
    // `mixed` has 8 slots, so the ninth job waits for the first result.
    while running.script.jobs.lock().unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
    let results = running.script.results_at_least(1).await;
    assert!(!results.is_empty());
    let results = running.script.results_at_least(9).await;
    assert_eq!(running.stop().await.len(), results.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_job_is_dropped_and_nothing_is_posted() {
    let mut script = Script::default();
    for n in 0..8 {
        let millis = if n == 3 { 600_000 } else { 200 };
        script = script.job(&format!("j{n}"), &json!({"method": "slow", "millis": millis}));
    }
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    running.script.stop("j3");
    running.script.stop("unknown");
    running.script.results_at_least(7).await;
    // The worker stops without waiting for ten minutes, so the job is gone.
    let results = running.stop().await;
    assert_eq!(results.len(), 7);
    assert!(results.iter().all(|seen| !seen.target.contains("/j3?")), "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_function_hears_that_its_job_was_stopped() {
    let script = Script::default().job("j1", &json!({"method": "wait_for_stop", "deaf_millis": 0}));
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.target.ends_with("job_in_progress=1")).await;
    running.script.stop("j1");
    // Its thread ends, or this would never come back.
    assert_eq!(running.stop().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_blocking_function_keeps_its_slot() {
    let mut script = Script::default();
    for n in 0..8 {
        script = script.job(&format!("j{n}"), &json!({"method": "wait_for_stop", "deaf_millis": 400}));
    }
    script = script.job("late", &json!({"method": "block", "millis": 0}));
    let running = Running::start("mixed", script).await;
    while running.script.jobs.lock().unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
    for n in 0..8 {
        running.script.stop(&format!("j{n}"));
    }
    // All eight slots are taken by threads that go on, so the ninth job waits for one of them to end.
    let results = running.script.results_at_least(1).await;
    assert!(results[0].target.contains("/late?"), "{results:?}");
    assert_eq!(running.stop().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_is_the_last_word_of_a_job() {
    let script = Script::default().job("j1", &json!({"method": "report", "steps": 10_000}));
    let running = Running::start("mixed", script).await;
    running.script.seen_at_least(|seen| seen.body == json!({"output": "done"})).await;
    let posts = running.stop().await;
    let (last, before) = posts.split_last().unwrap();
    assert_eq!(last.body, json!({"output": "done"}));
    assert!(!before.is_empty());
    assert!(before.iter().all(|seen| seen.body["status"] == "IN_PROGRESS"), "{before:?}");
    // Later progress is newer.
    let steps: Vec<_> = before.iter().map(|seen| seen.body["output"].as_u64().unwrap()).collect();
    assert!(steps.is_sorted(), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fatal_error_drains_the_worker_and_ends_it() {
    let script = Script::default()
        .job("slow", &json!({"method": "slow", "millis": 200}))
        .job("fatal", &json!({"method": "break_worker"}));
    let running = Running::start("mixed", script).await;
    running.script.results_at_least(2).await;
    let script = running.script.clone();
    let error = running.ended().await.unwrap_err();
    assert!(matches!(error, QueueWorkerError::Unhealthy(_)), "{error:?}");
    let seen = script.seen.lock().unwrap().clone();
    assert!(seen.iter().any(|seen| seen.target.contains("status=unhealthy") && seen.target.contains("GPU")));
    assert!(seen.iter().any(|seen| seen.body == json!({"output": 200})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_stops_the_pod_after_the_job() {
    let script = Script::default().job("j1", &json!({"method": "refresh"}));
    let running = Running::start("mixed", script).await;
    let results = running.script.results_at_least(1).await;
    assert_eq!(results[0].body, json!({"output": 1, "stopPod": true}));
    // It ends by itself.
    assert_eq!(running.stop().await.len(), 1);
}
