//! What is done about deployments that are not as they should be.

use reqwest::Method;
use serde_json::{Value, json};

use super::project::{Home, Project};
use super::proxy::{Fate, Proxy};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_not_healthy_is_taken_back_and_ends_with_code_3() {
    let home = Home::start().await;
    let project = Project::shared().checkout();
    let proxy = Proxy::start(home.base(), |_| Fate::Pass).await;
    let first = project.json(&proxy.base, &["deploy", "send", "prod"]).await;
    project.become_(Project::shared_second());
    proxy.decide(|name| if name.ends_with("/ping") { Fate::Unavailable } else { Fate::Pass });
    let send = ["deploy", "send", "prod", "--health-interval", "0"];
    let (code, document) = project.failed(&proxy.base, &send).await;
    assert_eq!((code, &document["error"]["exit_code"]), (Some(3), &json!(3)), "{document}");
    let said = document["error"]["message"].as_str().unwrap();
    assert!(said.contains("`shop`") && said.contains("after 10 tries"), "{document}");
    assert!(document["error"]["help"].as_str().unwrap().contains("flash logs shop"), "{document}");

    proxy.decide(|_| Fate::Pass);
    let info = project.json(&proxy.base, &["deploy", "info", "prod"]).await;
    assert_eq!(info["active_build"], first["build"], "{info}");
    project.until_stock(&proxy.base, "first\n").await;

    // An environment that was made for it goes with it: it would name a build that serves nothing.
    proxy.decide(|name| if name.ends_with("/ping") { Fate::Unavailable } else { Fate::Pass });
    let (code, _) = project.failed(&proxy.base, &["deploy", "send", "new", "--health-interval", "0"]).await;
    assert_eq!(code, Some(3));
    let listed = project.json(&proxy.base, &["env", "list"]).await;
    let names: Vec<&Value> =
        listed["environments"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("prod")]);
    assert_eq!(home.endpoints().await.len(), 2);
    home.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gc_removes_an_environment_whose_lease_is_over_and_no_other_one() {
    const OVER: &str = "tmp-20200101t000000z-1a2b";
    const LEASED: &str = "tmp-29990101t000000z-1a2b";
    let home = Home::start().await;
    let project = Project::shared().checkout();
    let base = home.base();
    for environment in [OVER, LEASED, "prod"] {
        project.json(&base, &["deploy", "send", environment, "--no-verify"]).await;
    }
    let of_others = project.json(&base, &["gc", "--dry-run", "--env", "prod"]).await;
    assert_eq!((&of_others["expired"], &of_others["orphans"]), (&json!([]), &json!([])), "{of_others}");
    let found = project.json(&base, &["gc", "--dry-run"]).await;
    assert_eq!((&found["expired"], &found["removed"]), (&json!([OVER]), &json!([])), "{found}");
    assert_eq!(found["orphans"].as_array().unwrap().len(), 2, "{found}");
    // Without somebody who could answer, nothing is removed.
    assert_eq!(project.failed(&base, &["gc"]).await.0, Some(2));
    assert_eq!(home.endpoints().await.len(), 6);

    let removed = project.json(&base, &["gc", "--force"]).await;
    assert_eq!((&removed["expired"], &removed["removed"]), (&json!([OVER]), &found["orphans"]), "{removed}");
    let left = home.endpoints().await;
    assert_eq!(left.len(), 4);
    assert!(left.iter().all(|endpoint| endpoint["env"]["FLASH_ENV"] != OVER), "{left:?}");
    let listed = project.json(&base, &["env", "list"]).await;
    let mut names: Vec<&str> =
        listed["environments"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["prod", LEASED]);
    let clean = project.json(&base, &["gc", "--force"]).await;
    assert_eq!((&clean["expired"], &clean["orphans"]), (&json!([]), &json!([])), "{clean}");
    home.platform.shutdown().await;
}

fn problems(doctor: &Value) -> Vec<&Value> {
    doctor["findings"].as_array().unwrap().iter().filter(|finding| finding["ok"] == false).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_what_is_wrong_and_says_the_command_that_mends_it() {
    let home = Home::start().await;
    let project = Project::shared().checkout();
    let base = home.base();
    project.json(&base, &["deploy", "send", "prod"]).await;
    assert_eq!(project.json(&base, &["doctor"]).await["healthy"], true);
    let endpoints = home.endpoints().await;
    let of = |kind: &str| {
        let found = endpoints.iter().find(|one| one["type"] == kind).unwrap();
        format!("/serverless/{}", found["id"].as_str().unwrap())
    };
    // Somebody removed one in the console, and changed the other one by hand.
    home.rest(Method::DELETE, &of("QUEUE"), None).await;
    let shop = home.rest(Method::GET, &of("LOAD_BALANCER"), None).await;
    let mut env = shop["env"].clone();
    env["FLASH_ARTIFACT_SHA256"] = json!("0".repeat(64));
    home.rest(Method::PATCH, &of("LOAD_BALANCER"), Some(&json!({"env": env}))).await;

    let (code, doctor) = project.failed(&base, &["doctor"]).await;
    assert_eq!((code, &doctor["healthy"]), (Some(1), &json!(false)), "{doctor}");
    let found = problems(&doctor);
    assert_eq!(found.len(), 2, "{doctor}");
    for (problem, text) in
        found.iter().zip(["shop was provisioned for another artifact", "words does not exist"])
    {
        assert!(problem["text"].as_str().unwrap().contains(text), "{text}: {doctor}");
        assert_eq!(
            (&problem["what"], &problem["next"]),
            (&json!("endpoint"), &json!("flash deploy --env prod")),
            "{doctor}"
        );
    }
    // What it says, of what is built already.
    project.json(&base, &["deploy", "send", "prod"]).await;
    let mended = project.json(&base, &["doctor"]).await;
    assert_eq!((&mended["healthy"], problems(&mended).len()), (&json!(true), 0), "{mended}");
    home.platform.shutdown().await;
}
