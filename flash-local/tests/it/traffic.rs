//! What goes over the wire can be looked at.

use flash_local::LocalPlatform;
use serde_json::{Value, json};

use crate::scripted::Role;
use crate::support::{ok, platform, post, quick, ready};

#[tokio::test]
async fn all_that_goes_over_the_wire_is_kept_and_is_json() {
    let platform = LocalPlatform::builder().limits(quick()).record_traffic(true).start().await.unwrap();
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    platform.add_endpoint(Role::Http.spec("api")).await.unwrap();
    ready(&platform, 2).await;
    let queue = platform.endpoint_url("echo").unwrap();
    ok(post(&format!("{queue}/runsync"), r#"{"input":{"text":"hi"}}"#).await);
    ok(post(&format!("{}/echo", platform.endpoint_url("api").unwrap()), r#"{"a":1}"#).await);

    let traffic = platform.traffic();
    let find = |part: &str| traffic.iter().find(|one| one.target.contains(part)).unwrap();
    let json = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    let runsync = find("/v2/echo/runsync");
    assert_eq!((runsync.method.as_str(), runsync.status.unwrap().as_u16()), ("POST", 200));
    assert_eq!(json(&runsync.request), json!({"input": {"text": "hi"}}));
    assert_eq!(json(&runsync.response)["output"], json!({"text": "hi"}));
    assert_eq!(json(&find("/v2/echo/job-done/").request), json!({"output": {"text": "hi"}}));
    assert_eq!(json(&find("/v2/echo/job-take/").response)["input"], json!({"text": "hi"}));
    let echo = find("/lb/api/echo");
    assert_eq!((json(&echo.request), json(&echo.response)), (json!({"a": 1}), json!({"a": 1})));
    for body in traffic.iter().flat_map(|one| [&one.request, &one.response]).filter(|body| !body.is_empty()) {
        json(body);
    }
}

#[tokio::test]
async fn nothing_is_kept_unless_it_is_asked_for() {
    let platform = platform().await;
    platform.add_endpoint(Role::Echo.spec("echo")).await.unwrap();
    let url = platform.endpoint_url("echo").unwrap();
    ok(post(&format!("{url}/runsync"), r#"{"input":1}"#).await);
    assert!(platform.traffic().is_empty());
}
