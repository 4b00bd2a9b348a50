//! A call that waits says why.

use reqwest::Method;
use serde_json::{Value, json};

use super::project::{Home, Project};
use super::running::Running;

fn path_of(endpoints: &[Value], kind: &str) -> String {
    let found = endpoints.iter().find(|endpoint| endpoint["type"] == kind).unwrap();
    format!("/serverless/{}", found["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_worker_says_why_and_goes_on_when_there_is_one() {
    let home = Home::start().await;
    let project = Project::shared().checkout();
    let base = home.base();
    project.json(&base, &["deploy", "send", "prod", "--no-verify"]).await;
    let endpoints = home.endpoints().await;
    let (words, shop) = (path_of(&endpoints, "QUEUE"), path_of(&endpoints, "LOAD_BALANCER"));
    let allow = async |path: &str, workers: u32| {
        home.rest(Method::PATCH, path, Some(&json!({"workers": {"min": 0, "max": workers}}))).await;
    };
    // What is asked of the platform comes into force a little later. When the worker that was there from the beginning has
    // come and gone, it has.
    home.platform.until_workers(|workers| workers.iter().any(|worker| worker.state.is_alive())).await;
    allow(&words, 0).await;
    allow(&shop, 0).await;
    home.platform.until_workers(|workers| !workers.iter().any(|worker| worker.state.is_alive())).await;

    // The error has the reason too.
    let call = ["call", "count", "{\"text\": \"a b\"}", "--timeout", "1"];
    let (code, document) = project.failed(&base, &call).await;
    let said = document["error"]["message"].as_str().unwrap();
    assert!(code == Some(1) && said.contains("the endpoint is allowed 0 workers"), "{document}");

    // More words than seconds or workers, so that the number is seen.
    let input = json!({"text": "word ".repeat(4_321)}).to_string();
    for (path, call, answer) in
        [(&words, &["call", "count", &input][..], "4321"), (&shop, &["call", "stock"], "first")]
    {
        let waiting = Running::of(project.command(&base, call));
        waiting.until("the call waits: the endpoint is allowed 0 workers");
        allow(path, 1).await;
        waiting.until(answer);
        waiting.ended();
    }
    home.platform.shutdown().await;
}
