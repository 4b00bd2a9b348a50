//! The worker of these tests: this test binary itself, started again to run one ignored "test" that plays a role.
//!
//! So nothing else must be built or found, whatever runs the tests.

#![allow(clippy::print_stdout, reason = "what a worker writes is its log, which tests read")]

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::{any, get};
use flash_local::{EndpointSpec, LocalPlatform, Signal};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::signal::unix::{SignalKind, signal};

use crate::support::{line, ok, post, quick, ready};

pub(crate) const ROLE: &str = "SCRIPTED_ROLE";

/// The part of a worker.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Answers each job with its input.
    Echo,
    /// Answers each job with its own environment.
    Environment,
    /// Answers each job with what is in the network volume, and adds its input to it.
    Volume,
    /// Takes a job and never answers. Its child would outlive it, if nobody looked after that.
    Hold,
    /// Takes a job and dies.
    Die,
    /// Takes a job and answers it when it is asked to stop.
    Finish,
    /// Does not care when it is asked to stop.
    Stubborn,
    /// Answers each job with its input, and asks for a new start with it.
    Refresh,
    /// Serves HTTP. The first two health answers are 204.
    Http,
    /// Serves HTTP, but is never healthy.
    Sick,
}

impl Role {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Echo, "echo"),
        (Self::Environment, "environment"),
        (Self::Hold, "hold"),
        (Self::Die, "die"),
        (Self::Finish, "finish"),
        (Self::Stubborn, "stubborn"),
        (Self::Refresh, "refresh"),
        (Self::Volume, "volume"),
        (Self::Http, "http"),
        (Self::Sick, "sick"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role as u8 == self as u8).unwrap().1
    }

    fn played() -> Option<Self> {
        let name = std::env::var(ROLE).ok()?;
        Self::ALL.iter().find(|(_, other)| *other == name).map(|(role, _)| *role)
    }

    /// An endpoint whose workers play this role.
    pub(crate) fn spec(self, name: &str) -> EndpointSpec {
        let program = std::env::current_exe().unwrap();
        let spec = match self {
            Self::Http | Self::Sick => EndpointSpec::load_balanced(name, program),
            _ => EndpointSpec::queue(name, program),
        };
        spec.args(["--ignored", "--exact", "scripted::play", "--nocapture", "--test-threads=1"])
            .env(ROLE, self.name())
    }
}

#[test]
#[ignore = "not a test: the part that a worker of the tests plays"]
fn play() {
    // Nobody has given this process a part.
    let Some(role) = Role::played() else { return };
    // The test harness has begun a line with the name of this "test".
    println!();
    println!("pid {}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match role {
            Role::Http => serve(2).await,
            Role::Sick => serve(usize::MAX).await,
            Role::Stubborn => {
                let mut terminate = signal(SignalKind::terminate()).unwrap();
                println!("ready");
                while terminate.recv().await.is_some() {
                    println!("no");
                }
            }
            _ => Jobs::new().work(role).await,
        }
    });
}

/// A process that is a platform.
pub(crate) fn platform_command() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "scripted::play_platform", "--nocapture", "--test-threads=1"])
        .env("SCRIPTED_PLATFORM", "1");
    command
}

