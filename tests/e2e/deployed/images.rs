//! Images instead of artifacts: REST v2 alone, while the GraphQL API is gone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::Machine;
use super::project::{Home, KEY, Project};
use super::proxy::{Fate, Proxy};

const FIRST: &str = "registry.example/shop:1";
const SECOND: &str = "registry.example/shop@sha256:2";

fn deploy(image: &str) -> Vec<&str> {
    vec!["deploy", "--image", image, "--env", "prod"]
}

/// A platform that has two images of the app, and whose GraphQL API has come to its end.
async fn begin() -> (Home, Project, Proxy) {
    let home = Home::start().await;
    let images = flash_local::Images::of_data_dir(home.dir.path());
    images.add(FIRST, &Project::shared().artifact()).unwrap();
    images.add(SECOND, &Project::shared_second().artifact()).unwrap();
    let proxy = Proxy::start(home.base(), no_graphql).await;
    (home, Project::shared().checkout(), proxy)
}

fn no_graphql(name: &str) -> Fate {
    if name.starts_with("query") || name.starts_with("mutation") { Fate::Unavailable } else { Fate::Pass }
}

fn actions(applied: &Value) -> Vec<(&str, &str)> {
    let steps = applied["plan"].as_array().unwrap().iter();
    steps.map(|step| (step["resource"].as_str().unwrap(), step["action"].as_str().unwrap())).collect()
}

fn fields(applied: &Value) -> Vec<&str> {
    let steps = applied["plan"].as_array().unwrap().iter();
    let changes = steps.flat_map(|step| step["changes"].as_array().unwrap());
    changes.map(|change| change["field"].as_str().unwrap()).collect()
}

