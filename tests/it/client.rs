use flash::platform::HttpClient;
use flash::testing::LocalApp;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// The app and a client of it.
pub(crate) struct Client {
    app: LocalApp,
    http: HttpClient,
}

impl Client {
    pub(crate) async fn start() -> Self {
        // The test binary does not run `main`, so it has to mention the functions itself.
        let _ = &flash_tests::ECHO;
        Self { app: LocalApp::start().await.unwrap(), http: HttpClient::new() }
    }

    /// Sends JSON text and gives status and JSON back; an empty body is `null`.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, &format!("{}{path}", self.app.url())).unwrap();
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        (status, value)
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, None).await
    }
}
