//! An HTTP endpoint with everything that one can have.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::routing::{get, post};
use flash::Stream;
use flash::prelude::*;
use serde::{Deserialize, Serialize};

use crate::barrier::Barrier;

/// Runs two functions at a time.
pub static WEB: Endpoint = Endpoint::http("web").cpu(&["cpu3c-1-2"]).concurrency(2);

/// What a stream may fail with.
#[derive(Debug, Clone, PartialEq, thiserror::Error, RemoteError)]
pub enum CountError {
    /// With data.
    #[error("{at} is enough")]
    #[remote(status = 409)]
    Enough {
        /// How many.
        at: u32,
    },
}

/// A choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Little.
    Small,
    /// Much.
    Large,
}

/// What is in a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Some text.
    pub name: String,
    /// Some numbers.
    #[serde(default)]
    pub counts: Vec<u32>,
}

/// Takes some of everything.
#[remote(resource = WEB, method = "POST", path = "/measure", name = "web_measure")]
pub async fn measure(text: String, n: Option<u32>, x: Option<f64>) -> Result<usize, flash::Error> {
    let _ = (n, x);
    Ok(text.chars().count())
}

/// Enums, lists and numbers in a query.
#[remote(resource = WEB, method = "GET", path = "/search", name = "web_search")]
pub async fn search(
    size: Size,
    ids: Vec<u32>,
    order: Option<Order>,
    #[remote(default = 10)] limit: u8,
) -> Result<(Size, Vec<u32>, Option<Order>, u8), flash::Error> {
    Ok((size, ids, order, limit))
}

/// The whole body, beside the path.
#[remote(resource = WEB, method = "PATCH", path = "/orders/{id}", name = "web_change_order")]
pub async fn change_order(id: u32, #[remote(body)] order: Order) -> Result<(u32, Order), flash::Error> {
    Ok((id, order))
}

/// A name in the path.
#[remote(resource = WEB, method = "GET", path = "/files/{name}", name = "web_file")]
pub async fn file(name: String) -> Result<flash::Bytes, flash::Error> {
    Ok(flash::Bytes::new(name).with_content_type("text/plain"))
}

/// Bytes in, and how many there were.
#[remote(resource = WEB, method = "PUT", path = "/files/{name}", name = "web_put_file")]
pub async fn put_file(
    name: String,
    file: flash::Bytes,
    tags: Option<Vec<String>>,
) -> Result<flash::Response<(String, usize, Option<String>, Vec<String>)>, flash::Error> {
    let kind = file.content_type().map(ToOwned::to_owned);
    let found = (name, file.len(), kind, tags.unwrap_or_default());
    Ok(flash::Response::new(found)
        .with_status(202)
        .with_header("x-kept", "yes")
        .with_header("set-cookie", "a=1"))
}

/// Who calls.
#[remote(resource = WEB, method = "GET", path = "/caller", name = "web_caller")]
pub async fn caller(context: Context) -> Result<(Option<String>, Option<String>, String), flash::Error> {
    let token = context.bearer_token();
    tracing_would_show(&context);
    let token = token.map(|token| token.expose().to_owned());
    Ok((token, context.header("X-Tenant").map(ToOwned::to_owned), context.id().to_owned()))
}

/// What a careless function logs.
fn tracing_would_show(context: &Context) {
    assert!(!format!("{context:?} {:?}", context.bearer_token()).contains("fake-token"));
}

/// Milliseconds that are left.
#[remote(resource = WEB, method = "GET", path = "/time-left", name = "web_time_left")]
pub async fn time_left(context: Context) -> Result<Option<u128>, flash::Error> {
    Ok(context.time_left().map(|left| left.as_millis()))
}

/// Counts, and fails or panics at the end when it is told to.
#[remote(resource = WEB, method = "GET", path = "/count/{to}", name = "web_count")]
pub async fn count(to: u32, end: Option<String>) -> Result<Stream<u32, CountError>, CountError> {
    if end.as_deref() == Some("at once") {
        return Err(CountError::Enough { at: 0 });
    }
    let last = match end.as_deref() {
        Some("failure") => Some(Err(CountError::Enough { at: to })),
        _ => None,
    };
    let panics = end.as_deref() == Some("panic");
    let items = (0..to).map(Ok).chain(last).chain(std::iter::from_fn(move || {
        assert!(!panics, "the secret inside");
        None
    }));
    Ok(Stream::iter(items))
}