/// The variables of the workers, as the kernel has them, by endpoint.
fn environments(home: &Home) -> BTreeMap<String, BTreeMap<String, String>> {
    let root = home.dir.path().canonicalize().unwrap();
    let mut all = BTreeMap::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()) {
        let Ok(program) = std::fs::read_link(process.join("exe")) else { continue };
        let Ok(environment) = std::fs::read(process.join("environ")) else { continue };
        if program.starts_with(&root) {
            let text = String::from_utf8_lossy(&environment).into_owned();
            let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
            let variables: BTreeMap<String, String> =
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            all.insert(variables["FLASH_RESOURCE_NAME"].clone(), variables);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_deployed_changed_and_removed_without_graphql() {
    let (home, project, proxy) = begin().await;
    let planned = project.json(&proxy.base, &[deploy(FIRST), vec!["--dry-run"]].concat()).await;
    assert_eq!(actions(&planned), [("shop", "create"), ("words", "create")]);
    assert_eq!(home.endpoints().await, [] as [Value; 0]);

    let applied = project.json(&proxy.base, &deploy(FIRST)).await;
    assert_eq!((&applied["changed"], &applied["build"]), (&json!(true), &Value::Null));
    let seen = proxy.seen();
    assert!(seen.iter().all(|name| !name.starts_with("query") && !name.starts_with("mutation")), "{seen:?}");
    // Calls find functions and addresses, and each other; nobody says which environment, because there is one.
    let called =
        project.run(&proxy.base, &["call", "count_elsewhere", "{\"text\": \"three small words\"}"]).await;
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    assert_eq!(String::from_utf8_lossy(&called.stdout).trim(), "3");
    // The key, and whom it may call, are only where calls are made.
    let workers = environments(&home);
    let (shop, words) = (&workers["shop"], &workers["words"]);
    assert_eq!(shop["RUNPOD_API_KEY"], KEY);
    let peers: BTreeMap<String, String> = serde_json::from_str(&shop["FLASH_RESOURCES_ENDPOINTS"]).unwrap();
    assert_eq!(peers.keys().collect::<Vec<_>>(), ["words"]);
    for absent in
        ["RUNPOD_API_KEY", "FLASH_RESOURCES_ENDPOINTS", "FLASH_ENVIRONMENT_ID", "FLASH_ARTIFACT_SHA256"]
    {
        assert!(!words.contains_key(absent), "{absent}");
    }

    // Nothing differs, so nothing happens.
    let versions = async || {
        let endpoints = home.endpoints().await;
        let mut all = Vec::new();
        for endpoint in endpoints {
            let path = format!("/serverless/{}/releases", endpoint["id"].as_str().unwrap());
            all.push(home.rest(Method::GET, &path, None).await["releases"].as_array().unwrap().len());
        }
        all
    };
    let before = versions().await;
    let again = project.json(&proxy.base, &deploy(FIRST)).await;
    assert_eq!((&again["changed"], versions().await), (&json!(false), before));

    // What somebody changed in the console is set back; a setting and a variable are updates.
    let shop = home.endpoints().await.into_iter().find(|one| one["type"] == "LOAD_BALANCER").unwrap();
    let path = format!("/serverless/{}", shop["id"].as_str().unwrap());
    home.rest(Method::PATCH, &path, Some(&json!({"workers": {"max": 7}}))).await;
    let drifted = project.json(&proxy.base, &[deploy(FIRST), vec!["--dry-run"]].concat()).await;
    assert_eq!(
        (actions(&drifted), fields(&drifted)),
        (vec![("shop", "update"), ("words", "unchanged")], vec!["workersMax"])
    );
    project.write(
        "flash.toml",
        "[env.prod.endpoints.words]\nworkers_max = 5\nvariables = { COLOUR = \"blue\" }\n",
    );
    let changed = project.json(&proxy.base, &deploy(FIRST)).await;
    assert_eq!(
        fields(&changed),
        ["workersMax", "workersMax", "env COLOUR", "env FLASH_CONFIG_SHA256"],
        "{changed}"
    );
    assert_eq!(home.rest(Method::GET, &path, None).await["workers"]["max"], 2);

    // Another image rolls the workers, and the secret of the time goes along.
    let second = project.json(&proxy.base, &deploy(SECOND)).await;
    assert_eq!(actions(&second), [("shop", "update"), ("words", "update")]);
    assert!(fields(&second).contains(&"imageName"), "{second}");
    let info = project.json(&proxy.base, &["deploy", "info", "prod"]).await;
    assert!(info["endpoints"].as_array().unwrap().iter().all(|one| one["image"] == SECOND), "{info}");

    let doctor = project.run(&proxy.base, &["doctor", "--json"]).await;
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let findings = doctor["findings"].as_array().unwrap().iter();
    let endpoints: Vec<&Value> = findings.filter(|finding| finding["what"] == "endpoint").collect();
    assert!(endpoints.len() == 2 && endpoints.iter().all(|finding| finding["ok"] == true), "{doctor}");

    let listed = project.json(&proxy.base, &["ps"]).await;
    assert_eq!(listed["endpoints"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(project.json(&proxy.base, &["gc", "--dry-run"]).await["orphans"], json!([]));
    let removed = project.json(&proxy.base, &["undeploy", "--all", "--force", "--env", "prod"]).await;
    assert_eq!(removed["removed"].as_array().unwrap().len(), 2, "{removed}");
    assert_eq!(home.endpoints().await, [] as [Value; 0]);
    home.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_of_images_that_fails_leaves_everything_as_it_was() {
    let (home, project, proxy) = begin().await;
    // The first one: what was made is removed again.
    proxy.decide(|name| if name == "POST /v2/serverless" { Fate::Unavailable } else { no_graphql(name) });
    let failed = project.run(&proxy.base, &deploy(FIRST)).await;
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(failed.status.code() == Some(1) && errors.contains("words"), "{errors}");
    assert_eq!(home.endpoints().await, [] as [Value; 0]);

    proxy.decide(no_graphql);
    project.json(&proxy.base, &deploy(FIRST)).await;
    let before = home.endpoints().await;
    let shop =
        before.iter().find(|one| one["type"] == "LOAD_BALANCER").unwrap()["id"].as_str().unwrap().to_owned();
    let tries = AtomicUsize::new(0);
    proxy.decide(move |name| {
        let is_its = name == format!("PATCH /v2/serverless/{shop}");
        // Once more it would succeed; by then everything else has its former state again.
        let fails = is_its && tries.fetch_add(1, Ordering::Relaxed) < 4;
        if fails { Fate::Unavailable } else { no_graphql(name) }
    });
    let failed = project.run(&proxy.base, &deploy(SECOND)).await;
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(failed.status.code() == Some(1) && errors.contains("restoring what was before"), "{errors}");
    assert!(!errors.contains("warning"), "{errors}");
    assert_eq!(home.endpoints().await, before);
    // And it can be had after all.
    proxy.decide(no_graphql);
    project.json(&proxy.base, &deploy(SECOND)).await;
    home.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_runs_artifacts_or_images() {
    let (home, project, _) = begin().await;
    project.json(&home.base(), &["deploy", "send", "prod", "--no-verify"]).await;
    let failed = project.run(&home.base(), &deploy(FIRST)).await;
    let errors = String::from_utf8_lossy(&failed.stderr);
    assert!(
        failed.status.code() == Some(1) && errors.contains("flash undeploy --all --env prod"),
        "{errors}"
    );
    // Beside it is fine, and then a command needs to be told which one is meant.
    let staging = ["deploy", "--image", FIRST, "--env", "staging", "--no-verify"];
    project.json(&home.base(), &staging).await;
    let listed = project.json(&home.base(), &["env", "list"]).await;
    let names: Vec<&Value> =
        listed["environments"].as_array().unwrap().iter().map(|env| &env["name"]).collect();
    assert_eq!(names, ["prod", "staging"]);
    let which = project.run(&home.base(), &["ps"]).await;
    assert_eq!(which.status.code(), Some(2));
    assert_eq!(project.json(&home.base(), &["gc", "--dry-run"]).await["orphans"], json!([]));
    home.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_of_other_functions_is_refused_by_its_workers() {
    let (home, project, proxy) = begin().await;
    // Somebody forgot to push: the image is of another app.
    let other = Project::unbuilt();
    let built =
        other.command("http://127.0.0.1:1", &["build", "--binary", env!("CARGO_BIN_EXE_fixture-class")]);
    assert!(super::project::output(built).await.status.success());
    flash_local::Images::of_data_dir(home.dir.path())
        .add("registry.example/other:1", &other.artifact())
        .unwrap();
    let args = [deploy("registry.example/other:1"), vec!["--no-verify"]].concat();
    project.json(&proxy.base, &args).await;
    let called =
        project.run(&proxy.base, &["call", "count_elsewhere", "{\"text\": \"x\"}", "--timeout", "2"]).await;
    assert_ne!(called.status.code(), Some(0));
    let said: Vec<String> = home
        .platform
        .workers()
        .iter()
        .flat_map(|worker| home.platform.logs(&worker.id).unwrap_or_default())
        .map(|line| line.text)
        .collect();
    assert!(said.iter().any(|line| line.contains("this image has other functions")), "{said:?}");
    home.platform.shutdown().await;
}

/// As a person does it, with the local platform's own images.
#[test]
fn the_local_platform_has_images_of_its_own() {
    let project = Project::unbuilt();
    let machine = Machine::in_dir(project.dir.path().to_owned());
    let run = |args: &[&str]| {
        let mut command = machine.command(&[args, &["--json"]].concat());
        command.env("FLASH_BINARY", env!("CARGO_BIN_EXE_fixture-shop")).env("SHOP_TOKEN", "fake-token");
        let output = command.output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), document)
    };
    machine.flash(&["platform", "start"]);
    let (code, document) = run(&["deploy", "--image", "shop:1"]);
    assert_eq!(code, Some(1), "{document}");
    let help = document["error"]["help"].as_str().unwrap();
    assert!(help.contains("flash platform image shop:1"), "{document}");
    assert_eq!(run(&["platform", "images"]).1["images"], json!([]));
    let (code, made) = run(&["platform", "image", "shop:1"]);
    assert_eq!(code, Some(0), "{made}");
    assert_eq!(run(&["platform", "images"]).1["images"][0]["digest"], made["digest"]);
    let (code, applied) = run(&["deploy", "--image", "shop:1"]);
    assert_eq!(
        (code, &applied["environment"], &applied["changed"]),
        (Some(0), &json!("production"), &json!(true))
    );
    assert_eq!(run(&["call", "count", "{\"text\": \"a b\"}"]), (Some(0), json!(2)));
    // What the interface for images cannot express is told before anything is changed.
    let toml = "[env.production.endpoints.words]\ncpu = [\"cpu3c-1-2\"]\n";
    project.write("flash.toml", toml);
    let (code, document) = run(&["deploy", "--image", "shop:1"]);
    assert!(
        code == Some(1) && document["error"]["message"].as_str().unwrap().contains("cpu3c-1-2"),
        "{document}"
    );
    assert_eq!(run(&["undeploy", "--all", "--force"]).0, Some(0));
    machine.flash(&["platform", "stop"]);
    assert_eq!(machine.processes(), [] as [std::path::PathBuf; 0]);
}
