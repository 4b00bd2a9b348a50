//! REST v2 over its wire.

use axum::body::Body;
use axum::http::{Method, Request};
use flash_local::{Limits, LocalPlatform};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::control::{KEY, call, control_plane};
use crate::scripted::{ROLE, Role};
use crate::support::{ok, quick, ready};

/// An endpoint whose workers run a program of this machine.
fn program(role: Role, kind: &str) -> Value {
    let scaling = if kind == "QUEUE" {
        json!({"type": "QUEUE_DELAY", "queueDelay": 4})
    } else {
        json!({"type": "REQUEST_COUNT", "requestCount": 4})
    };
    json!({
        "name": "program", "type": kind, "image": format!("file://{}", std::env::current_exe().unwrap().display()),
        "args": "--ignored --exact scripted::play --nocapture --test-threads=1", "env": {ROLE: role.name()},
        "scaling": scaling, "workers": {"min": 1, "max": 1},
    })
}

#[tokio::test]
async fn endpoints_are_created_changed_and_deleted() {
    let platform = control_plane().await;
    let at = format!("{}/v2/serverless", platform.base_url());
    let created = call(Method::POST, &at, Some(&program(Role::Echo, "QUEUE"))).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, urls) = (created.body["id"].as_str().unwrap(), &created.body["requestUrls"]);
    assert_eq!(
        (&created.body["timeout"], &created.body["flashboot"], &created.body["gpu"]),
        (&json!(300_000), &json!("OFF"), &Value::Null)
    );
    assert_eq!(created.body["workers"], json!({"min": 1, "max": 1, "idleTimeout": 10}));
    let job =
        ok(call(Method::POST, urls["runSync"].as_str().unwrap(), Some(&json!({"input": {"x": 1}}))).await);
    assert_eq!(job["output"], json!({"x": 1}));
    let worker = ready(&platform, 1).await.remove(0);
    let workers = ok(call(Method::GET, &format!("{at}/{id}/workers"), None).await);
    assert_eq!(
        (&workers["workers"][0]["id"], &workers["workers"][0]["status"], &workers["summary"]["total"]),
        (&json!(worker.id), &json!("IDLE"), &json!(1))
    );
    assert_eq!(
        (&workers["workers"][0]["version"], &workers["workers"][0]["isStale"]),
        (&json!(1), &json!(false))
    );

    // Only what is named changes; a change of the workers is a release.
    let patched =
        call(Method::PATCH, &format!("{at}/{id}"), Some(&json!({"workers": {"max": 2}, "timeout": 60_000})))
            .await;
    assert_eq!(
        (patched.status, &patched.body["workers"]["max"], &patched.body["env"]),
        (200, &json!(2), &created.body["env"])
    );
    let mut env = created.body["env"].clone();
    env["MORE"] = json!("1");
    ok(call(Method::PATCH, &format!("{at}/{id}"), Some(&json!({"env": env}))).await);
    let releases = ok(call(Method::GET, &format!("{at}/{id}/releases"), None).await);
    assert_eq!(
        (releases["releases"].as_array().unwrap().len(), &releases["endpointVersion"]),
        (2, &json!(2))
    );
    assert_eq!(ok(call(Method::GET, &at, None).await)["endpoints"].as_array().unwrap().len(), 1);
    let deleted = call(Method::DELETE, &format!("{at}/{id}"), None).await;
    assert_eq!((deleted.status, deleted.body), (204, Value::Null));
    for path in ["", "/workers", "/releases", "/workers/x/logs"] {
        let gone = call(Method::GET, &format!("{at}/{id}{path}"), None).await;
        assert_eq!((gone.status, &gone.body["title"]), (404, &json!("Not Found")), "{path}");
    }
    platform.shutdown().await;
}