/// Names of the producers that were started and are still there.
pub static PRODUCERS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Is one of the [`PRODUCERS`].
#[derive(Debug)]
struct Producer(String);

impl Producer {
    fn new(name: String) -> Self {
        PRODUCERS.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        Self(name)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        PRODUCERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Says one thing and then nothing for ever.
#[remote(resource = WEB, method = "GET", path = "/endless/{name}", name = "web_endless")]
pub async fn endless(name: String) -> Result<Stream<u32, flash::Error>, flash::Error> {
    let (sender, stream) = Stream::channel(1);
    flash::spawn(async move {
        let _producer = Producer::new(name);
        if sender.send(1).await.is_ok() {
            sender.closed().await;
        }
    });
    Ok(stream)
}

/// Waits at the barrier of this name, and gives the name back.
#[remote(resource = WEB, method = "POST", path = "/hold", name = "web_hold")]
pub async fn hold(barrier: String) -> Result<String, flash::Error> {
    Barrier::named(&barrier).pass().await;
    Ok(barrier)
}

/// Functions that block.
pub static BLOCKING: AtomicUsize = AtomicUsize::new(0);
/// How often a blocking function heard that nobody waits for it.
pub static HEARD: AtomicUsize = AtomicUsize::new(0);

/// Blocks until nobody waits for it any more.
#[remote(resource = WEB, method = "POST", path = "/block", name = "web_block_until_gone")]
#[allow(clippy::needless_pass_by_value, reason = "a remote function owns its arguments")]
pub fn block_until_gone(context: Context) -> Result<(), flash::Error> {
    BLOCKING.fetch_add(1, Ordering::SeqCst);
    while !context.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    BLOCKING.fetch_sub(1, Ordering::SeqCst);
    HEARD.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// A large answer.
#[remote(resource = WEB, method = "GET", path = "/large", name = "web_large")]
pub async fn large(bytes: usize) -> Result<flash::Bytes, flash::Error> {
    Ok(flash::Bytes::new(vec![b'x'; bytes]))
}

/// Panics.
#[remote(resource = WEB, method = "POST", path = "/panic", name = "web_panicking")]
pub async fn panicking() -> Result<(), flash::Error> {
    panic!("the secret inside")
}

/// Panics as it is read.
#[derive(Debug, Serialize)]
pub struct Explosive;

impl<'de> Deserialize<'de> for Explosive {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("the secret inside")
    }
}

/// Takes what cannot be read.
#[remote(resource = WEB, method = "POST", path = "/explosive", name = "web_explosive")]
pub async fn explosive(text: String, explosive: Explosive) -> Result<(), flash::Error> {
    let _ = (text, explosive);
    Ok(())
}

/// Says that the worker cannot go on.
#[remote(resource = WEB, method = "POST", path = "/break", name = "web_break_web")]
pub async fn break_web() -> Result<(), flash::Error> {
    Err(flash::Error::new("gpu_lost", "the GPU is gone").fatal())
}

/// A page, a panic, the lengths of bodies, a function of another endpoint, and a WebSocket that gives back what it gets.
#[flash::router(resource = WEB, calls(crate::whoami))]
pub fn pages() -> Router {
    Router::new()
        .route("/page", get(async || "a page"))
        .route("/page/panic", get(async || -> &'static str { panic!("the secret inside") }))
        .route("/page/length", post(length))
        .route("/page/late", post(late))
        .route("/page/kept", post(kept))
        .route(
            "/page/whoami",
            get(async || crate::whoami::remote().await.map(|pid| pid.to_string()).unwrap_or_default()),
        )
        .route("/search", post(async || "another verb of the same path"))
        .route("/socket", get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(give_back)))
}

/// How long a body is, however long that may be.
async fn length(body: Body) -> Result<String, flash::axum::http::StatusCode> {
    match flash::axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => Ok(bytes.len().to_string()),
        Err(_) => Err(flash::axum::http::StatusCode::IM_A_TEAPOT),
    }
}

/// The same, with a look at the body only after the barrier `late` has opened.
async fn late(body: Body) -> Result<String, flash::axum::http::StatusCode> {
    Barrier::named("late").pass().await;
    length(body).await
}

/// The same, with an answer only after the barrier `kept` has opened.
async fn kept(body: Body) -> Result<String, flash::axum::http::StatusCode> {
    let length = length(body).await;
    Barrier::named("kept").pass().await;
    length
}

async fn give_back(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
