//! Workers are started, replaced and stopped, and jobs survive them.

use flash_local::{Exit, Limits, LocalPlatform, Signal, WorkerState};
use serde_json::json;

use crate::scripted::Role;
use crate::support::{alive, get, line, ok, platform, poll, post, quick, ready, runs, until_status};

#[tokio::test]
async fn jobs_go_through_worker_processes() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("echo").workers(2)).await.unwrap();
    let url = platform.endpoint_url("echo").unwrap();
    for n in 0..10 {
        let job = ok(post(&format!("{url}/runsync"), json!({"input": {"n": n}}).to_string()).await);
        assert_eq!((&job["status"], &job["output"]), (&json!("COMPLETED"), &json!({"n": n})));
    }
    ready(&platform, 2).await;
    let health = ok(get(&format!("{url}/health")).await);
    assert_eq!((&health["jobs"]["completed"], &health["workers"]["ready"]), (&json!(10), &json!(2)));
    platform.shutdown().await;
}

#[tokio::test]
async fn a_worker_finds_the_documented_environment() {
    let platform = platform().await;
    let spec = Role::Environment.spec("env").gpu("NVIDIA GeForce RTX 4090").env("USER_SETTING", "1");
    platform.declare("peer", flash_local::Kind::LoadBalanced).await.unwrap();
    platform.add_endpoint(spec).await.unwrap();
    let url = platform.endpoint_url("env").unwrap();
    let job = ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    let (env, base) = (&job["output"], platform.base_url());
    let gpu = "?gpu=NVIDIA+GeForce+RTX+4090";
    for (name, value) in [
        ("RUNPOD_ENDPOINT_ID", "env".to_owned()),
        ("RUNPOD_POD_ID", job["workerId"].as_str().unwrap().to_owned()),
        ("FLASH_RESOURCE_NAME", "env".to_owned()),
        ("FLASH_ENDPOINT_TYPE", "qb".to_owned()),
        ("RUNPOD_PING_INTERVAL", "10000".to_owned()),
        ("RUNPOD_WEBHOOK_GET_JOB", format!("{base}/v2/env/job-take/$ID{gpu}")),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", format!("{base}/v2/env/job-done/$RUNPOD_POD_ID/$ID{gpu}")),
        ("RUNPOD_WEBHOOK_POST_STREAM", format!("{base}/v2/env/job-stream/$RUNPOD_POD_ID/$ID{gpu}")),
        ("RUNPOD_WEBHOOK_PING", format!("{base}/v2/env/ping/$RUNPOD_POD_ID{gpu}")),
        ("FLASH_RESOURCES_ENDPOINTS", json!({"env": url, "peer": format!("{base}/lb/peer")}).to_string()),
        ("USER_SETTING", "1".to_owned()),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert_eq!(env["FLASH_RESOURCES_ENDPOINTS"], platform.resources_endpoints_json());
    assert!(env.get("PORT").is_none() && env["PATH"].is_string());
    // What workers leave there goes with the platform.
    let outbox = std::path::PathBuf::from(env["FLASH_OUTBOX_DIR"].as_str().unwrap());
    std::fs::create_dir(outbox.join("flash-outbox-0")).unwrap();
    platform.shutdown().await;
    assert!(!outbox.exists(), "{}", outbox.display());
}

#[tokio::test]
async fn a_killed_worker_means_one_more_try_and_then_the_documented_error() {
    let platform = platform().await;
    platform.add_endpoint(Role::Hold.spec("hold")).await.unwrap();
    let url = platform.endpoint_url("hold").unwrap();
    let id = ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    let mut workers = Vec::new();
    for retries in [json!(null), json!(1)] {
        let job = until_status(&url, &id, "IN_PROGRESS").await;
        assert_eq!(job["retries"], retries);
        let living = alive(&platform.workers());
        assert_eq!((living.len(), json!(living[0].id)), (1, job["workerId"].clone()));
        let child: u32 = line(&platform, &living[0], "child ").await.parse().unwrap();
        assert!(runs(child));
        platform.kill_worker(&living[0].id, Signal::Kill).unwrap();
        let expected = WorkerState::Exited(Exit { code: None, signal: Some(9) });
        platform
            .until_workers(|all| all.iter().any(|one| one.id == living[0].id && one.state == expected))
            .await;
        poll("the child to end", async || (!runs(child)).then_some(())).await;
        workers.push(living[0].id.clone());
    }
    let job = until_status(&url, &id, "FAILED").await;
    assert_eq!(job["error"], "job timed out after 1 retries");
    assert_eq!(job["workerId"], json!(workers[1]), "the second one was another worker");
    assert_ne!(workers[0], workers[1]);
}

#[tokio::test]
async fn a_worker_that_dies_by_itself_is_replaced_each_time() {
    let platform = platform().await;
    platform.add_endpoint(Role::Die.spec("die")).await.unwrap();
    let url = platform.endpoint_url("die").unwrap();
    let job = ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    assert_eq!((&job["status"], &job["retries"]), (&json!("FAILED"), &json!(1)));
    let died = WorkerState::Exited(Exit { code: Some(3), signal: None });
    let workers = platform
        .until_workers(|all| all.iter().filter(|one| one.state == died).count() == 2 && alive(all).len() == 1)
        .await;
    let text =
        platform.logs(&workers[0].id).unwrap().iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    assert!(text.contains(&format!("took {}", job["id"])), "{text:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_harms_nobody() {
    let platform = platform().await;
    platform.add_endpoint(flash_local::EndpointSpec::queue("none", "/does/not/exist")).await.unwrap();
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    let url = platform.endpoint_url("echo").unwrap();
    assert_eq!(ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await)["output"], 1);
    platform.shutdown().await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_its_job_and_is_not_replaced() {
    let platform = platform().await;
    platform.add_endpoint(Role::Finish.spec("finish")).await.unwrap();
    let url = platform.endpoint_url("finish").unwrap();
    let id = ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    let worker = ready(&platform, 1).await.remove(0);
    line(&platform, &worker, "waiting").await;
    platform.stop_worker(&worker.id).await.unwrap();
    let job = until_status(&url, &id, "COMPLETED").await;
    assert_eq!((&job["output"], job.get("retries")), (&json!("finished"), None));
    let workers = platform.workers();
    assert_eq!(workers.len(), 1, "nobody took its place");
    assert_eq!(workers[0].state, WorkerState::Exited(Exit { code: Some(0), signal: None }));
    assert!(platform.stop_worker(&worker.id).await.is_err());
    assert!(platform.kill_worker(&worker.id, Signal::Kill).is_err());
}

#[tokio::test]
async fn who_does_not_stop_in_time_is_killed() {
    let limits = Limits { stop_grace: std::time::Duration::from_millis(50), ..quick() };
    let platform = LocalPlatform::builder().limits(limits).start().await.unwrap();
    platform.add_endpoint(Role::Stubborn.spec("stubborn")).await.unwrap();
    let worker = platform.until_workers(|all| all.len() == 1).await.remove(0);
    line(&platform, &worker, "ready").await;
    platform.stop_worker(&worker.id).await.unwrap();
    assert_eq!(platform.workers()[0].state, WorkerState::Exited(Exit { code: None, signal: Some(9) }));
}

#[tokio::test]
async fn a_frozen_worker_is_stopped_all_the_same() {
    let platform = platform().await;
    platform.add_endpoint(Role::Finish.spec("finish")).await.unwrap();
    let url = platform.endpoint_url("finish").unwrap();
    let id = ok(post(&format!("{url}/run"), r#"{"input":1}"#).await)["id"].as_str().unwrap().to_owned();
    let worker = ready(&platform, 1).await.remove(0);
    line(&platform, &worker, "waiting").await;
    platform.kill_worker(&worker.id, Signal::Freeze).unwrap();
    platform.stop_worker(&worker.id).await.unwrap();
    until_status(&url, &id, "COMPLETED").await;
}

#[tokio::test]
async fn nothing_is_left_after_a_shutdown_or_a_drop() {
    for shutdown in [true, false] {
        let platform = platform().await;
        platform.add_endpoint(Role::Hold.spec("hold").workers(2)).await.unwrap();
        platform.add_endpoint(Role::Http.spec("http")).await.unwrap();
        let url = platform.endpoint_url("hold").unwrap();
        for _ in 0..2 {
            ok(post(&format!("{url}/run"), r#"{"input":1}"#).await);
        }
        let workers = ready(&platform, 3).await;
        let mut pids: Vec<u32> = workers.iter().map(|worker| worker.pid).collect();
        for worker in workers.iter().filter(|worker| worker.port.is_none()) {
            pids.push(line(&platform, worker, "child ").await.parse().unwrap());
        }
        assert!(pids.len() == 5 && pids.iter().all(|pid| runs(*pid)), "{pids:?}");
        let base = platform.base_url();
        if shutdown {
            platform.shutdown().await;
            // The grandchildren were killed; init collects them.
            poll("all processes to end", async || (!pids.iter().any(|pid| runs(*pid))).then_some(())).await;
        } else {
            drop(platform);
            poll("all processes to end", async || (!pids.iter().any(|pid| runs(*pid))).then_some(())).await;
        }
        let address = base.strip_prefix("http://").unwrap().to_owned();
        poll("the port to close", async || tokio::net::TcpStream::connect(&address).await.err()).await;
    }
}

#[tokio::test]
async fn names_belong_to_one_endpoint() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("a").workers(0)).await.unwrap();
    let refused = async |spec| platform.add_endpoint(spec).await.unwrap_err().to_string();
    assert_eq!(refused(Role::Echo.spec("a")).await, r#"endpoint "a" is there already"#);
    assert_eq!(refused(Role::Http.spec("a")).await, r#"endpoint "a" is there already"#);
    assert!(refused(Role::Echo.spec("a/b")).await.contains("help: "));
    assert!(platform.endpoint_url("nobody").is_none());
    // Nobody works for it, so this process may.
    let queue = platform.queue("a").unwrap();
    assert_eq!(queue.id().as_str(), "a");
}
