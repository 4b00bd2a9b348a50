//! `kill -9` of a deployment at every request that it makes, before the platform has it and after.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::project::{Home, Project};
use super::proxy::{Fate, Proxy};

const SEND: &[&str] = &["deploy", "send", "prod"];
const IMAGE: &[&str] = &["deploy", "--image", "registry.example/shop:1", "--env", "prod"];

/// A deployment, and what is there before it.
#[derive(Clone, Copy)]
enum Story {
    /// The first one of an app.
    First,
    /// Another artifact, another variable, and an endpoint that is no longer declared.
    Second,
    /// Images, by REST v2 alone.
    Images,
}

impl Story {
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::First | Self::Second => SEND,
            Self::Images => IMAGE,
        }
    }

    /// A platform and a checkout, with everything that is there before. What they say to each other goes through the proxy.
    async fn begin(self) -> (Home, Project, Proxy) {
        let home = Home::start().await;
        let project = Project::shared().checkout();
        let proxy = Proxy::start(home.base(), |_| Fate::Pass).await;
        match self {
            Self::First => {}
            Self::Images => {
                let images = flash_local::Images::of_data_dir(home.dir.path());
                images.add("registry.example/shop:1", &project.artifact()).unwrap();
            }
            Self::Second => {
                let first = project.run(&proxy.base, SEND).await;
                assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
                let gone = json!({
                    "name": "shop-prod-gone", "type": "QUEUE", "image": "x", "cpu": [{"id": "cpu3c", "vcpuCount": 2}],
                    "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4},
                    "env": {"FLASH_APP": "shop", "FLASH_ENV": "prod", "FLASH_RESOURCE_NAME": "gone"},
                });
                home.rest(reqwest::Method::POST, "/serverless", Some(&gone)).await;
                project.become_(Project::shared_second());
                project.write("flash.toml", "[env.prod]\nvariables = { COLOUR = \"blue\" }\n");
            }
        }
        proxy.forget();
        (home, project, proxy)
    }
}

/// Everything that a deployment leaves behind, without the ids and times that differ from run to run.
async fn outcome(home: &Home, project: &Project) -> Value {
    let mut endpoints = BTreeMap::new();
    let mut names = BTreeMap::new();
    for endpoint in home.endpoints().await {
        let name = endpoint["env"]["FLASH_RESOURCE_NAME"].as_str().unwrap_or_default().to_owned();
        names.insert(endpoint["id"].as_str().unwrap().to_owned(), format!("<{name}>"));
        let before = endpoints.insert(name, endpoint);
        assert_eq!(before, None, "twice");
    }
    let data = home
        .graphql("{ myself { flashApps { name flashEnvironments { id name activeBuildId } flashBuilds { id manifest } } } }")
        .await;
    let mut apps = data["myself"]["flashApps"].clone();
    for app in apps.as_array_mut().unwrap() {
        let active = app["flashEnvironments"][0]["activeBuildId"].clone();
        names.insert(
            app["flashEnvironments"][0]["id"].as_str().unwrap().to_owned(),
            "<environment>".to_owned(),
        );
        for (at, build) in app["flashBuilds"].as_array_mut().unwrap().iter_mut().enumerate() {
            // Only the active one was completed.
            let id = build["id"].as_str().unwrap().to_owned();
            if active != id.as_str() {
                build["manifest"] = Value::Null;
            }
            names.insert(id, format!("<build {at}>"));
        }
    }
    let mut scope = project.remembered();
    scope["uploads"] = json!(scope["uploads"].as_object().unwrap().len());
    let mut text = json!({"endpoints": endpoints, "apps": apps, "remembered": scope}).to_string();
    for (id, name) in names {
        text = text.replace(&id, &name);
    }
    let mut all: Value = serde_json::from_str(&text).unwrap();
    strip(&mut all);
    all
}

/// Times, and addresses of platforms that live on other ports.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["createdAt", "generated_at", "deployed_at"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.contains("127.0.0.1:") => {
            let parts: Vec<&str> = text.split("127.0.0.1:").collect();
            let rest = parts[1..].iter().map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
            *text = [parts[0]].into_iter().chain(rest).collect::<Vec<_>>().join("<host>");
        }
        _ => {}
    }
}