#[tokio::test]
async fn an_http_endpoint_has_its_address_and_its_callers_need_a_key() {
    let platform = control_plane().await;
    let at = format!("{}/v2/serverless", platform.base_url());
    let created = call(Method::POST, &at, Some(&program(Role::Http, "LOAD_BALANCER"))).await.body;
    let health = created["requestUrls"]["health"].as_str().unwrap();
    assert_eq!(call(Method::GET, health, None).await.status, 200);
    let stranger = async || crate::support::get(health).await.status;
    assert_eq!(stranger().await, 401);
    // By choice its callers need none.
    let mut env = created["env"].clone();
    env["FLASH_DISABLE_RP_AUTH"] = json!("true");
    ok(call(Method::PATCH, &format!("{at}/{}", created["id"].as_str().unwrap()), Some(&json!({"env": env})))
        .await);
    crate::support::poll("the endpoint to be public", async || (stranger().await == 200).then_some(())).await;
    platform.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_as_a_problem() {
    let platform = control_plane().await;
    let base = format!("{}/v2", platform.base_url());
    let good = || json!({"name": "x", "type": "QUEUE", "image": "i", "scaling": {"type": "REQUEST_COUNT", "requestCount": 1}});
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        body
    };
    for (body, status, text) in [
        (json!({}), 422, "name is required"),
        (json!([]), 422, "body must be an object"),
        (with("unknown", json!(1)), 422, "unknown is not known"),
        (
            with("scaling", json!({"type": "QUEUE_DELAY", "queueDelay": 0.1})),
            422,
            "scaling.queueDelay must be a number from 0.5 on",
        ),
        (with("scaling", json!({"type": "QUEUE_DELAY"})), 422, "scaling.queueDelay is required"),
        (with("gpu", json!({"pools": []})), 422, "gpu.pools must not be empty"),
        (
            with("gpu", json!({"pools": ["ADA_24"], "minCudaVersion": "12"})),
            422,
            "gpu.minCudaVersion must be",
        ),
        (
            with("cpu", json!([{"id": "cpu3c", "vcpuCount": 3}])),
            422,
            "cpu[0].vcpuCount must be a power of two",
        ),
        (with("env", json!({"A=B": "1"})), 422, "not a possible name"),
        (with("workers", json!({"idleTimeout": 5})), 400, "workers.idleTimeout does not apply"),
        (with("workers", json!({"min": 2, "max": 1})), 400, "workers.min is over"),
        (with("networkVolumes", json!(["none"])), 400, "does not exist"),
        (with("templateId", json!("none")), 404, "template not found"),
    ] {
        let answer = call(Method::POST, &format!("{base}/serverless"), Some(&body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.body.to_string().contains(text), "{text}: {}", answer.body);
        assert_eq!(answer.body["status"], status);
        assert!(answer.headers.contains_key("ratelimit") && answer.headers.contains_key("ratelimit-policy"));
    }
    let malformed = Request::post(format!("{base}/serverless"))
        .header("authorization", KEY)
        .body(Body::from("{"))
        .unwrap();
    assert_eq!(crate::support::send(malformed).await.status, 400);
    let anonymous = crate::support::get(&format!("{base}/serverless")).await;
    assert_eq!((anonymous.status, &anonymous.body["title"]), (401, &json!("Unauthorized")));
    let wrong = call(Method::PUT, &format!("{base}/templates"), None).await;
    assert_eq!(
        (wrong.status, wrong.headers["content-type"].to_str().unwrap()),
        (405, "application/problem+json")
    );
}

#[tokio::test]
async fn templates_and_volumes_are_kept_and_guarded_while_they_are_used() {
    let platform = control_plane().await;
    let base = format!("{}/v2", platform.base_url());
    let template = json!({"name": "t", "image": "i", "env": {"A": "1", "B": "1"}, "mounts": {"persistent": {"size": 10, "path": "/w"}}});
    let created = call(Method::POST, &format!("{base}/templates"), Some(&template)).await;
    assert_eq!(
        (created.status, &created.body["category"], &created.body["startSsh"]),
        (201, &json!("NVIDIA"), &json!(true))
    );
    assert_eq!(
        call(Method::POST, &format!("{base}/templates"), Some(&template)).await.status,
        400,
        "the name is taken"
    );
    let id = created.body["id"].as_str().unwrap();
    let patched =
        ok(call(Method::PATCH, &format!("{base}/templates/{id}"), Some(&json!({"disk": 30}))).await);
    assert_eq!((&patched["disk"], &patched["mounts"]), (&json!(30), &template["mounts"]));
    // It is applied once: the endpoint's own values win, and no link is kept.
    let body = json!({"name": "e", "type": "QUEUE", "templateId": id, "env": {"B": "2"}, "scaling": {"type": "QUEUE_DELAY", "queueDelay": 1.5}});
    let endpoint = call(Method::POST, &format!("{base}/serverless"), Some(&body)).await;
    assert_eq!(
        (endpoint.status, &endpoint.body["env"], &endpoint.body["disk"]),
        (201, &json!({"A": "1", "B": "2"}), &json!(30))
    );
    assert_eq!(call(Method::DELETE, &format!("{base}/templates/{id}"), None).await.status, 204);
    assert_eq!(ok(call(Method::GET, &format!("{base}/templates"), None).await), json!({"templates": []}));

    let volume = json!({"name": "v", "size": 10, "dataCenter": "EU-RO-1"});
    let volume = call(Method::POST, &format!("{base}/network-volumes"), Some(&volume)).await.body;
    let at = format!("{base}/network-volumes/{}", volume["id"].as_str().unwrap());
    assert_eq!(volume["type"], "STANDARD");
    assert_eq!(call(Method::PATCH, &at, Some(&json!({"size": 20}))).await.body["size"], 20);
    assert_eq!(call(Method::PATCH, &at, Some(&json!({"size": 15}))).await.status, 400, "it only grows");
    assert_eq!(call(Method::PATCH, &at, Some(&json!({}))).await.status, 422);
    let endpoint = format!("{base}/serverless/{}", endpoint.body["id"].as_str().unwrap());
    ok(call(Method::PATCH, &endpoint, Some(&json!({"networkVolumes": [volume["id"]]}))).await);
    assert_eq!(call(Method::DELETE, &at, None).await.status, 400, "it is in use");
    assert_eq!(call(Method::DELETE, &endpoint, None).await.status, 204);
    assert_eq!(call(Method::DELETE, &at, None).await.status, 204);
    assert_eq!(call(Method::DELETE, &at, None).await.status, 404);
}

#[tokio::test]
async fn the_catalogue_has_what_endpoints_can_name() {
    let platform = control_plane().await;
    let base = format!("{}/v2/catalog", platform.base_url());
    let gpus = ok(call(Method::GET, &format!("{base}/gpus"), None).await);
    let one = gpus["gpus"].as_array().unwrap().iter().find(|gpu| gpu["pool"] == "ADA_24").unwrap().clone();
    let path = one["id"].as_str().unwrap().replace(' ', "%20");
    let with = ok(call(
        Method::GET,
        &format!("{base}/gpus/{path}?include=AVAILABILITY&product=SERVERLESS&cudaVersions=12.8"),
        None,
    )
    .await);
    assert_eq!((&with["availability"], &with["memory"]), (&json!("HIGH"), &json!(24)));
    assert_eq!(with["cudaVersions"], json!([{"version": "12.8", "available": true}]));
    for (query, status) in
        [("include=AVAILABILITY", 400), ("product=POD", 400), ("count=2", 400), ("include=X", 422)]
    {
        assert_eq!(call(Method::GET, &format!("{base}/gpus?{query}"), None).await.status, status, "{query}");
    }
    let cpus = ok(call(Method::GET, &format!("{base}/cpus"), None).await);
    assert!(
        cpus["cpus"].as_array().unwrap().iter().any(|cpu| cpu["id"] == "cpu3g" && cpu["ramGbPerVcpu"] == 4)
    );
    let places = ok(call(Method::GET, &format!("{base}/datacenters?regions=EUROPE"), None).await);
    assert!(places["dataCenters"].as_array().unwrap().iter().all(|place| place["region"] == "EUROPE"));
    assert_eq!(ok(call(Method::GET, &format!("{base}/datacenters/EU-RO-1"), None).await)["name"], "EU-RO-1");
    assert_eq!(call(Method::GET, &format!("{base}/datacenters/X"), None).await.status, 404);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let limits = Limits { rest_minute: 2, ..quick() };
    let platform =
        LocalPlatform::builder().limits(limits).api_key(KEY).control_plane(true).start().await.unwrap();
    let url = format!("{}/v2/templates", platform.base_url());
    let first = call(Method::GET, &url, None).await;
    assert!(first.headers["ratelimit"].to_str().unwrap().starts_with("\"minute\";r=1;t="));
    assert_eq!(call(Method::GET, &url, None).await.status, 200);
    let refused = call(Method::GET, &url, None).await;
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(refused.status == 429 && (1..=60).contains(&seconds), "{}", refused.body);
}

#[tokio::test]
async fn logs_are_followed_as_they_are_written() {
    let platform = control_plane().await;
    let at = format!("{}/v2/serverless", platform.base_url());
    let created = call(Method::POST, &at, Some(&program(Role::Echo, "QUEUE"))).await.body;
    let id = created["id"].as_str().unwrap();
    let worker = ready(&platform, 1).await.remove(0);
    let url = format!("{at}/{id}/workers/{}/logs", worker.id);
    let mut first = Stream::open(&format!("{url}?tail=5000"), None).await;
    let start = first
        .until(|event| event.data["source"] == "system" && event.data["line"] == "worker is ready")
        .await;
    // What is written from now on comes too.
    let run = created["requestUrls"]["runSync"].as_str().unwrap();
    let job = ok(call(Method::POST, run, Some(&json!({"input": 1}))).await);
    let line = format!("took {}", job["id"]);
    let took = first.until(|event| event.data["line"] == *line && event.data["source"] == "container").await;
    assert_eq!(took.data["ts"].as_str().unwrap().len(), "2026-01-01T00:00:00.000Z".len());
    // Whoever comes back goes on behind the last line, and may leave out one source.
    let mut again = Stream::open(&format!("{url}?source=container"), Some(&start.id)).await;
    let next = again.next().await;
    assert_eq!((next.id, &next.data["line"]), (took.id, &json!(line)));
    let mut none = Stream::open(&format!("{url}?tail=0&source=system"), None).await;
    platform.stop_worker(&worker.id).await.unwrap();
    assert_eq!(none.next().await.data["source"], "system");
    for (query, status) in [("tail=x", 422), ("tail=5001", 422), ("source=x", 422), ("since=x", 422)] {
        assert_eq!(call(Method::GET, &format!("{url}?{query}"), None).await.status, status, "{query}");
    }
    let other = call(Method::GET, &format!("{at}/{id}/workers/other/logs"), None).await;
    assert_eq!((other.status, &other.body["detail"]), (404, &json!("worker not found")));
}

pub(crate) struct Event {
    id: String,
    pub(crate) data: Value,
}

pub(crate) struct Stream {
    body: hyper::body::Incoming,
    text: String,
}

impl Stream {
    pub(crate) async fn open(url: &str, cursor: Option<&str>) -> Self {
        let mut request = Request::get(url).header("authorization", KEY);
        if let Some(cursor) = cursor {
            request = request.header("last-event-id", cursor);
        }
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        assert_eq!(
            (&response.headers()["cache-control"], &response.headers()["x-accel-buffering"]),
            (&"no-cache".parse().unwrap(), &"no".parse().unwrap())
        );
        assert_eq!(response.headers()["connection"], "keep-alive");
        Self { body: response.into_body(), text: String::new() }
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let found = field("data: ").map(|data| (field("id: ").unwrap().to_owned(), data.to_owned()));
                self.text = rest.to_owned();
                if let Some((id, data)) = found {
                    return Event { id, data: serde_json::from_str(&data).unwrap() };
                }
                continue;
            }
            let frame = self.body.frame().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    pub(crate) async fn until(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await;
            if what(&event) {
                return event;
            }
        }
    }
}
