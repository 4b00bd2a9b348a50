//! What a deployment promises, looked at from the outside.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flash_local::Signal;
use serde_json::{Value, json};

use super::project::{Home, KEY, Project, TOKEN, output};
use super::proxy::{Fate, Proxy};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn holds(file: &Path, text: &str) -> bool {
    std::fs::read(file).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_in_no_artifact_no_manifest_and_no_log() {
    let project = Project::unbuilt();
    let secret = format!("SHOP_TOKEN={TOKEN}\nRUNPOD_API_KEY={KEY}\n");
    for name in [".env", "data/.env", "data/.env.production", "data/deep/staging.env"] {
        project.write(name, &secret);
    }
    let built = project.run("http://127.0.0.1:1", &["build", "--keep-build", "-vv"]).await;
    assert!(built.status.success(), "{}", said(&built));
    let packed = files(&project.dir.path().join(".flash/build"));
    let names: Vec<String> =
        packed.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(
        names.contains(&"stock.txt".to_owned()) && names.iter().all(|name| !name.contains(".env")),
        "{names:?}"
    );

    let home = Home::start().await;
    let log = output({
        let mut command = project.command(&home.base(), &["deploy", "send", "prod", "-vv", "--json"]);
        command.env("RUST_LOG", "trace");
        command
    })
    .await;
    assert!(log.status.success(), "{}", said(&log));
    let called = project.run(&home.base(), &["call", "count_elsewhere", "{\"text\": \"a b\"}", "-vv"]).await;
    assert_eq!(String::from_utf8_lossy(&called.stdout).trim(), "2", "{}", said(&called));
    let data = home.graphql("{ myself { flashApps { flashBuilds { manifest } } } }").await.to_string();
    let lines: Vec<String> = home
        .platform
        .workers()
        .iter()
        .flat_map(|worker| home.platform.logs(&worker.id).unwrap_or_default())
        .map(|line| line.text)
        .collect();
    let logs = [said(&built), said(&log), said(&called), data, lines.join("\n")];
    // The address of the upload opens the store to whoever has it.
    for value in [TOKEN, KEY, "signature="] {
        for text in &logs {
            assert!(!text.contains(value), "{value} in {text}");
        }
        for file in packed.iter().chain(&files(&project.dir.path().join(".flash"))) {
            assert!(!holds(file, value) || value == "signature=", "{value} in {}", file.display());
        }
    }
    home.platform.shutdown().await;

    // An asset that holds one of them is refused, by its name.
    project.write("data/config.json", &format!("{{\"token\": \"{TOKEN}\"}}"));
    let refused = project.run("http://127.0.0.1:1", &["build"]).await;
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(5), "{text}");
    assert!(text.contains("config.json") && text.contains("SHOP_TOKEN") && !text.contains(TOKEN), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_fails_before_any_change() {
    let project = Project::shared().checkout();
    let home = Home::start().await;
    let proxy = Proxy::start(home.base(), |_| Fate::Pass).await;
    for args in [&["deploy", "send", "prod"][..], &["deploy", "--image", "r/shop:1", "--env", "prod"]] {
        let mut command = project.command(&proxy.base, args);
        command.env_remove("SHOP_TOKEN");
        let failed = output(command).await;
        let text = said(&failed);
        assert!(failed.status.code() == Some(1) && text.contains("SHOP_TOKEN"), "{args:?} {text}");
    }
    let changes =
        |name: &String| name.starts_with("mutation") || name.starts_with("POST") || name.starts_with("PATCH");
    assert!(!proxy.seen().iter().any(changes), "{:?}", proxy.seen());
    home.platform.shutdown().await;
}

#[test]
fn an_app_that_makes_no_sense_is_not_built_and_every_problem_is_listed() {
    let project = Project::unbuilt();
    for (binary, parts) in [
        (env!("CARGO_BIN_EXE_fixture-empty"), &["no remote functions", "use my_app as _;"][..]),
        (
            env!("CARGO_BIN_EXE_fixture-duplicates"),
            &["function `thing`", "route `GET /things/{id}`", "endpoint `same`"],
        ),
        (env!("CARGO_BIN_EXE_fixture-circle"), &["egg -> hen -> egg", "left -> right -> left"]),
    ] {
        for args in
            [&["build", "--binary", binary][..], &["deploy", "--binary", binary, "--platform", "runpod"]]
        {
            // Nothing listens there: an app that is not built is not sent either.
            let failed = project.command("http://127.0.0.1:1", args).output().unwrap();
            let text = said(&failed);
            if args[0] == "build" {
                assert_eq!(failed.status.code(), Some(5), "{text}");
                for part in parts {
                    assert!(text.contains(part), "{part}: {text}");
                }
            }
            assert!(!failed.status.success() && !project.artifact().exists(), "{text}");
        }
    }
}

/// Peers keep calling each other with the addresses that they know, and a worker that starts meanwhile has them from its
/// manifest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_find_each_other_while_the_state_manager_is_down() {
    let project = Project::shared().checkout();
    let home = Home::start().await;
    let is_down = Arc::new(AtomicBool::new(false));
    let (down, refused) = (is_down.clone(), Arc::new(AtomicUsize::new(0)));
    let count = refused.clone();
    let proxy = Proxy::start(home.base(), move |name| {
        // The gateway that finds endpoints by name is part of what is down.
        let is_asked =
            name.starts_with("query") || name.starts_with("mutation") || name.contains("/v2/flash");
        if is_asked && down.load(Ordering::Relaxed) {
            count.fetch_add(1, Ordering::Relaxed);
            return Fate::Unavailable;
        }
        Fate::Pass
    })
    .await;
    // The workers' control plane is the proxy.
    project.write(
        "flash.toml",
        &format!(
            "[env.prod.endpoints.shop]\nvariables = {{ RUNPOD_API_BASE_URL = \"{base}\", RUNPOD_ENDPOINT_BASE_URL = \"{base}/v2\", \
             FLASH_DISCOVERY_TTL_SECS = \"1\" }}\n",
            base = proxy.base
        ),
    );
    project.json(&home.base(), &["deploy", "send", "prod"]).await;
    let call = async || {
        let output = project.run(&home.base(), &["call", "count_elsewhere", "{\"text\": \"a b c\"}"]).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3", "{}", said(&output));
    };
    call().await;
    is_down.store(true, Ordering::Relaxed);
    // Until the answer is too old and is asked for again, in vain.
    let begun = Instant::now();
    while refused.load(Ordering::Relaxed) == 0 {
        call().await;
        assert!(begun.elapsed() < Duration::from_secs(60), "the State Manager is not asked again");
    }
    call().await;

    // A new worker knows nothing, and nobody answers it.
    let shop = home.endpoints().await.into_iter().find(|one| one["type"] == "LOAD_BALANCER").unwrap();
    let is_shop = |worker: &flash_local::WorkerInfo| worker.endpoint.as_str() == shop["id"].as_str().unwrap();
    let old = home.platform.workers().into_iter().find(is_shop).unwrap();
    home.platform.kill_worker(&old.id, Signal::Kill).unwrap();
    home.platform
        .until_workers(|workers| {
            workers.iter().any(|worker| is_shop(worker) && worker.id != old.id && worker.pid != old.pid)
        })
        .await;
    let before = refused.load(Ordering::Relaxed);
    call().await;
    assert!(refused.load(Ordering::Relaxed) > before, "the new worker did not ask");
    assert!(proxy.seen().iter().all(|name| !name.contains("/v2/flash")), "{:?}", proxy.seen());
    home.platform.shutdown().await;
}

/// The key is where calls are made and nowhere else, as the kernel has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_workers_that_call_others_have_the_key() {
    let project = Project::shared().checkout();
    let home = Home::start().await;
    project.json(&home.base(), &["deploy", "send", "prod"]).await;
    let counted = project.json(&home.base(), &["call", "count", "{\"text\": \"a b\"}"]).await;
    assert_eq!(counted, json!(2));
    let mut seen = Vec::new();
    for worker in home.platform.workers() {
        let Ok(environ) = std::fs::read(format!("/proc/{}/environ", worker.pid)) else { continue };
        let environ = String::from_utf8_lossy(&environ).into_owned();
        let variable =
            |name: &str| environ.split('\0').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let resource = variable("FLASH_RESOURCE_NAME").unwrap().to_owned();
        let calls = resource == "shop";
        assert_eq!(variable("RUNPOD_API_KEY"), calls.then_some(KEY), "{resource}");
        assert_eq!(variable("FLASH_ENVIRONMENT_ID").is_some(), calls, "{resource}");
        assert_eq!(variable("SHOP_TOKEN"), (!calls).then_some(TOKEN), "{resource}");
        assert_eq!(environ.contains(KEY), calls, "{resource}");
        seen.push(resource);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["shop", "words"]);
    let _: Value = project.json(&home.base(), &["undeploy", "--all", "--force"]).await;
    home.platform.shutdown().await;
}
