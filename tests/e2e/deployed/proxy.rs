use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use flash_platform::HttpClient;

/// What becomes of a request on its way to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, and so does the answer.
    Pass,
    /// It arrives; the answer is lost, because the asking process is killed first.
    KillAfter,
    /// The asking process is killed before it arrives.
    KillBefore,
    /// The platform is not there.
    Unavailable,
}

type Decide = Box<dyn FnMut(&str) -> Fate + Send>;

/// Stands between the command and the control plane, and can end either.
#[derive(Clone)]
pub(crate) struct Proxy {
    inner: Arc<Inner>,
    pub(crate) base: String,
}

struct Inner {
    target: String,
    /// This proxy's own address.
    base: Mutex<String>,
    http: HttpClient,
    decide: Mutex<Decide>,
    /// The process that asks, while it may be killed.
    victim: Mutex<Option<u32>>,
    /// What was asked, in order: `POST saveEndpoint`, `GET /v2/serverless`.
    seen: Mutex<Vec<String>>,
}

impl Proxy {
    /// A proxy before the platform at `target`, whose `decide` sees the name of each request.
    pub(crate) async fn start(target: String, decide: impl FnMut(&str) -> Fate + Send + 'static) -> Self {
        let inner = Arc::new(Inner {
            target,
            base: Mutex::default(),
            http: HttpClient::new(),
            decide: Mutex::new(Box::new(decide)),
            victim: Mutex::default(),
            seen: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        inner.base.lock().unwrap().clone_from(&base);
        let app = Router::new().fallback(pass).with_state(inner.clone()).layer(DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { inner, base }
    }

    pub(crate) fn decide(&self, decide: impl FnMut(&str) -> Fate + Send + 'static) {
        *self.inner.decide.lock().unwrap() = Box::new(decide);
    }

    pub(crate) fn kills(&self, process: Option<u32>) {
        *self.inner.victim.lock().unwrap() = process;
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.inner.seen.lock().unwrap().clear();
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.inner.seen.lock().unwrap().clone()
    }
}

impl Inner {
    fn kill(&self) {
        let victim = self.victim.lock().unwrap().take();
        let pid = victim.and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()));
        if let Some(pid) = pid {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
    }
}

/// The operation of a GraphQL request, else its method and path.
fn name(method: &Method, uri: &Uri, body: &[u8]) -> String {
    if uri.path() != "/graphql" {
        return format!("{method} {}", uri.path());
    }
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    let query = body["query"].as_str().unwrap();
    let kind = query.split_whitespace().next().unwrap();
    let operation = query.split_whitespace().nth(1).unwrap();
    format!("{kind} {}", operation.split('(').next().unwrap())
}

async fn pass(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let name = name(&method, &uri, &body);
    inner.seen.lock().unwrap().push(name.clone());
    let fate = (inner.decide.lock().unwrap())(&name);
    let unavailable = || Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    match fate {
        Fate::KillBefore => {
            inner.kill();
            return unavailable();
        }
        Fate::Unavailable => return unavailable(),
        Fate::Pass | Fate::KillAfter => {}
    }
    let url = format!("{}{uri}", inner.target);
    let mut request = inner.http.request(method, &url).unwrap().body(body);
    for (name, value) in &headers {
        if name != "host" && name != "content-length" {
            request = request.header(name, value);
        }
    }
    let Ok(answer) = request.send().await else { return unavailable() };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    // These do not end by themselves.
    if answer.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return response.body(Body::new(reqwest::Body::from(answer))).unwrap();
    }
    let bytes = answer.bytes().await.unwrap_or_default();
    if fate == Fate::KillAfter {
        inner.kill();
    }
    // Whatever address the platform tells leads through here as well: uploads and calls of endpoints too.
    let here = inner.base.lock().unwrap().clone();
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(text) => Bytes::from(text.replace(&inner.target, &here)),
        Err(_) => bytes,
    };
    response.body(Body::from(bytes)).unwrap()
}
