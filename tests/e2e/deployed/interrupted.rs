use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flash_local::LocalPlatform;
use serde_json::{Value, json};

use super::project::{KEY, Project};
use super::proxy::{Fate, Proxy};

async fn platform() -> LocalPlatform {
    LocalPlatform::builder().control_plane(true).api_key(KEY).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gc_finds_what_a_killed_first_deployment_left_and_nothing_else() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let mut saved = 0;
    let decide = move |name: &str| {
        saved += usize::from(name == "mutation saveEndpoint");
        if saved == 2 { Fate::KillAfter } else { Fate::Pass }
    };
    let proxy = Proxy::start(platform.base_url(), decide).await;
    project.run_until_killed(&proxy, &["deploy", "send", "prod", "--no-verify"]).await;
    let base = platform.base_url();
    let left = project.json(&base, &["gc", "--dry-run"]).await;
    let count = left["orphans"].as_array().unwrap().len();
    assert!(count >= 1, "{left}");
    // An endpoint of nobody's app is nobody's orphan.
    let other = json!({"name": "mine", "type": "QUEUE", "image": "x", "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4}});
    let http = flash_platform::HttpClient::new();
    let request = http.request(reqwest::Method::POST, &format!("{base}/v2/serverless")).unwrap();
    let made = request
        .bearer_auth(KEY)
        .header("content-type", "application/json")
        .body(other.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    let removed = project.json(&base, &["gc", "--force"]).await;
    assert_eq!(removed["removed"].as_array().unwrap().len(), count, "{removed}");
    assert_eq!(project.json(&base, &["gc", "--dry-run"]).await["orphans"], json!([]));
    let listed = http.request(reqwest::Method::GET, &format!("{base}/v2/serverless")).unwrap();
    let listed: Value =
        serde_json::from_str(&listed.bearer_auth(KEY).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(listed["endpoints"].as_array().unwrap().len(), 1, "{listed}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_manager_that_is_down_activates_nothing() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let tries = Arc::new(AtomicUsize::new(0));
    let count = tries.clone();
    let down = move |name: &str| match name {
        "mutation updateFlashBuildManifest" => {
            count.fetch_add(1, Ordering::Relaxed);
            Fate::Unavailable
        }
        _ => Fate::Pass,
    };
    let proxy = Proxy::start(platform.base_url(), down).await;
    let failed = project.run(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{errors}");
    assert!(errors.contains("nothing was activated") && errors.contains("storing the manifest"), "{errors}");
    assert!(!String::from_utf8_lossy(&failed.stdout).contains("deployed"), "{errors}");
    assert_eq!(tries.load(Ordering::Relaxed), 4);
    let base = platform.base_url();
    let listed = project.json(&base, &["env", "list"]).await;
    assert_eq!(listed["environments"], json!([]), "{listed}");
    assert_eq!(project.json(&base, &["doctor"]).await["healthy"], true);

    // With a build that runs, that one goes on.
    proxy.decide(|_| Fate::Pass);
    let first = project.json(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    std::fs::write(project.dir.path().join("flash.toml"), "[env.prod]\nvariables = { COLOUR = \"blue\" }\n")
        .unwrap();
    proxy.decide(|name| match name {
        "mutation updateFlashBuildManifest" => Fate::Unavailable,
        _ => Fate::Pass,
    });
    let failed = project.run(&proxy.base, &["deploy", "send", "prod", "--no-verify"]).await;
    assert_eq!(failed.status.code(), Some(1));
    let info = project.json(&base, &["deploy", "info", "prod"]).await;
    assert_eq!(info["active_build"], first["build"], "{info}");
    std::fs::remove_file(project.dir.path().join("flash.toml")).unwrap();
    let plan = project.json(&base, &["deploy", "send", "prod", "--dry-run"]).await;
    assert!(plan["plan"].as_array().unwrap().iter().all(|step| step["action"] == "unchanged"), "{plan}");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_deployments_at_once_end_in_one() {
    let platform = platform().await;
    let base = platform.base_url();
    let first = Project::shared().checkout();
    // Another checkout on the same machine, with another setting.
    let second = Project { state: tempfile::tempdir().unwrap(), ..Project::shared().checkout() };
    let toml = "[env.prod]\nvariables = { COLOUR = \"blue\" }\n";
    std::fs::write(second.dir.path().join("flash.toml"), toml).unwrap();
    let shared = first.state.path().to_owned();
    let args = ["deploy", "send", "prod", "--no-verify"];
    let children: Vec<_> = [&first, &second]
        .map(|project| project.command(&base, &args).env("FLASH_PLATFORM_DIR", &shared).spawn().unwrap())
        .into_iter()
        .map(|child| tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()))
        .collect();
    for child in children {
        let output = child.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let left = first.json(&base, &["gc", "--dry-run"]).await;
    assert_eq!(left["orphans"], json!([]));
    // One of the two is what runs, in every part.
    let unchanged =
        |plan: &Value| plan["plan"].as_array().unwrap().iter().all(|step| step["action"] == "unchanged");
    let mut same = 0;
    for project in [&first, &second] {
        let plan = project.json(&base, &["deploy", "send", "prod", "--dry-run"]).await;
        same += usize::from(unchanged(&plan));
    }
    assert_eq!(same, 1);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_key_fails_before_any_change() {
    let project = Project::shared().checkout();
    let platform = platform().await;
    let proxy = Proxy::start(platform.base_url(), |_| Fate::Pass).await;
    let mut command = project.command(&proxy.base, &["deploy", "send", "prod"]);
    command.env_remove("RUNPOD_API_KEY").env("HOME", project.state.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.contains("RUNPOD_API_KEY"), "{errors}");
    assert!(
        proxy.seen().iter().all(|name| !name.starts_with("mutation") && !name.starts_with("POST")),
        "{:?}",
        proxy.seen()
    );
    platform.shutdown().await;
}

/// A deployment that was killed before its end is completed from another checkout too, which has no notes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_never_came_to_its_end_is_completed_from_anywhere() {
    let platform = platform().await;
    let mut stored = 0;
    let decide = move |name: &str| {
        stored += usize::from(name == "mutation updateFlashBuildManifest");
        // The first one has the addresses; the second says that the build serves.
        if stored == 2 { Fate::KillBefore } else { Fate::Pass }
    };
    let proxy = Proxy::start(platform.base_url(), decide).await;
    let send = ["deploy", "send", "prod"];
    Project::shared().checkout().run_until_killed(&proxy, &send).await;
    let elsewhere = Project::shared().checkout();
    proxy.decide(|_| Fate::Pass);
    for verified in [true, false] {
        proxy.forget();
        let again = elsewhere.json(&proxy.base, &send).await;
        assert_eq!(again["changed"], false, "{again}");
        // Once: afterwards the build itself tells that all was well.
        let seen = proxy.seen();
        assert_eq!(seen.iter().any(|name| name.ends_with("/ping")), verified, "{seen:?}");
    }
    platform.shutdown().await;
}
