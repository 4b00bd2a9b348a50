//! Jobs, options and streams of deployed endpoints, against a peer that answers by script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flash::{CallError, Priority, WaitReason};
use flash_core::wire::JobStatus;
use flash_tests::calling::{Number, count_up, count_up_route};
use flash_tests::{check, delete_item, explode_route, item};
use serde_json::{Value, json};

use crate::deployed::{HELD, Peer};

const STEP: Duration = Duration::from_millis(50);

fn accepted() -> (u16, Value) {
    (200, json!({"id": "j1", "status": "IN_QUEUE"}))
}

/// Waits until the peer was asked for this.
async fn asked_for(peer: &Peer, line: &str) {
    while !peer.asked().iter().any(|asked| asked.line == line) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_job_is_submitted_with_everything_that_was_asked_for() {
    let peer = Peer::answering(&[
        accepted(),
        (200, json!({"id": "j1", "status": "IN_PROGRESS", "output": "half"})),
        (200, json!({"id": "j1", "status": "IN_PROGRESS", "output": "half"})),
        (200, json!({"id": "j1", "status": "FAILED", "error": "boom"})),
        (200, json!({"id": "j1", "status": "IN_QUEUE"})),
        (200, json!({"id": "j1", "status": "IN_QUEUE"})),
        (200, json!({"id": "j1", "status": "COMPLETED", "output": 3})),
        (200, json!({"id": "j1", "status": "CANCELLED"})),
    ]);
    let call = async {
        let job = check::remote("abc".into())
            .priority(Priority::Low)
            .ttl(Duration::from_secs(60))
            .execution_timeout(Duration::from_secs(30))
            .webhook("http://127.0.0.1:9/hook")
            .idempotency_key("k1")
            .spawn()
            .await
            .unwrap();
        assert_eq!(job.id().as_str(), "j1");
        assert_eq!(job.progress::<String>().await.unwrap().as_deref(), Some("half"));
        assert_eq!(job.output().await.unwrap(), None);
        assert!(job.output().await.unwrap_err().to_string().contains("boom"));
        job.retry().await.unwrap();
        assert_eq!(job.wait().await.unwrap(), 3);
        assert_eq!(job.cancel().await.unwrap(), JobStatus::Cancelled);
    };
    peer.run_in_time(STEP, call).await;
    let asked = peer.asked();
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(lines[..2], ["POST /mixed/run", "GET /mixed/status/j1"]);
    assert_eq!(lines[4], "POST /mixed/retry/j1");
    assert_eq!(lines[7], "POST /mixed/cancel/j1");
    let body = &asked[0].body;
    assert_eq!(body["policy"], json!({"executionTimeout": 30_000, "lowPriority": true, "ttl": 60_000}));
    assert_eq!(body["webhook"], "http://127.0.0.1:9/hook");
    assert_eq!(body["input"]["__flash"]["key"], "k1");
    assert!(body["input"]["__flash"].get("deadline_unix_ms").is_none());
}

#[tokio::test]
async fn the_job_of_a_call_that_nobody_waits_for_is_cancelled() {
    for (cancels_at_once, first, line) in [
        (true, accepted(), "POST /mixed/run"),
        (false, (200, json!({"id": "j1", "status": "IN_PROGRESS"})), "POST /mixed/runsync?wait=20000"),
    ] {
        let peer = Peer::answering(&[first]);
        let queued = (200, json!({"id": "j1", "status": "IN_QUEUE"}).to_string());
        peer.answers.lock().unwrap().extend(std::iter::repeat_n(queued, 1000));
        let call = async {
            let call = check::remote("x".into()).timeout(Duration::from_secs(20));
            let call = if cancels_at_once { call.cancel_on_drop() } else { call };
            assert_eq!(call.await.unwrap_err().code(), "timeout");
            asked_for(&peer, "POST /mixed/cancel/j1").await;
        };
        peer.run_in_time(STEP, call).await;
        assert_eq!(peer.asked()[0].line, line);
        // Nobody reads the result later, so the job need not live longer either.
        assert_eq!(peer.asked()[0].body["policy"], json!({"ttl": 20_000}));
    }
}

/// Whoever leaves while the submission is on its way does not know the job's id yet.
#[tokio::test]
async fn the_job_of_a_call_that_is_dropped_while_it_is_submitted_is_cancelled() {
    for streams in [false, true] {
        let peer = Peer::answering(&[accepted(), (200, json!({"id": "j1", "status": "CANCELLED"}))]);
        let call = async {
            let call = async {
                if streams {
                    let _ = count_up::remote(3, false).stream().next().await;
                } else {
                    let _ = check::remote("x".into()).cancel_on_drop().await;
                }
            };
            tokio::select! {
                biased;
                () = async { while peer.asked().is_empty() { tokio::task::yield_now().await } } => {}
                () = call => panic!("the job has no end"),
            }
            while peer.asked().len() < 2 {
                tokio::task::yield_now().await;
            }
        };
        peer.run_in_time(STEP, call).await;
        assert!(peer.asked()[0].line.ends_with("/run"), "{}", peer.asked()[0].line);
        assert!(peer.asked()[1].line.ends_with("/cancel/j1"), "{}", peer.asked()[1].line);
    }
}

#[tokio::test]
async fn a_submission_that_may_have_arrived_is_not_sent_twice() {
    let done = (200, json!({"id": "j1", "status": "COMPLETED", "output": 1}));
    let failed = |status: u16| (status, json!({"error": "no"}));
    // Nobody took it.
    for status in [429, 503] {
        let peer = Peer::answering(&[failed(status), done.clone()]);
        let call = async { check::remote("x".into()).retries(1).await };
        assert_eq!(peer.run_in_time(STEP, call).await.unwrap(), 1);
    }
    // There may be a job.
    let peer = Peer::answering(&[failed(502), done.clone()]);
    let call = async { check::remote("x".into()).retries(3).await };
    let CallError::Transport(error) = peer.run_in_time(STEP, call).await.unwrap_err() else { panic!() };
    assert!(error.is_in_doubt() && error.is_retryable(), "{error:?}");
    assert_eq!(peer.asked().len(), 1);
    // Unless that does not matter.
    let peer = Peer::answering(&[failed(502), done]);
    let call = async { check::remote("x".into()).retries(1).allow_duplicates().await };
    assert_eq!(peer.run_in_time(STEP, call).await.unwrap(), 1);

    // A route says by its verb, or by a key, that twice is as good as once.
    let ok = (200, Value::Null);
    let peer = Peer::answering(&[failed(502), ok.clone()]);
    peer.run_in_time(STEP, async { delete_item::remote(1).retries(1).await }).await.unwrap();
    let peer = Peer::answering(&[failed(502), ok.clone()]);
    let call = async { explode_route::remote().retries(1).await };
    assert!(peer.run_in_time(STEP, call).await.is_err());
    let peer = Peer::answering(&[failed(502), ok]);
    let call = async { explode_route::remote().retries(1).idempotency_key("k2").await };
    peer.run_in_time(STEP, call).await.unwrap();
    assert!(peer.asked().iter().all(|asked| asked.headers["idempotency-key"] == "k2"));
}

#[tokio::test]
async fn a_route_hears_of_the_trace_and_of_the_deadline() {
    let peer = Peer::answering(&[(200, json!([7, [], false])), (200, json!([7, [], false]))]);
    let call = async {
        item::remote(7, None, false).await.unwrap();
        item::remote(7, None, false).timeout(Duration::from_secs(5)).await.unwrap();
    };
    peer.run(call).await;
    let [plain, timed] = &peer.asked()[..] else { panic!() };
    assert!(
        plain.headers.contains_key("traceparent") && !plain.headers.contains_key("x-flash-deadline-unix-ms")
    );
    // The clock stands at the beginning of 2026.
    assert_eq!(timed.headers["x-flash-deadline-unix-ms"], "1767225605000");
    assert_eq!(timed.headers["accept"], "application/json");
}

#[tokio::test]
async fn a_queue_streams_item_by_item() {
    let chunk = |status: &str, items: &[u32]| {
        let items: Vec<Value> = items.iter().map(|n| json!({"output": {"n": n}})).collect();
        (200, json!({"status": status, "stream": items}))
    };
    let ok = [
        accepted(),
        chunk("IN_QUEUE", &[]),
        chunk("IN_PROGRESS", &[0]),
        // The shape in the documentation.
        (200, json!([{"output": {"n": 1}}, {"output": {"n": 2}}])),
        chunk("COMPLETED", &[3]),
        chunk("COMPLETED", &[]),
    ];
    let peer = Peer::answering(&ok);
    let call = async { count_up::remote(4, false).stream().collect().await };
    let numbers: Vec<Number> = (0..4).map(|n| Number { n }).collect();
    assert_eq!(peer.run_in_time(STEP, call).await.unwrap(), numbers);
    let lines: Vec<String> = peer.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines[..2], ["POST /counter/run", "GET /counter/stream/j1"]);

    // The failure of the job is the last item.
    let peer = Peer::answering(&[
        accepted(),
        chunk("FAILED", &[0]),
        chunk("FAILED", &[]),
        (200, json!({"id": "j1", "status": "FAILED", "error": "boom"})),
    ]);
    let call = async {
        let mut stream = count_up::remote(1, true).stream();
        assert_eq!(stream.next().await.unwrap().unwrap(), Number { n: 0 });
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(stream.next().await.is_none());
        error
    };
    assert!(peer.run_in_time(STEP, call).await.to_string().contains("boom"));

    // A stream that nobody reads to its end cancels its job.
    let peer = Peer::answering(&[accepted(), chunk("IN_PROGRESS", &[0]), accepted()]);
    let call = async {
        let mut stream = count_up::remote(9, false).stream();
        stream.next().await.unwrap().unwrap();
        drop(stream);
        asked_for(&peer, "POST /counter/cancel/j1").await;
    };
    peer.run_in_time(STEP, call).await;
}

