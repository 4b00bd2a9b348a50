//! A headless Chromium, driven by the WebDriver protocol (W3C): plain JSON over HTTP, so no client library is needed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flash_platform::HttpClient;
use reqwest::Method;
use serde_json::{Value, json};

/// The WebDriver name of an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with an empty profile; gone when dropped.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    http: HttpClient,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one whose pages are so wide and high.
    pub(crate) async fn start(width: u32, height: u32) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver does not start: {error}; `cargo xtask setup` installs it")
            });
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 90_000, "pageLoad": 90_000 },
        } } });
        let http = HttpClient::new();
        let base = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, session: base, http, _profile: profile };
        let session = browser.send(Method::POST, "", Some(capabilities)).await;
        browser.session = format!("{}/{}", browser.session, session["sessionId"].as_str().unwrap());
        browser.resize(width, height).await;
        browser
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, &format!("{}{path}", self.session)).unwrap();
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {}: {}", value["error"], value["message"]);
        value
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Makes the page, without what is around it, so large.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
        )
        .await;
    }

    /// What the system asks for: `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    pub(crate) async fn devtools(&self, command: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// The value of an expression, inside of the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Waits until an expression is true, and gives its value. It is looked at each time the page is drawn.
    pub(crate) async fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; const began = Date.now(); const look = () => {{ \
             let value = null; try {{ value = ({expression}) }} catch {{}} \
             if (value || Date.now() - began > 60000) done(value); else requestAnimationFrame(look) }}; look();"
        );
        let value = self.post("/execute/async", json!({ "script": script, "args": [] })).await;
        let missed = value.is_null() || value == json!(false) || value == json!(0) || value == json!("");
        if missed {
            let text = self.eval("document.body.innerText.slice(0, 2000)").await;
            panic!("nothing came of waiting for {expression}; the page says: {text}");
        }
        value
    }

    /// Waits for an element, and gives what the other commands call it.
    async fn find(&self, css: &str) -> String {
        let element = self.until(&format!("document.querySelector({})", json!(css))).await;
        element[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks where the element is, as a person would: it must be visible and nothing may be on top of it.
    pub(crate) async fn click(&self, css: &str) {
        let id = self.find(css).await;
        self.post(&format!("/element/{id}/click"), json!({})).await;
    }

    /// Empties a field and types into it.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let id = self.find(css).await;
        self.post(&format!("/element/{id}/clear"), json!({})).await;
        self.post(&format!("/element/{id}/value"), json!({ "text": text })).await;
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[&str]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }))
            .await;
    }

    /// What the page looks like, as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let text = self.send(Method::GET, "/screenshot", None).await;
        BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap()
    }

    /// What went wrong in the page: errors of scripts, and what its policy forbade.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let severe = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

/// Keys that have no character.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\u{e007}";
    pub(crate) const ESCAPE: &str = "\u{e00c}";
    pub(crate) const DOWN: &str = "\u{e015}";
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is stopped does not always take its browser along; one whose session is deleted has none.
        let _ = self.delete_session();
        let pid = self.driver.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Waits for the answer, which comes when the browser is gone. Whoever is dropped cannot wait for a future.
    fn delete_session(&self) -> std::io::Result<()> {
        let (address, path) = self
            .session
            .trim_start_matches("http://")
            .split_once('/')
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "DELETE /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        stream.read(&mut [0; 64]).map(drop)
    }
}
