//! Back to an earlier build.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::project::{Home, Project};
use super::proxy::{Fate, Proxy};

const SEND: &[&str] = &["deploy", "send", "prod"];
const ROLLBACK: &[&str] = &["rollback", "--env", "prod"];

/// The artifacts that the endpoints were told to run, and how many workers the queue may have.
async fn runs(home: &Home) -> (BTreeSet<String>, Value) {
    let endpoints = home.endpoints().await;
    let artifact = |one: &Value| one["env"]["FLASH_ARTIFACT_SHA256"].as_str().unwrap().to_owned();
    let queue = endpoints.iter().find(|one| one["type"] == "QUEUE").unwrap();
    (endpoints.iter().map(artifact).collect(), queue["workers"]["max"].clone())
}

fn message(document: &Value) -> String {
    format!("{} {}", document["error"]["message"], document["error"]["help"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_build_serves_again_as_it_was_and_nothing_is_uploaded() {
    let home = Home::start().await;
    let project = Project::shared().checkout();
    let proxy = Proxy::start(home.base(), |_| Fate::Pass).await;
    let base = proxy.base.as_str();

    // Nothing to go back from, and nothing to go back to.
    let (code, nothing) = project.failed(base, ROLLBACK).await;
    assert!(code == Some(1) && message(&nothing).contains("flash deploy"), "{nothing}");
    let first = project.json(base, SEND).await;
    project.until_stock(base, "first\n").await;
    let before = runs(&home).await;
    assert_eq!((before.0.len(), &before.1), (1, &json!(3)));
    let (code, only) = project.failed(base, ROLLBACK).await;
    assert!(
        code == Some(1)
            && message(&only).contains("no build before the active one served in environment `prod`"),
        "{only}"
    );
    assert_eq!(runs(&home).await, before);

    // Another artifact, with another setting.
    project.become_(Project::shared_second());
    project.write("flash.toml", "[env.prod.endpoints.words]\nworkers_max = 5\n");
    let second = project.json(base, SEND).await;
    project.until_stock(base, "second\n").await;
    let after = runs(&home).await;
    assert!(first["build"] != second["build"] && before.0 != after.0, "{second}");
    assert_eq!(after.1, 5);

    // A dry run changes nothing.
    let planned = project.json(base, &[ROLLBACK, &["--dry-run"]].concat()).await;
    assert_eq!((&planned["changed"], &planned["build"]), (&json!(false), &second["build"]), "{planned}");
    assert_eq!(runs(&home).await, after);

    proxy.forget();
    let back = project.json(base, ROLLBACK).await;
    assert_eq!((&back["build"], &back["changed"]), (&first["build"], &json!(true)), "{back}");
    let seen = proxy.seen();
    assert!(!seen.iter().any(|name| name.contains("Artifact") || name.starts_with("PUT")), "{seen:?}");
    project.until_stock(base, "first\n").await;
    assert_eq!(runs(&home).await, before);
    let info = project.json(base, &["deploy", "info", "prod"]).await;
    assert_eq!(info["active_build"], first["build"], "{info}");
    assert_eq!(info["builds"].as_array().unwrap().len(), 2, "{info}");

    // A build is named, the younger one too.
    let named = [ROLLBACK, &[second["build"].as_str().unwrap()]].concat();
    let again = project.json(base, &named).await;
    assert_eq!((&again["build"], &again["changed"]), (&second["build"], &json!(true)), "{again}");
    project.until_stock(base, "second\n").await;
    assert_eq!(runs(&home).await, after);
    assert_eq!(project.json(base, &named).await["changed"], false);
    let (code, unknown) = project.failed(base, &[ROLLBACK, &["nobody"]].concat()).await;
    assert!(code == Some(1) && message(&unknown).contains("no build `nobody`"), "{unknown}");

    // Neither a build of another environment nor one that never served is what was there before.
    let send = ["deploy", "send", "staging"];
    let elsewhere = project.json(base, &send).await;
    let (code, only) = project.failed(base, &["rollback", "--env", "staging"]).await;
    assert!(code == Some(1) && message(&only).contains("served in environment `staging`"), "{only}");
    let taken = [ROLLBACK, &[elsewhere["build"].as_str().unwrap()]].concat();
    let (code, taken) = project.failed(base, &taken).await;
    assert!(code == Some(1) && message(&taken).contains("active in environment `staging`"), "{taken}");
    project.become_(Project::shared());
    proxy.decide(|name| if name.ends_with("/ping") { Fate::Unavailable } else { Fate::Pass });
    let (code, failed) = project.failed(base, &[&send[..], &["--health-interval", "0"]].concat()).await;
    assert_eq!(code, Some(3), "{failed}");
    proxy.decide(|_| Fate::Pass);
    let (code, only) = project.failed(base, &["rollback", "--env", "staging"]).await;
    assert!(code == Some(1) && message(&only).contains("served in environment `staging`"), "{only}");
    project.become_(Project::shared_second());

    // And forward: what is deployed next is the checkout's own.
    project.json(base, ROLLBACK).await;
    let forward = project.json(base, SEND).await;
    assert_eq!((&forward["build"], &forward["changed"]), (&second["build"], &json!(true)), "{forward}");
    home.platform.shutdown().await;
}