#[tokio::test]
async fn a_route_streams_server_sent_events() {
    let answering = |text: &str| {
        let peer = Peer::default();
        peer.answers.lock().unwrap().push_back((200, text.to_owned()));
        peer
    };
    let items = "data: {\"n\":0}\n\ndata: {\"n\":1}\n\n";
    let numbers = [Number { n: 0 }, Number { n: 1 }];
    let peer = answering(&format!("{items}event: end\ndata: null\n\n"));
    let call = async { count_up_route::remote(2, false).stream().collect().await };
    assert_eq!(peer.run(call).await.unwrap(), numbers);
    assert_eq!(peer.asked()[0].headers["accept"], "text/event-stream");
    // Awaited as a whole.
    let peer = answering(&format!("{items}event: end\ndata: null\n\n"));
    let call = async { count_up_route::remote(2, false).await.unwrap().collect().await };
    assert_eq!(peer.run(call).await.unwrap(), numbers);

    let problem = r#"{"title":"x","status":500,"detail":"no further","code":"no_further"}"#;
    for (ending, code) in [
        (format!("event: error\ndata: {problem}\n\n"), "no_further"),
        // Without its end it was cut off.
        (String::new(), "unreachable"),
    ] {
        let peer = answering(&format!("{items}{ending}"));
        let call = async {
            let mut stream = count_up_route::remote(2, true).stream();
            stream.next().await.unwrap().unwrap();
            stream.next().await.unwrap().unwrap();
            let error = stream.next().await.unwrap().unwrap_err();
            assert!(stream.next().await.is_none());
            error
        };
        assert_eq!(peer.run(call).await.code(), code);
    }
}

#[tokio::test]
async fn a_call_that_waits_says_why_within_ten_seconds() {
    let peer = Peer::answering(&[(HELD, Value::Null)]);
    *peer.health.lock().unwrap() = Some(json!({"jobs": {"inQueue": 1}, "workers": {"initializing": 1}}));
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    let health = Arc::clone(&peer.health);
    let call = async {
        check::remote("x".into())
            .timeout(Duration::from_secs(40))
            .on_wait(move |waiting| {
                seen.lock().unwrap().push(waiting.clone());
                *health.lock().unwrap() = Some(json!({"workers": {}}));
            })
            .await
    };
    let CallError::Transport(error) = peer.run_in_time(STEP, call).await.unwrap_err() else { panic!() };
    assert_eq!(error.code(), "timeout");
    assert!(error.message().ends_with("within the call's 40s: no worker runs"), "{}", error.message());
    let told = told.lock().unwrap();
    let reasons: Vec<WaitReason> = told.iter().map(|waiting| waiting.reason).collect();
    // Each reason once.
    assert_eq!(reasons, [WaitReason::Initializing { workers: 1 }, WaitReason::NoWorker]);
    assert!(told[0].waited <= Duration::from_secs(10), "{told:?}");
}
