//! Calls from this process to the worker processes of a local platform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flash_core::wire::JobStatus;
use flash_core::{App, Registry, Scope};
use flash_local::{EndpointSpec, LocalPlatform};
use flash_platform::{Credentials, Deployed, HttpClient, Peers};
use flash_tests::calling::{Number, count_up, count_up_route, two_hops};
use flash_tests::interop::hold;
use flash_tests::{check, whoami};

/// A platform on which the app is deployed, and a scope whose calls go there.
async fn deployed() -> (LocalPlatform, Scope) {
    let binary = env!("CARGO_BIN_EXE_fixture-app");
    let platform = LocalPlatform::start().await.unwrap();
    let queues = ["mixed", "counter", "interop"].map(|name| EndpointSpec::queue(name, binary));
    let api = EndpointSpec::load_balanced("api", binary);
    platform.add_endpoints(queues.into_iter().chain([api])).await.unwrap();
    let addresses: BTreeMap<_, _> = serde_json::from_str(&platform.resources_endpoints_json()).unwrap();
    let transport = Deployed::new(HttpClient::new(), Credentials::default(), Peers::new(addresses), None);
    let app = App::new(Registry::linked().unwrap()).with_transport(Arc::new(transport));
    (platform, Scope::builder(app).request_id("test").build())
}

/// Waits until a worker wrote this line.
async fn said(platform: &LocalPlatform, text: &str) {
    let has_said = || {
        let logs = platform.workers().into_iter().filter_map(|worker| platform.logs(&worker.id));
        logs.flatten().any(|line| line.text.contains(text))
    };
    while !has_said() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_streams_come_from_other_processes() {
    let (platform, scope) = deployed().await;
    let calls = async {
        let job = whoami::remote().spawn().await.unwrap();
        let there = job.wait().await.unwrap();
        assert_ne!(there, std::process::id());
        let pids = flash::map((0..20).map(|_| whoami::remote())).concurrency(8).await;
        assert!(pids.iter().all(|pid| *pid.as_ref().unwrap() == there), "{pids:?}");

        let numbers: Vec<Number> = (0..50).map(|n| Number { n }).collect();
        assert_eq!(count_up::remote(50, false).stream().collect().await.unwrap(), numbers);
        assert_eq!(count_up_route::remote(50, false).stream().collect().await.unwrap(), numbers);
        assert_eq!(count_up::remote(50, false).await.unwrap().collect().await.unwrap(), numbers);
        assert_eq!(count_up_route::remote(50, false).await.unwrap().collect().await.unwrap(), numbers);
        let job = count_up::remote(50, false).spawn().await.unwrap();
        assert_eq!(job.stream().collect().await.unwrap(), numbers);
        for mut stream in [count_up::remote(1, true).stream(), count_up_route::remote(1, true).stream()] {
            assert_eq!(stream.next().await.unwrap().unwrap(), Number { n: 0 });
            assert_eq!(stream.next().await.unwrap().unwrap_err().code(), "no_further");
        }

        // The same key is the same job, although the trace is another.
        let one = check::remote("abc".into()).idempotency_key("k").spawn().await.unwrap();
        let two = check::remote("abc".into()).idempotency_key("k").spawn().await.unwrap();
        assert_eq!(one.id(), two.id());
    };
    scope.enter(calls).await;
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancellation_deadline_and_trace_reach_other_processes() {
    let (platform, scope) = deployed().await;
    let calls = async {
        let job = hold::remote("/nonexistent/file".into()).spawn().await.unwrap();
        // A job in progress was taken, but its function may not have begun, and then nothing is stopped.
        said(&platform, &format!("holds {}", job.id())).await;
        assert_eq!(job.status().await.unwrap(), JobStatus::InProgress);
        assert_eq!(job.cancel().await.unwrap(), JobStatus::Cancelled);
        said(&platform, &format!("stopped {}", job.id())).await;

        // Whoever does not wait any longer takes the job along.
        let queue = platform.queue("interop").unwrap();
        let call = hold::remote("/nonexistent/other".into()).cancel_on_drop().into_future();
        let running = async {
            while queue.health().await.unwrap().jobs.in_progress == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = call => panic!("there is no such file"),
            () = running => {}
        }
        while queue.health().await.unwrap().jobs.in_progress > 0 {
            tokio::task::yield_now().await;
        }

        // Two hops: to the HTTP worker, and from there to the queue worker.
        let (first, second) = two_hops::remote().timeout(Duration::from_secs(60)).await.unwrap();
        assert!(first.deadline.is_some() && first.trace.is_some(), "{first:?}");
        assert_eq!(first.trace, second.trace);
        // The queue's own limit is later than the caller's.
        assert_eq!(first.deadline, second.deadline);
    };
    scope.enter(calls).await;
    platform.shutdown().await;
}
