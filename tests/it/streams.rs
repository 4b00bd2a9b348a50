//! Streams at the queue door: items in order, one at a time, and what becomes of errors and stops.

use flash_tests::faults::tally;
use serde_json::{Value, json};

use crate::recording_queue::{Answer, PAUSE, Running, Script};

fn count(to: u32) -> Value {
    json!({"method": "count", "to": to, "bytes": 1})
}

#[tokio::test(flavor = "multi_thread")]
async fn items_leave_in_order_and_the_end_has_all_of_them() {
    let running = Running::start("faults", Script::default().job("j1", &count(5))).await;
    running.script.results_at_least(1).await;
    let items = ["0", "1", "2", "3", "4"].map(Value::from);
    assert_eq!(running.script.items_of("j1"), items);
    let seen = running.script.all(|seen| seen.target.contains("/j1?"));
    assert!(seen[0].target.ends_with("/job-stream/pod-1/j1?gpu=x&isStream=false"), "{seen:?}");
    assert!(seen[5].target.ends_with("/job-done/pod-1/j1?gpu=x&isStream=true"), "{seen:?}");
    assert_eq!(seen[5].body, json!({"output": items}));
    assert_eq!(running.stop().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_that_the_queue_has_no_room_for() {
    let input = json!({"method": "count", "to": 100, "bytes": 1, "tally": "room"});
    let script = Script::default().gated().job("j1", &input);
    let running = Running::start("faults", script).await;
    for sent in 1..=3 {
        running.script.until(|script| script.items_of("j1").len() == sent).await;
        // The one that is being posted was made, and none after it.
        assert_eq!(tally("room"), sent as u32);
        running.script.stream_gate.add_permits(1);
    }
    running.script.stream_gate.add_permits(100);
    running.script.results_at_least(1).await;
    assert_eq!(tally("room"), 100);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_offered_until_the_queue_takes_it() {
    let answers = [500, 429, 200, 503].map(Answer::Status);
    let running = Running::start("faults", Script::default().stream_with(answers).job("j1", &count(2))).await;
    running.pass_until(PAUSE, |script| !script.results().is_empty()).await;
    assert_eq!(running.script.items_of("j1"), ["0", "0", "0", "1", "1"].map(Value::from));
    assert_eq!(running.script.result_of("j1"), json!({"output": ["0", "1"]}));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_stream_fails_the_job_with_the_functions_own_error() {
    let input = |key: &str| json!({"method": "count", "to": 9, "bytes": 1, key: 2});
    let script = Script::default().job("fails", &input("fail_at")).job("panics", &input("panic_at"));
    let running = Running::start("faults", script).await;
    running.script.results_at_least(2).await;
    for (job, code) in [("fails", "too_long"), ("panics", "panic")] {
        // What was sent before stays sent.
        assert_eq!(running.script.items_of(job), ["0", "1"].map(Value::from), "{job}");
        let error: Value =
            serde_json::from_str(running.script.result_of(job)["error"].as_str().unwrap()).unwrap();
        assert_eq!(error["flash"]["code"], code);
        assert!(!error.to_string().contains("told to"), "{error}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_item_fails_the_job_with_its_size_and_no_item_is_too_large_to_be_sent() {
    let script = Script::default()
        .stream_with([Answer::Status(413)])
        .job("refused", &count(9))
        .job("large", &json!({"method": "count", "to": 9, "bytes": 1_000_000}));
    let running = Running::start("faults", script).await;
    running.script.results_at_least(2).await;
    let error = running.script.result_of("refused")["error"].to_string();
    assert!(error.contains("of 3 bytes with 413"), "{error}");
    assert_eq!(running.script.items_of("refused").len(), 1);
    let error = running.script.result_of("large")["error"].to_string();
    assert!(
        error.contains("result_too_large")
            && error.contains("1000002 bytes is over the limit of 1000000 bytes"),
        "{error}"
    );
    assert_eq!(running.script.items_of("large").len(), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_posted_after_a_stop() {
    let input = json!({"method": "count", "to": 1_000_000, "bytes": 1, "tally": "stop"});
    let script = Script::default().gated().job("j1", &input).job("j2", &json!({"method": "silent"}));
    let running = Running::start("faults", script).await;
    running.script.until(|script| script.items_of("j1").len() == 1).await;
    running.script.stop("j1");
    running.script.stop("j2");
    running.script.stop("j1");
    // The worker ends without them, so they are gone; the item that was on its way is the last.
    let script = running.script.clone();
    running.script.seen_at_least(|seen| seen.target.contains("/job-stop/")).await;
    script.stream_gate.add_permits(1);
    running.stop().await;
    assert!(script.items_of("j1").len() <= 2, "{:?}", script.items_of("j1"));
    assert!(script.results().is_empty());
    assert!((1..=3).contains(&tally("stop")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_streams_gets_all_items_at_the_end() {
    let script = Script::default().job("j1", &count(3));
    let running = Running::start_with("faults", script, |boot| boot.jobs.stream = None).await;
    running.script.results_at_least(1).await;
    assert_eq!(running.script.items_of("j1").len(), 0);
    assert_eq!(running.script.result_of("j1"), json!({"output": ["0", "1", "2"]}));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_too_large_for_one_output_was_streamed_and_says_so() {
    let input = json!({"method": "count", "to": 11, "bytes": 950_000});
    let (streamed, whole) = (Script::default().job("j1", &input), Script::default().job("j1", &input));
    let running = Running::start("faults", streamed).await;
    running.script.results_at_least(1).await;
    assert_eq!(running.script.items_of("j1").len(), 11);
    let output = running.script.result_of("j1")["output"].clone();
    assert!(output.as_str().unwrap().contains("read them as a stream"), "{output}");
    running.stop().await;

    // Nobody has the items then, so it is a failure.
    let running = Running::start_with("faults", whole, |boot| boot.jobs.stream = None).await;
    running.script.results_at_least(1).await;
    let error = running.script.result_of("j1")["error"].to_string();
    assert!(error.contains("result_too_large"), "{error}");
    running.stop().await;
}
