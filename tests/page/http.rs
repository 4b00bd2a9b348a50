//! An HTTP endpoint, a platform with a key, and one that goes away.

use flash_local::LocalPlatform;

use crate::browser::Browser;
use crate::platform::start;

#[tokio::test]
async fn a_route_is_tried_with_a_key_and_the_end_of_the_platform_is_seen() {
    let platform = start(LocalPlatform::builder().api_key("not-a-real-key")).await;
    let browser = Browser::start(360, 780).await;
    browser.open(&format!("{}#/e/api", platform.page_url())).await;

    // Nothing is shown without the key, and a wrong one is told.
    browser.fill("#key", "another").await;
    browser.click("button[type=submit]").await;
    browser.until("document.querySelector('.key-form .bad')").await;
    assert_eq!(browser.eval("document.querySelectorAll('[data-route]').length").await, 0);
    browser.fill("#key", "not-a-real-key").await;
    browser.click("button[type=submit]").await;

    // A route with a place in its path, through the gateway.
    browser.click("[data-route='GET /items/{id}']").await;
    browser.fill("[data-field=id]", "7").await;
    browser.fill("[data-field=tags]", r#"["a","b"]"#).await;
    browser.click("button.primary").await;
    browser.until("document.querySelector('[data-answer]')?.dataset.answer === '200'").await;
    let answer = browser.until("document.querySelector('.try .json')?.textContent").await;
    let answer: serde_json::Value = serde_json::from_str(answer.as_str().unwrap()).unwrap();
    assert_eq!(answer, serde_json::json!([7, ["a", "b"], false]));

    // A phone shows all of it without scrolling sideways.
    for hash in ["#/", "#/e/echo", "#/e/echo/send", "#/e/echo/workers", "#/e/api"] {
        browser.eval(&format!("location.hash = '{hash}'")).await;
        browser.until("document.querySelector('.view h1')").await;
        let wide = browser.eval("document.documentElement.scrollWidth").await;
        assert!(wide.as_u64().unwrap() <= 360, "{hash}: {wide}");
    }

    // A worker's log.
    browser.eval("location.hash = '#/e/echo/workers'").await;
    browser.click("[data-worker][data-state=ready]").await;
    browser.until("document.querySelector('.log')?.innerText.includes('worker is ready')").await;
    browser.fill(".log-tools [data-search]", "started from release 1").await;
    browser.until("document.querySelectorAll('.line mark').length === 1").await;

    browser.until("document.querySelector('[data-connection=live]')").await;
    platform.shutdown().await;
    browser.until("document.querySelector('[data-connection=lost]')").await;
    browser.until("document.querySelector('p.lost')?.innerText.includes('Disconnected')").await;
}

#[tokio::test]
async fn a_hundred_thousand_jobs_are_a_page_of_fifty_and_are_removed_after_a_question() {
    let platform = LocalPlatform::start().await.unwrap();
    platform.declare("deep", flash_local::Kind::Queue).await.unwrap();
    let queue = platform.queue("deep").unwrap();
    let input = flash_queue::Payload::from_json(r#"{"text":"<b>bold</b>"}"#).unwrap();
    for _ in 0..100_000 {
        queue.submit(flash_queue::Submission::new(input.clone())).await.unwrap();
    }
    let browser = Browser::start(1280, 900).await;
    browser.open(&platform.page_url()).await;
    // The only endpoint opens by itself.
    browser.until("document.querySelectorAll('[data-job]').length === 50").await;
    let bytes = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)";
    let bytes = browser.eval(bytes).await.as_u64().unwrap();
    assert!(bytes < 400_000, "{bytes}");
    let first = browser.eval("document.querySelector('[data-job]').dataset.job").await;
    browser.click("[data-act=older]").await;
    browser
        .until(&format!("(document.querySelector('[data-job]')?.dataset.job ?? {first}) !== {first}"))
        .await;
    assert_eq!(browser.eval("document.querySelectorAll('[data-job]').length").await, 50);

    // Without functions that are known, the input is JSON, and must be.
    browser.click("[data-tab=send]").await;
    browser.fill("[data-field=__json]", "{\"n\": 9007199254740993").await;
    browser.until("document.querySelector('.problems')?.innerText.includes('not JSON')").await;
    browser.fill("[data-field=__json]", "{\"n\": 9007199254740993}").await;
    browser.click("button[value=run]").await;
    // A number that no script can hold is shown as it was sent.
    browser.until("document.querySelector('.detail .json')?.textContent.includes('9007199254740993')").await;

    browser.click("[data-tab=jobs]").await;
    browser.click("[data-act=purge]").await;
    browser.click("dialog .quiet").await;
    browser.until("!document.querySelector('dialog')").await;
    assert_eq!(queue.depth().await.unwrap().in_queue, 100_001, "nothing happens without a yes");
    browser.click("[data-act=purge]").await;
    browser.click("dialog .danger").await;
    browser.until("document.querySelector('.empty-title')").await;
    assert_eq!(queue.depth().await.unwrap().in_queue, 0);
    assert_eq!(browser.complaints().await, [""; 0]);
}
