//! Jobs.

use flash_local::LocalPlatform;

use crate::browser::{Browser, key};
use crate::platform::start;

const STATUS: &str = "document.querySelector('[data-detail]')?.dataset.status";

#[tokio::test]
async fn a_job_is_sent_from_the_form_and_another_is_cancelled() {
    let platform = start(LocalPlatform::builder()).await;
    let browser = Browser::start(1280, 900).await;
    browser.open(&platform.page_url()).await;
    browser.click("[data-endpoint=echo]").await;

    // The form knows the parameters, and says what is missing before anything is sent.
    browser.click("[data-tab=send]").await;
    let script = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
    browser.fill("[data-field=text]", script).await;
    browser.fill("[data-field=times]", "two").await;
    browser.click("button[value=run]").await;
    browser.until("document.querySelector('.problems')?.innerText.includes('times')").await;
    browser.fill("[data-field=times]", "2").await;
    browser.click("button[value=run]").await;

    // It completes before the reader's eyes, and what it holds is text.
    browser.until(&format!("{STATUS} === 'COMPLETED'")).await;
    let output = browser.until("document.querySelector('.detail .json')?.textContent").await;
    assert!(output.as_str().unwrap().contains("<script>document.title='owned'</script><img"), "{output}");
    assert_eq!(browser.eval("document.querySelectorAll('#app script, #app img').length").await, 0);
    assert_ne!(browser.eval("document.title").await, "owned");

    // Another one runs until it is cancelled.
    browser.open(&format!("{}#/e/mixed/send", platform.page_url())).await;
    browser.click("[data-function=slow]").await;
    browser.fill("[data-field=millis]", "600000").await;
    browser.click("button[value=run]").await;
    browser.until(&format!("{STATUS} === 'IN_PROGRESS'")).await;
    browser.click("[data-act=cancel]").await;
    browser.until(&format!("{STATUS} === 'CANCELLED'")).await;

    // A failure shows its code, its message and its data.
    browser.open(&format!("{}#/e/mixed/send", platform.page_url())).await;
    browser.click("[data-function=check]").await;
    browser.fill("[data-field=text]", "much too long for it").await;
    browser.click("button[value=runsync]").await;
    browser.until(&format!("{STATUS} === 'FAILED'")).await;
    let error = browser.until("document.querySelector('.error')?.innerText").await;
    for part in
        ["too_long", "the text has 20 characters, the limit is 10", "may succeed later", "\"limit\": 10"]
    {
        assert!(error.as_str().unwrap().contains(part), "{part}: {error}");
    }
    browser.click("[data-act=retry]").await;
    browser.until("document.querySelector('.notice')?.innerText.includes('queued again')").await;

    // The keyboard goes through the list, opens, and goes back.
    browser.press(&[key::ESCAPE]).await;
    browser
        .until("location.hash === '#/e/mixed' && document.querySelectorAll('[data-job]').length === 2")
        .await;
    browser.press(&["j", key::DOWN, "k", "j"]).await;
    browser.until("document.activeElement.dataset.status === 'CANCELLED'").await;
    browser.press(&[key::ENTER]).await;
    browser.until(&format!("{STATUS} === 'CANCELLED'")).await;
    browser.press(&["/", "t", "o", "o", "_"]).await;
    browser.until("document.querySelectorAll('[data-job]').length === 1").await;
    browser.press(&[key::ESCAPE, "?"]).await;
    browser.until("document.querySelector('dialog.help[open]')").await;
    browser.press(&[key::ESCAPE]).await;
    browser.until("!document.querySelector('dialog')").await;
    assert_eq!(browser.complaints().await, [""; 0], "the page has errors, or does what its policy forbids");
    platform.shutdown().await;
}
