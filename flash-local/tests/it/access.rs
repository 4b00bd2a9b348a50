//! A platform that asks for keys.

use axum::body::Body;
use axum::http::Request;
use flash_local::LocalPlatform;

use crate::scripted::Role;
use crate::support::{ok, quick, send};

#[tokio::test]
async fn callers_need_the_key_and_workers_have_their_own() {
    let platform = LocalPlatform::builder().limits(quick()).api_key("secret").start().await.unwrap();
    platform.add_endpoint(Role::Environment.spec("env")).await.unwrap();
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    let call = async |url: String, key: &str| {
        let request = Request::post(url).header("authorization", key).body(Body::from(r#"{"input":1}"#));
        send(request.unwrap()).await
    };
    let runsync = format!("{}/runsync", platform.endpoint_url("env").unwrap());
    let echo = format!("{}/echo", platform.endpoint_url("api").unwrap());
    for url in [&runsync, &echo] {
        assert_eq!(call(url.clone(), "").await.status, 401);
        assert_eq!(call(url.clone(), "Bearer other").await.status, 401);
        assert_eq!(call(url.clone(), "Bearer secret").await.status, 200);
    }
    let env = ok(call(runsync.clone(), "secret").await)["output"].clone();
    assert_eq!(env["RUNPOD_API_KEY"], "secret", "workers call other endpoints with it");
    let worker_key = env["RUNPOD_AI_API_KEY"].as_str().unwrap();
    assert_eq!(call(runsync, worker_key).await.status, 401, "the workers' own key opens nothing else");
    let take = format!("{}/v2/env/job-take/stranger", platform.base_url());
    let request = Request::get(take).header("authorization", "secret").body(Body::empty());
    assert_eq!(send(request.unwrap()).await.status, 401, "the callers' key takes no jobs");
}
