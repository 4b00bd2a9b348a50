//! The server's side of the web page.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use flash_local::{Kind, LocalPlatform};
use flash_queue::{Payload, Submission};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::support::{get, ok, post, quick, send};

async fn filled(jobs: usize) -> LocalPlatform {
    let platform = LocalPlatform::builder().limits(quick()).start().await.unwrap();
    platform.declare("deep", Kind::Queue).await.unwrap();
    let queue = platform.queue("deep").unwrap();
    for n in 0..jobs {
        let input = Payload::from_json(format!("{{\"n\":{n}}}")).unwrap();
        queue.submit(Submission::new(input)).await.unwrap();
    }
    platform
}

#[tokio::test]
async fn pages_of_other_sites_can_not_empty_a_queue() {
    let platform = filled(3).await;
    let base = platform.base_url();
    let host = base.strip_prefix("http://").unwrap().to_owned();
    let purge = format!("{base}/v2/deep/purge-queue");
    let ask = async |url: &str, headers: &[(&str, &str)]| {
        let mut request = Request::post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(ask(&purge, &[("origin", "http://evil.example")]).await, 403);
    assert_eq!(ask(&purge, &[("origin", "null")]).await, 403);
    assert_eq!(ask(&purge, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]).await, 403);
    // A name that was made to point here.
    assert_eq!(ask(&purge, &[("host", "evil.example"), ("origin", "http://evil.example")]).await, 403);
    assert_eq!(platform.queue("deep").unwrap().depth().await.unwrap().in_queue, 3);
    assert_eq!(ask(&purge, &[("host", &host), ("origin", &base)]).await, 200, "its own page");
    assert_eq!(platform.queue("deep").unwrap().depth().await.unwrap().in_queue, 0);
}

#[tokio::test]
async fn the_page_runs_no_script_of_anybody_else() {
    let platform = filled(0).await;
    for file in ["", "app.js", "style.css", "nothing", "api/events"] {
        let answer = get_head(&format!("{}{file}", platform.page_url())).await;
        let policy = answer.get("content-security-policy").unwrap().to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer["x-content-type-options"], "nosniff");
    }
    let home = send(Request::get(format!("{}/", platform.base_url())).body(Body::empty()).unwrap()).await;
    assert_eq!((home.status, &home.headers["location"]), (307, &"/ui/".parse().unwrap()));
}

async fn get_head(url: &str) -> axum::http::HeaderMap {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    client.get(url.parse().unwrap()).await.unwrap().headers().clone()
}

#[tokio::test]
async fn a_key_is_asked_for_and_opens_only_what_it_may() {
    let platform = LocalPlatform::builder().limits(quick()).api_key("secret").start().await.unwrap();
    platform.declare("deep", Kind::Queue).await.unwrap();
    let api = format!("{}api/", platform.page_url());
    for path in ["events", "events?endpoint=deep", "endpoints/deep/openapi"] {
        assert_eq!(get(&format!("{api}{path}")).await.status, 401, "{path}");
    }
    assert_eq!(get(&platform.page_url()).await.status, 200, "the page itself holds nothing");
    let request =
        Request::get(format!("{api}endpoints/deep/openapi")).header("authorization", "Bearer secret");
    assert_eq!(send(request.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let platform = filled(120).await;
    let url = format!("{}api/events?endpoint=deep", platform.page_url());
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = until(&format!("{url}{query}"), "jobs", |_| true).await;
        let jobs = page["jobs"].as_array().unwrap();
        assert!(jobs.len() <= 50);
        seen.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        if page["more"] == false {
            break;
        }
        let last = jobs.last().unwrap();
        query = format!("&submitted={}&id={}", last["submitted"], last["id"].as_str().unwrap());
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (120, 120));
    let failed = until(&format!("{url}&status=FAILED"), "jobs", |_| true).await;
    assert_eq!(failed["jobs"], Value::Array(Vec::new()));
    assert_eq!(get(&format!("{url}&status=NONE")).await.status, 400);
}

/// Reads events until one of this name has `what`.
async fn until(url: &str, event: &str, what: impl Fn(&Value) -> bool) -> Value {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let mut body = client.get(url.parse().unwrap()).await.unwrap().into_body();
    let mut text = String::new();
    let reading = async {
        loop {
            let frame = body.frame().await.expect("the stream goes on").unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            while let Some((block, rest)) = text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned()))
            {
                text = rest;
                let Some((name, data)) = block.split_once('\n') else { continue };
                let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                if name == format!("event: {event}") && what(&data["is"]) {
                    return data["is"].clone();
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap()
}

#[tokio::test]
async fn what_changes_is_told() {
    let platform = filled(1).await;
    let events = format!("{}api/events", platform.page_url());
    let first = until(&events, "endpoint", |is| is["waiting"] == 1).await;
    assert_eq!((&first["id"], &first["kind"], &first["max"]), (&"deep".into(), &"queue".into(), &0.into()));

    // Streamed pieces are shown, and still there for the one who reads them.
    let v2 = platform.endpoint_url("deep").unwrap();
    let taken = ok(get(&format!("{v2}/job-take/w1")).await);
    let id = taken["id"].as_str().unwrap();
    let focus = format!("{events}?endpoint=deep&job={id}");
    until(&focus, "job", |is| is["status"] == "IN_PROGRESS" && is["worker"] == "w1").await;
    ok(post(&format!("{v2}/job-stream/w1/{id}"), r#"{"output":"<i>one</i>"}"#).await);
    let job = until(&focus, "job", |is| is["chunk_count"] == 1).await;
    assert_eq!(
        (&job["chunks"][0]["json"], &job["input"]["json"]),
        (&"\"<i>one</i>\"".into(), &"{\"n\":0}".into())
    );
    assert_eq!(ok(get(&format!("{v2}/stream/{id}")).await)["stream"][0]["output"], "<i>one</i>");
    until(&focus, "job", |is| is["chunk_count"] == 0).await;

    ok(post(&format!("{v2}/job-done/w1/{id}"), r#"{"error":"all is lost"}"#).await);
    let job = until(&focus, "job", |is| is["status"] == "FAILED").await;
    assert_eq!((&job["message"], &job["error"]["text"]), (&"all is lost".into(), &"all is lost".into()));
    let jobs = until(&format!("{events}?endpoint=deep&status=FAILED"), "jobs", |_| true).await;
    assert_eq!(jobs["jobs"][0]["id"], id);
    until(&format!("{events}?endpoint=deep&job=none"), "job", |is| is["gone"] == true).await;
}
