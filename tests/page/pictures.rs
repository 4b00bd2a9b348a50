//! Pictures of the page, for people who change it.

use std::path::PathBuf;

use flash_local::LocalPlatform;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::platform::start;

async fn post(url: &str, body: &Value) -> Value {
    let http = flash_platform::HttpClient::new();
    let request = http.request(reqwest::Method::POST, url).unwrap();
    let text =
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    serde_json::from_str(&text.text().await.unwrap()).unwrap()
}

/// `FLASH_PICTURES=folder cargo nextest run -p flash-tests --test page --run-ignored only`
#[tokio::test]
#[ignore = "it draws pictures and proves nothing"]
async fn pictures() {
    let folder = PathBuf::from(std::env::var_os("FLASH_PICTURES").unwrap());
    let platform = start(LocalPlatform::builder()).await;
    let (mixed, echo) = (platform.endpoint_url("mixed").unwrap(), platform.endpoint_url("echo").unwrap());
    let mut failed = String::new();
    for text in ["short", "much too long for it", "", "fine"] {
        let job =
            post(&format!("{mixed}/runsync"), &json!({ "input": { "method": "check", "text": text } })).await;
        if text.len() > 10 {
            failed = job["id"].as_str().unwrap().to_owned();
        }
    }
    post(&format!("{mixed}/runsync"), &json!({ "input": { "method": "explode" } })).await;
    post(&format!("{mixed}/runsync"), &json!({ "input": { "method": "nothing" } })).await;
    let slow =
        post(&format!("{mixed}/run"), &json!({ "input": { "method": "slow", "millis": 900_000 } })).await;
    for millis in [40, 300, 800] {
        post(&format!("{mixed}/runsync"), &json!({ "input": { "method": "slow", "millis": millis } })).await;
    }
    for _ in 0..9 {
        post(&format!("{mixed}/run"), &json!({ "input": { "method": "slow", "millis": 400_000 } })).await;
    }
    let item = json!({ "name": "Ada", "counts": [1, 2, 3] });
    let done =
        post(&format!("{echo}/runsync"), &json!({ "input": { "text": "hello ", "times": 3, "item": item } }))
            .await;
    let worker = platform.workers().into_iter().find(|worker| worker.endpoint == *"mixed").unwrap().id;
    let browser = Browser::start(1360, 900).await;
    browser.open(&platform.page_url()).await;
    browser.until("document.querySelector('[data-endpoint]')").await;
    // So that the small graphs have something to draw.
    tokio::time::sleep(std::time::Duration::from_secs(8)).await;
    let views = [
        ("overview", "#/".to_owned(), "[data-endpoint]"),
        ("jobs", "#/e/mixed".to_owned(), "[data-job]"),
        ("failed", format!("#/e/mixed/jobs/{failed}"), "[data-detail]"),
        ("running", format!("#/e/mixed/jobs/{}", slow["id"].as_str().unwrap()), "[data-detail]"),
        ("done", format!("#/e/echo/jobs/{}", done["id"].as_str().unwrap()), "[data-detail]"),
        ("send", "#/e/echo/send".to_owned(), "[data-field]"),
        ("send-many", "#/e/mixed/send".to_owned(), "[data-function]"),
        ("workers", "#/e/mixed/workers".to_owned(), "[data-worker]"),
        ("log", format!("#/e/mixed/workers/{worker}"), ".line"),
        ("try", "#/e/api".to_owned(), "[data-route]"),
    ];
    let only = std::env::var("FLASH_PICTURES_OF").unwrap_or_default();
    for (size, width, height) in [("desktop", 1360, 900), ("phone", 360, 780)] {
        browser.resize(width, height).await;
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await;
            for (name, hash, css) in &views {
                let file = format!("{name}-{size}-{scheme}.png");
                if !file.contains(&only) {
                    continue;
                }
                browser.eval(&format!("location.hash = {}", json!(hash))).await;
                browser
                    .until(&format!(
                        "document.querySelector({}) && document.querySelector('#main')",
                        json!(css)
                    ))
                    .await;
                browser.eval("new Promise((done) => setTimeout(() => done(true), 300))").await;
                std::fs::write(folder.join(file), browser.picture().await).unwrap();
            }
        }
    }
    println!("{:?}", browser.complaints().await);
    platform.shutdown().await;
}