/// The endpoints of the app that the active build does not know, found without the command.
async fn orphans(home: &Home) -> Vec<String> {
    let data = home
        .graphql(
            "{ myself { flashApps { flashEnvironments { activeBuildId } flashBuilds { id manifest } } } }",
        )
        .await;
    let apps = data["myself"]["flashApps"].as_array().unwrap().clone();
    let active: Vec<&Value> = apps
        .iter()
        .map(|app| &app["flashEnvironments"][0]["activeBuildId"])
        .filter(|id| id.is_string())
        .collect();
    let builds = apps.iter().flat_map(|app| app["flashBuilds"].as_array().unwrap());
    let resources = builds
        .filter(|build| active.contains(&&build["id"]))
        .flat_map(|build| build["manifest"]["resources"].as_object().unwrap().values());
    let known: Vec<Value> = resources.map(|entry| entry["endpoint_id"].clone()).collect();
    let endpoints = home.endpoints().await;
    let unknown = endpoints.iter().filter(|endpoint| !known.contains(&endpoint["id"]));
    // Nobody keeps a record of images; the endpoints are the record.
    let unknown = unknown.filter(|endpoint| endpoint["env"].get("FLASH_CONFIG_SHA256").is_none());
    let mut ids: Vec<String> = unknown.map(|endpoint| endpoint["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// The lines that are in one of two texts alone.
fn differences(reached: &str, expected: &str) -> String {
    let only = |one: &str, other: &str, sign: char| -> Vec<String> {
        let other: Vec<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).map(|line| format!("\n{sign} {line}")).collect()
    };
    [only(reached, expected, '+'), only(expected, reached, '-')].concat().concat()
}

/// Every worker runs the artifact that its endpoint was provisioned for.
fn check_workers(home: &Home, when: &str) {
    let root = home.dir.path().canonicalize().unwrap();
    for process in std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()) {
        let Ok(program) = std::fs::read_link(process.join("exe")) else { continue };
        let Ok(environment) = std::fs::read(process.join("environ")) else { continue };
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let wanted = environment.split('\0').find_map(|pair| pair.strip_prefix("FLASH_ARTIFACT_SHA256="));
        // The shim has the same environment, and is no worker.
        let (true, Some(wanted)) = (program.starts_with(&root), wanted) else { continue };
        let marker: PathBuf = program.parent().unwrap().join(".flash-artifact");
        let runs = std::fs::read_to_string(&marker).unwrap();
        assert_eq!(runs.trim(), wanted, "{when}: {}", program.display());
    }
}

/// The moments at which one is killed: each request, and whether it arrives (`FLASH_TEST_SCALE`, percent of all).
fn moments(requests: usize) -> Vec<(usize, Fate)> {
    let all = (0..requests).flat_map(|at| [(at, Fate::KillBefore), (at, Fate::KillAfter)]);
    let all: Vec<(usize, Fate)> = all.collect();
    let percent: usize =
        std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let wanted = (all.len() * percent / 100).clamp(3, all.len());
    // Odd steps, so that both fates are among few.
    (0..wanted).map(|at| all[(at * all.len() / wanted + at % 2).min(all.len() - 1)]).collect()
}

async fn killed_everywhere(story: Story) {
    // Once without interruption: what there is to reach, and the requests at which there is something to kill.
    let (home, project, proxy) = story.begin().await;
    let whole = project.run(&proxy.base, story.args()).await;
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let requests = proxy.seen();
    let expected = outcome(&home, &project).await;
    assert_eq!(expected["remembered"]["step"], "done");
    home.platform.shutdown().await;

    for (at, fate) in moments(requests.len()) {
        let (home, project, proxy) = story.begin().await;
        let counter = Arc::new(AtomicUsize::new(0));
        let count = counter.clone();
        proxy.decide(move |_| if count.fetch_add(1, Ordering::Relaxed) == at { fate } else { Fate::Pass });
        let killed = project.run_until_killed(&proxy, story.args()).await;
        let when = format!("{fate:?} at {at} of {}, {:?}", requests.len(), proxy.seen().get(at));
        // A deployment may ask one time less, where it need not wait for a worker.
        let was_killed = killed.status.code().is_none();
        assert!(
            was_killed || at + 2 >= requests.len(),
            "{when}: {}",
            String::from_utf8_lossy(&killed.stderr)
        );
        check_workers(&home, &when);
        let left = project.json(&home.base(), &["gc", "--dry-run", "--env", "prod"]).await;
        let left = left["orphans"].as_array().unwrap().iter();
        let mut left: Vec<String> = left.map(|one| one["endpoint_id"].as_str().unwrap().to_owned()).collect();
        left.sort();
        assert_eq!(left, orphans(&home).await, "{when}");

        proxy.decide(|_| Fate::Pass);
        let again = project.run(&proxy.base, story.args()).await;
        assert!(again.status.success(), "{when}: {}", String::from_utf8_lossy(&again.stderr));
        let reached = outcome(&home, &project).await;
        assert!(
            reached == expected,
            "{when}: {}",
            differences(&format!("{reached:#}"), &format!("{expected:#}"))
        );
        check_workers(&home, &when);
        let third = project.json(&proxy.base, &[story.args(), &["--dry-run"]].concat()).await;
        assert!(
            third["plan"].as_array().unwrap().iter().all(|step| step["action"] == "unchanged"),
            "{when}: {third}"
        );
        let clean = project.json(&home.base(), &["gc", "--dry-run"]).await;
        assert_eq!(clean["orphans"], json!([]), "{when}");
        home.platform.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_deployment_that_was_killed_is_continued_as_if_nothing_had_happened() {
    killed_everywhere(Story::First).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_deployment_that_was_killed_is_continued_as_if_nothing_had_happened() {
    killed_everywhere(Story::Second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_of_images_that_was_killed_is_continued_as_if_nothing_had_happened() {
    killed_everywhere(Story::Images).await;
}
