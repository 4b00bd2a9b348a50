//! What moves without a click, and what a reader chooses: streams as they come, the keyboard, the theme.

use std::time::Duration;

use flash_core::wire::DoneBody;
use flash_local::{Kind, LocalPlatform};
use flash_queue::{Payload, Submission};

use crate::browser::{Browser, key};

const STATUS: &str = "document.querySelector('[data-detail]')?.dataset.status";

fn payload(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

#[tokio::test]
async fn a_stream_grows_before_the_readers_eyes() {
    let platform = LocalPlatform::start().await.unwrap();
    platform.declare("live", Kind::Queue).await.unwrap();
    let queue = platform.queue("live").unwrap();
    let id = queue.submit(Submission::new(payload("1"))).await.unwrap();
    let browser = Browser::start(1280, 900).await;
    browser.open(&format!("{}#/e/live/jobs/{id}", platform.page_url())).await;
    browser.until(&format!("{STATUS} === 'IN_QUEUE'")).await;
    // What comes from now on comes to the page that is open.
    browser.eval("window.opened = true").await;

    let worker = "w".into();
    let taken = queue.take(&worker, 1, Duration::ZERO).await.unwrap();
    assert_eq!(taken[0].id, id);
    browser.until(&format!("{STATUS} === 'IN_PROGRESS'")).await;
    let pieces = "document.querySelectorAll('.chunks li').length";
    for (n, piece) in ["{\"n\":1}", "\"<b>two</b>\"", "3"].into_iter().enumerate() {
        queue.push(&worker, &id, payload(piece)).await.unwrap();
        browser.until(&format!("{pieces} === {}", n + 1)).await;
    }
    let text = browser.eval("document.querySelector('.chunks').textContent").await;
    assert!(text.as_str().unwrap().contains("<b>two</b>"), "{text}");
    assert_eq!(browser.eval("document.querySelectorAll('.chunks b').length").await, 0);
    let note = browser.eval("document.querySelector('.chunks').parentElement.innerText").await;
    assert!(note.as_str().unwrap().contains("3 pieces not read yet"), "{note}");

    // A caller reads them: they are the caller's now. Later ones still come.
    assert_eq!(queue.stream(&id).await.unwrap().stream.len(), 3);
    browser.until("!document.querySelector('.chunks')").await;
    queue.push(&worker, &id, payload("\"last\"")).await.unwrap();
    browser.until("document.querySelector('.chunks')?.innerText.includes('last')").await;
    queue.done(&worker, &id, DoneBody::output(payload("\"whole\""))).await.unwrap();
    browser.until(&format!("{STATUS} === 'COMPLETED'")).await;
    browser.until("document.querySelector('.detail .json')?.textContent.includes('whole')").await;
    assert_eq!(browser.eval("window.opened").await, true, "the page was not loaded again");
    assert_eq!(browser.complaints().await, [""; 0]);
    platform.shutdown().await;
}

#[tokio::test]
async fn keys_change_tabs_and_the_theme_that_was_chosen_stays() {
    let platform = LocalPlatform::start().await.unwrap();
    platform.declare("one", Kind::Queue).await.unwrap();
    platform.declare("two", Kind::Queue).await.unwrap();
    let browser = Browser::start(1280, 900).await;
    browser.prefer("light").await;
    browser.open(&format!("{}#/e/one", platform.page_url())).await;
    browser.until("document.querySelector('[data-tab]')").await;

    // The digits are the tabs in their order, and text where text is typed.
    for (digit, hash) in [("2", "#/e/one/workers"), ("3", "#/e/one/send"), ("1", "#/e/one")] {
        browser.press(&[digit]).await;
        browser.until(&format!("location.hash === '{hash}'")).await;
    }
    browser.press(&["3"]).await;
    browser.until("document.querySelector('main textarea')").await;
    browser.fill("main textarea", "{\"input\": {}}").await;
    browser.press(&["2", "j"]).await;
    browser.until("document.querySelector('main textarea').value.includes('2j')").await;
    assert_eq!(browser.eval("location.hash").await, "#/e/one/send");
    // The first Escape leaves the field, the next ones go back.
    browser.press(&[key::ESCAPE]).await;
    browser.until("document.activeElement === document.body").await;
    browser.press(&[key::ESCAPE]).await;
    browser.until("location.hash === '#/e/one'").await;
    browser.press(&[key::ESCAPE]).await;
    browser
        .until("location.hash === '#/' && document.querySelectorAll('[data-endpoint]').length === 2")
        .await;
    browser.press(&["j", "j", key::ENTER]).await;
    browser.until("location.hash === '#/e/two'").await;

    // The theme: as the system, light, dark, and again.
    const COLOR: &str = "getComputedStyle(document.body).color";
    let theme = "document.documentElement.dataset.theme ?? 'auto'";
    let light = browser.eval(COLOR).await;
    browser.prefer("dark").await;
    browser.until(&format!("{COLOR} !== {light}")).await;
    let dark = browser.eval(COLOR).await;
    browser.click("[data-act=theme]").await;
    browser.until(&format!("({theme}) === 'light' && {COLOR} === {light}")).await;
    browser.prefer("light").await;
    browser.click("[data-act=theme]").await;
    browser.until(&format!("({theme}) === 'dark' && {COLOR} === {dark}")).await;
    let label = browser.eval("document.querySelector('[data-act=theme]').getAttribute('aria-label')").await;
    assert_eq!(label, "Theme: dark");
    // It stays, also in another tab or after a restart of the page.
    browser.open("about:blank").await;
    browser.open(&platform.page_url()).await;
    browser.until(&format!("({theme}) === 'dark' && {COLOR} === {dark}")).await;
    browser.click("[data-act=theme]").await;
    browser.until(&format!("({theme}) === 'auto' && {COLOR} === {light}")).await;
    assert_eq!(browser.eval("localStorage.getItem('flash-theme')").await, "auto");
    assert_eq!(browser.complaints().await, [""; 0]);
    platform.shutdown().await;
}
