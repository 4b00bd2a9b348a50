//! What a worker has to survive: its functions, its callers, and the moment at which it is told to stop.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flash_tests::faults::RELEASED;
use flash_worker::queue::QueueWorkerError;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::recording_queue::{PAUSE, Running, Script, Seen};

/// How many cases of `full`; `FLASH_TEST_SCALE` is the percentage that a run of the gate asks for.
fn scaled(full: u32) -> u32 {
    let scale = std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    (full * scale / 100).max(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_progress_ever_follows_the_result() {
    let mut script = Script::default().irregular();
    let jobs = scaled(10_000);
    for n in 0..jobs {
        let input = json!({"method": "report_irregularly", "reports": n % 7, "seed": n});
        script = script.job(&format!("j{n}"), &input);
    }
    let running = Running::start("faults", script).await;
    running.script.until(|script| script.ended() == jobs as usize).await;
    let mut by_job: HashMap<String, Vec<Seen>> = HashMap::new();
    for post in running.stop().await {
        by_job.entry(post.job().unwrap().to_owned()).or_default().push(post);
    }
    assert_eq!(by_job.len(), jobs as usize);
    for (job, posts) in by_job {
        let (last, before) = posts.split_last().unwrap();
        assert_eq!(last.body, json!({"output": "done"}), "{job}");
        assert!(before.iter().all(Seen::is_progress), "{job}: {before:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_at_any_moment_loses_no_job() {
    for seed in 0..u64::from(scaled(1_000)) {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut script = Script::default().irregular();
        for n in 0..1 + next(20) {
            script = script.job(&format!("j{n}"), &json!({"method": "hop", "times": next(200)}));
        }
        let given = script.jobs.lock().unwrap().len();
        let running = Running::start("faults", script).await;
        for _ in 0..next(3_000) {
            tokio::task::yield_now().await;
        }
        // The queue gives out nothing more from here on; an answer that is on its way to the worker still counts, and needs
        // no time of the worker's clock to arrive.
        let script = running.script.clone();
        let taken = given - std::mem::take(&mut *script.jobs.lock().unwrap()).len();
        running.shutdown.start();
        script.until(|script| script.results().len() == taken).await;
        running.ended().await.unwrap();
        assert_eq!(script.results().len(), taken, "seed {seed}");
        for n in 0..taken {
            script.result_of(&format!("j{n}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_hundred_panics_and_the_others_succeed() {
    let mut script = Script::default();
    for n in 0..100 {
        script = script.job(&format!("j{n}"), &json!({"panics": n == 37}));
    }
    let running = Running::start("wide", script).await;
    running.script.results_at_least(100).await;
    for n in 0..100 {
        let result = running.script.result_of(&format!("j{n}"));
        if n == 37 {
            let error = result["error"].as_str().unwrap();
            assert!(error.contains("\"panic\"") && !error.contains("told to"), "{error}");
        } else {
            assert_eq!(result, json!({"output": true}), "j{n}");
        }
    }
    assert_eq!(running.stop().await.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_every_kind_are_answered() {
    let large = "x".repeat(19_999_000);
    let inputs = [
        ("missing", r#"{"id":"missing"}"#.to_owned()),
        ("empty", r#"{"id":"empty","input":{}}"#.to_owned()),
        ("null", r#"{"id":"null","input":null}"#.to_owned()),
        ("list", r#"{"id":"list","input":[1,2]}"#.to_owned()),
        ("text", r#"{"id":"text","input":"hop"}"#.to_owned()),
        ("number", r#"{"id":"number","input":1e400}"#.to_owned()),
        ("twice", r#"{"id":"twice","input":{"method":"same","value":1,"value":2}}"#.to_owned()),
        (
            "deep",
            format!(
                r#"{{"id":"deep","input":{{"method":"same","value":{}}}}}"#,
                "[".repeat(100) + &"]".repeat(100)
            ),
        ),
        ("sync-20mb", json!({"id": "sync-20mb", "input": {"method": "same", "value": large}}).to_string()),
    ];
    let mut script = Script::default();
    for body in ["[]", "{}", "nonsense", r#"{"id":1,"input":{}}"#, r#"{"input":{}}"#, ""] {
        script = script.answer(200, body);
    }
    for (_, body) in &inputs {
        script = script.answer(200, body);
    }
    let running = Running::start("faults", script).await;
    running.pass_until(PAUSE, |script| script.results().len() == inputs.len()).await;
    for (id, _) in &inputs {
        let result = running.script.result_of(id);
        match *id {
            "sync-20mb" => assert_eq!(result["output"].as_str().unwrap().len(), large.len()),
            "deep" => assert!(result["output"].is_array()),
            _ => assert!(result["error"].is_string(), "{id}: {result}"),
        }
    }
    assert_eq!(running.stop().await.len(), inputs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_mean_something_elsewhere_are_data_here() {
    let value =
        json!({"error": "not one", "refresh_worker": true, "output": 1, "status": "FAILED", "stopPod": true});
    let script = Script::default().job("j1", &json!({"method": "same", "value": value}));
    let running = Running::start("faults", script).await;
    running.script.results_at_least(1).await;
    assert_eq!(running.script.result_of("j1"), json!({"output": value}));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_knows_its_job() {
    let script = Script::default()
        .answer(200, r#"{"id":"j1","input":{"method":"look"}}"#)
        .answer(
            200,
            r#"{"id":"j2","retries":2,"delayTime":1000,"policy":{"executionTimeout":30000,"ttl":20000},
                "input":{"method":"look"}}"#,
        )
        .job("j3", &json!({"method": "look", "__flash": {"deadline_unix_ms": 1_767_225_605_000_u64}}));
    let running = Running::start("faults", script).await;
    let now = running.now().as_millis();
    running.script.results_at_least(3).await;
    let output = |id: &str| running.script.result_of(id)["output"].clone();
    assert_eq!(output("j1"), json!({"id": "j1", "attempt": 1, "deadline": null}));
    // The earliest of all limits: this job is removed 20 s after it was submitted.
    assert_eq!(output("j2"), json!({"id": "j2", "attempt": 3, "deadline": now + 19_000}));
    assert_eq!(output("j3")["deadline"], 1_767_225_605_000_u64);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_stopped_at_its_deadline_and_the_caller_learns_it() {
    let script = Script::default()
        .job("declared", &json!({}))
        .answer(200, r#"{"id":"own","input":{},"policy":{"executionTimeout":5000}}"#);
    let running = Running::start("hasty", script).await;
    running.script.until(|script| script.jobs.lock().unwrap().is_empty()).await;
    let (start, clock) = (running.now(), running.clock.clone());
    running.pass_until(PAUSE, |script| !script.results().is_empty()).await;
    assert_eq!(clock.now().since(start), Duration::from_secs(5));
    running.clock.advance(Duration::from_secs(55)).await;
    running.script.results_at_least(2).await;
    for id in ["own", "declared"] {
        let error = running.script.result_of(id)["error"].to_string();
        assert!(error.contains("timeout") && error.contains("before its deadline"), "{error}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_function_can_starve_the_heartbeat_and_every_job_is_in_it() {
    let script = Script::default().job("hog", &json!({"method": "hog"}));
    let running =
        Running::start_with("faults", script, |boot| boot.ping_interval = Duration::from_secs(10)).await;
    // The only thread of the runtime is taken; the next job arrives all the same, and cannot begin.
    running.script.seen_at_least(|seen| seen.target.contains("job_in_progress=1")).await;
    running.script.add("waits", &json!({"method": "hop", "times": 1}));
    let beats = |script: &Script| {
        script.all(|seen| {
            seen.target.contains("/ping/") && seen.target.contains("hog") && seen.target.contains("waits")
        })
    };
    running.pass_until(PAUSE, |script| !beats(script).is_empty()).await;
    assert!(beats(&running.script)[0].target.contains("%2C"), "{:?}", beats(&running.script));
    assert_eq!(running.script.results().len(), 0);
    // The stop channel hears as well.
    running.script.stop("waits");
    running.script.until(|script| script.all(|seen| seen.target.contains("/job-stop/")).len() >= 2).await;
    RELEASED.store(true, Ordering::SeqCst);
    running.script.results_at_least(1).await;
    let results = running.stop().await;
    assert_eq!(results.len(), 1, "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfit_worker_says_so_before_anything_else() {
    let script = Script::default().job("j1", &json!({"method": "once"}));
    let running = Running::start_with("faults", script, |boot| boot.fitness.min_memory_gb = Some(1e9)).await;
    let script = running.script.clone();
    let error = running.ended().await.unwrap_err();
    assert!(matches!(error, QueueWorkerError::Unfit { check: "memory", .. }), "{error}");
    let seen = script.all(|_| true);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let target = &seen[0].target;
    assert!(target.starts_with("/v2/e/ping/pod-1?gpu=x&status=unhealthy&check=memory&reason="), "{target}");
    assert!(target.contains("are+needed") && target.contains("runpod_version="), "{target}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_answers_nonsense_is_not_flooded() {
    // Python's worker made 4 000 requests in 6 s of such answers.
    for status in [204, 400, 500, 200] {
        let mut script = Script::default();
        for _ in 0..2_000 {
            script = script.answer(status, "");
        }
        let running = Running::start("faults", script).await;
        let (start, clock) = (running.now(), running.clock.clone());
        running.pass_until(PAUSE, |_| clock.now().since(start) >= Duration::from_secs(60)).await;
        let takes = running.script.all(|seen| seen.target.contains("/job-take")).len();
        assert!((10..=90).contains(&takes), "{status}: {takes} takes within a minute");
        // Prompt on work all the same.
        running.script.jobs.lock().unwrap().clear();
        running.script.add("j1", &json!({"method": "hop", "times": 1}));
        let asked = clock.now();
        running.pass_until(PAUSE, |script| !script.results().is_empty()).await;
        assert!(clock.now().since(asked) <= Duration::from_secs(5), "{status}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_kept() {
    let mut script = Script::default();
    for _ in 0..100 {
        script = script.answer(429, "");
    }
    let running = Running::start("faults", script).await;
    let (start, clock) = (running.now(), running.clock.clone());
    running.pass_until(PAUSE, |_| clock.now().since(start) >= Duration::from_secs(60)).await;
    let takes = running.script.all(|seen| seen.target.contains("/job-take")).len();
    assert!((12..=13).contains(&takes), "{takes} takes within a minute of 5 s pauses");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_heartbeat_and_without_a_query_works() {
    let script = Script::default().job("j1", &json!({"method": "hop", "times": 1}));
    let running = Running::start_with("faults", script, |boot| {
        let bare = |url: &Option<String>| url.as_ref().map(|url| url.replace("?gpu=x", ""));
        boot.jobs.take = bare(&boot.jobs.take);
        boot.jobs.done = bare(&boot.jobs.done);
        boot.jobs.ping = None;
        boot.jobs.stream = None;
    })
    .await;
    running.script.results_at_least(1).await;
    let targets: Vec<_> = running.script.all(|_| true).into_iter().map(|seen| seen.target).collect();
    for target in [
        "/v2/e/job-take-batch/pod-1?batch_size=8&job_in_progress=0",
        "/v2/e/job-done/pod-1/j1?isStream=false",
        "/v2/e/job-stop/pod-1",
    ] {
        assert!(targets.iter().any(|seen| seen == target), "{target}: {targets:?}");
    }
    let _: Value = running.script.result_of("j1");
    running.stop().await;
}

/// The spans of jobs, each as its fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(String, String)>>>);

impl Visit for Spans {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push((field.name().to_owned(), format!("{value:?}")));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "job" {
            attributes.record(&mut self.clone());
        }
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

/// The worker has no thread but that of the test, so it alone is listened to.
#[tokio::test]
async fn every_job_has_a_span_with_its_trace() {
    let spans = Spans::default();
    let _listening = tracing_subscriber::registry().with(spans.clone()).set_default();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let script = Script::default()
        .job(
            "j1",
            &json!({"method": "look", "__flash": {"traceparent": format!("00-{trace}-00f067aa0ba902b7-01")}}),
        )
        .job("j2", &json!({"method": "look", "__flash": {"traceparent": "00-nonsense"}}));
    let running = Running::start("faults", script).await;
    running.script.results_at_least(2).await;
    running.stop().await;
    let fields = spans.0.lock().unwrap().clone();
    let values = |name: &str| -> Vec<_> {
        let mut values: Vec<_> = fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.trim_matches('"'))
            .collect();
        values.sort_unstable();
        values
    };
    assert_eq!(values("request_id"), ["j1", "j2"]);
    assert_eq!(values("endpoint"), ["faults", "faults"]);
    assert_eq!(values("attempt"), ["1", "1"]);
    assert_eq!(values("trace_id"), [trace]);
}