#[tokio::test]
#[ignore = "not a test: the platform that a test kills"]
async fn play_platform() {
    if std::env::var_os("SCRIPTED_PLATFORM").is_none() {
        return;
    }
    let platform = LocalPlatform::builder().limits(quick()).start().await.unwrap();
    platform.add_endpoint(Role::Hold.spec("hold").workers(2)).await.unwrap();
    platform.add_endpoint(Role::Http.spec("http")).await.unwrap();
    platform.add_endpoint(Role::Finish.spec("frozen")).await.unwrap();
    let url = platform.endpoint_url("hold").unwrap();
    for _ in 0..2 {
        ok(post(&format!("{url}/run"), r#"{"input":1}"#).await);
    }
    let workers = ready(&platform, 4).await;
    let mut pids: Vec<String> = workers.iter().map(|worker| worker.pid.to_string()).collect();
    for worker in &workers {
        match worker.endpoint.as_str() {
            "hold" => pids.push(line(&platform, worker, "child ").await),
            "frozen" => platform.kill_worker(&worker.id, Signal::Freeze).unwrap(),
            _ => {}
        }
    }
    println!();
    println!("pids {}", pids.join(" "));
    std::future::pending::<()>().await;
}

struct Jobs {
    client: Client<HttpConnector, Body>,
    worker: String,
    key: String,
}

impl Jobs {
    fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            worker: std::env::var("RUNPOD_POD_ID").unwrap(),
            key: std::env::var("RUNPOD_AI_API_KEY").unwrap(),
        }
    }

    async fn work(&self, role: Role) {
        loop {
            let Some(job) = self.take().await else { continue };
            println!("took {}", job["id"]);
            match role {
                Role::Echo | Role::Refresh => self.done(&job, job["input"].clone()).await,
                Role::Environment => {
                    let variables: BTreeMap<_, _> = std::env::vars().collect();
                    self.done(&job, json!(variables)).await;
                }
                Role::Volume => {
                    let file =
                        std::path::Path::new(&std::env::var("FLASH_VOLUME_ROOT").unwrap()).join("seen");
                    let before = std::fs::read_to_string(&file).unwrap_or_default();
                    std::fs::write(&file, format!("{before}{}", job["input"])).unwrap();
                    self.done(&job, json!(before)).await;
                }
                Role::Die => std::process::exit(3),
                Role::Finish => {
                    let mut terminate = signal(SignalKind::terminate()).unwrap();
                    println!("waiting");
                    terminate.recv().await;
                    self.done(&job, json!("finished")).await;
                    std::process::exit(0);
                }
                _ => {
                    #[expect(clippy::zombie_processes, reason = "it shall be left behind")]
                    let child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
                    println!("child {}", child.id());
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    async fn take(&self) -> Option<Value> {
        let url = std::env::var("RUNPOD_WEBHOOK_GET_JOB").unwrap().replace("$ID", &self.worker);
        let (status, body) = self.send("GET", &format!("{url}&job_in_progress=0"), Body::empty()).await;
        (status == StatusCode::OK).then(|| serde_json::from_slice(&body).unwrap())
    }

    async fn done(&self, job: &Value, output: Value) {
        let url = std::env::var("RUNPOD_WEBHOOK_POST_OUTPUT").unwrap();
        let url = url.replace("$RUNPOD_POD_ID", &self.worker).replace("$ID", job["id"].as_str().unwrap());
        let mut body = json!({ "output": output });
        if Role::played().is_some_and(|role| matches!(role, Role::Refresh)) {
            body["stopPod"] = true.into();
        }
        let body = Body::from(body.to_string());
        let (status, _) = self.send("POST", &format!("{url}&isStream=false"), body).await;
        assert_eq!(status, StatusCode::OK);
    }

    async fn send(&self, method: &str, url: &str, body: Body) -> (StatusCode, Vec<u8>) {
        let request = Request::builder().method(method).uri(url).header("authorization", &self.key);
        let Ok(response) = self.client.request(request.body(body).unwrap()).await else {
            // The platform is gone, and so is the reason to be.
            std::process::exit(1);
        };
        let status = response.status();
        (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }
}

async fn die() -> StatusCode {
    std::process::exit(9)
}

async fn hang() {
    println!("hanging");
    std::future::pending::<()>().await;
}

/// Switches to a protocol in which everything comes back.
async fn upgrade(mut request: Request<Body>) -> axum::response::Response {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut from, mut to) = tokio::io::split(hyper_util::rt::TokioIo::new(upgraded.await.unwrap()));
        tokio::io::copy(&mut from, &mut to).await.unwrap();
    });
    let mut response = axum::response::Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "y")]
    {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

async fn serve(initialising: usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let ping = get(move || async move {
        println!("ping");
        if asked.fetch_add(1, Ordering::Relaxed) < initialising {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::OK
        }
    });
    let show = |request: Request<Body>| async move {
        let headers: BTreeMap<_, _> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        println!("asked {}", request.uri());
        axum::Json(json!({ "target": request.uri().to_string(), "headers": headers }))
    };
    let app = Router::new()
        .route("/ping", ping)
        .route("/show/{*path}", any(show))
        .route("/echo", any(|body: Body| async move { body }))
        .route("/upgrade", get(upgrade))
        .route("/die", any(die))
        .route("/hang", any(hang));
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let address = (std::env::var("FLASH_HOST").unwrap(), port);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
