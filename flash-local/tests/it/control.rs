//! The control plane over its wire: GraphQL as RunPod's clients send it, artifacts, and what runs after it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use flash_bootstrap::{Contents, Limits as PackLimits, Packed, WORKER_PROTOCOL, pack};
use flash_core::clock::TestClock;
use flash_local::{LocalPlatform, Signal, WorkerInfo, WorkerState};
use serde_json::{Value, json};

use crate::rest::Stream;
use crate::scripted::{ROLE, Role};
use crate::support::{Answer, alive, ok, poll, quick, ready, send};

pub(crate) const KEY: &str = "test-key-not-a-secret";

pub(crate) async fn control_plane() -> LocalPlatform {
    LocalPlatform::builder().limits(quick()).api_key(KEY).control_plane(true).start().await.unwrap()
}

/// Sends a request with the key.
pub(crate) async fn call(method: Method, url: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder().method(method).uri(url).header("authorization", format!("Bearer {KEY}"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    send(request.header("content-type", "application/json").body(body).unwrap()).await
}

/// Runs an operation and answers its `data`.
pub(crate) async fn graphql(platform: &LocalPlatform, query: &str, variables: Value) -> Value {
    let answer = ask(platform, query, variables).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].clone()
}

async fn ask(platform: &LocalPlatform, query: &str, variables: Value) -> Value {
    let url = format!("{}/graphql", platform.base_url());
    ok(call(Method::POST, &url, Some(&json!({"query": query, "variables": variables}))).await)
}

/// An app whose binary starts this test binary as a worker: small, so that tests do not spend their time on packing.
pub(crate) fn artifact(dir: &Path, content: &str) -> (Vec<u8>, Packed) {
    let script = dir.join("worker.sh");
    std::fs::write(&script, format!("# {content}\nCONTENT={content}\nexport CONTENT\nexec \"$SCRIPTED_EXE\" --ignored --exact scripted::play --nocapture --test-threads=1\n")).unwrap();
    let contents = Contents {
        manifest: b"{}".to_vec(),
        binary: std::fs::canonicalize("/bin/sh").unwrap(),
        triple: format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
        worker_protocol: WORKER_PROTOCOL,
        assets: vec![flash_bootstrap::Asset { path: "worker.sh".to_owned(), file: script }],
    };
    let mut bytes = Vec::new();
    let packed = pack(&contents, &mut bytes, &PackLimits::default()).unwrap();
    (bytes, packed)
}

pub(crate) async fn create_app(platform: &LocalPlatform, name: &str) -> (String, String) {
    let create =
        "mutation createFlashApp($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }";
    let app =
        graphql(platform, create, json!({"input": {"name": name}})).await["createFlashApp"]["id"].clone();
    let create = "mutation createFlashEnvironment($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }";
    let input = json!({"input": {"flashAppId": app, "name": "production"}});
    let environment = graphql(platform, create, input).await["createFlashEnvironment"]["id"].clone();
    (app.as_str().unwrap().to_owned(), environment.as_str().unwrap().to_owned())
}

const PREPARE: &str = "mutation PrepareArtifactUpload($input: PrepareFlashArtifactUploadInput!) { prepareFlashArtifactUpload(input: $input) { uploadUrl objectKey expiresAt } }";
const FINALIZE: &str = "mutation FinalizeArtifactUpload($input: FinalizeFlashArtifactUploadInput!) { finalizeFlashArtifactUpload(input: $input) { id manifest } }";
const ACTIVATE: &str = "mutation deployBuildToEnvironment($input: DeployBuildToEnvironmentInput!) { deployBuildToEnvironment(input: $input) { id name activeArtifact { objectKey downloadUrl expiresAt } } }";
const SAVE: &str = "mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { aiKey gpuIds id idleTimeout locations name networkVolumeId networkVolumeIds { networkVolumeId dataCenterId } flashEnvironmentId scalerType scalerValue templateId type userId version workersMax workersMin workersStandby workersPFBTarget gpuCount allowedCudaVersions minCudaVersion executionTimeoutMs instanceIds activeBuildid idePodId flashBootType } }";

pub(crate) async fn upload(platform: &LocalPlatform, app: &str, bytes: &[u8], manifest: Value) -> String {
    let input = json!({"input": {"flashAppId": app, "tarballSize": bytes.len()}});
    let ticket = graphql(platform, PREPARE, input).await["prepareFlashArtifactUpload"].clone();
    // The address is all the permission that is needed.
    let put = Request::put(ticket["uploadUrl"].as_str().unwrap()).header("content-type", "application/gzip");
    assert_eq!(send(put.body(Body::from(bytes.to_vec())).unwrap()).await.status, 200);
    let input = json!({"input": {"flashAppId": app, "objectKey": ticket["objectKey"], "manifest": manifest}});
    let build = graphql(platform, FINALIZE, input).await["finalizeFlashArtifactUpload"].clone();
    assert_eq!(build["manifest"], manifest);
    build["id"].as_str().unwrap().to_owned()
}

async fn activate(platform: &LocalPlatform, environment: &str, build: &str) -> Value {
    let input = json!({"input": {"flashEnvironmentId": environment, "flashBuildId": build}});
    graphql(platform, ACTIVATE, input).await["deployBuildToEnvironment"].clone()
}

/// The variables with which `role` is played, besides those that a deployer sets.
pub(crate) fn env(role: Role, extra: &[(&str, &str)]) -> Vec<Value> {
    let exe = std::env::current_exe().unwrap().display().to_string();
    let mut env =
        BTreeMap::from([(ROLE, role.name()), ("SCRIPTED_EXE", exe.as_str()), ("FLASH_RESOURCE_NAME", "gpu")]);
    env.extend(extra.iter().copied());
    env.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn endpoint(environment: &str, env: &[Value]) -> Value {
    json!({
        "name": "demo-production-gpu", "type": "QB", "gpuIds": "ADA_24", "gpuCount": 1, "workersMin": 1, "workersMax": 2,
        "scalerType": "QUEUE_DELAY", "scalerValue": 4, "idleTimeout": 60, "executionTimeoutMs": 0,
        "flashBootType": "FLASHBOOT", "flashEnvironmentId": environment,
        "template": {
            "name": "demo-production-gpu__1", "imageName": "flash:latest", "containerDiskInGb": 64, "dockerArgs": "worker.sh",
            "env": env, "ports": "", "startScript": "", "advancedStart": false, "config": {}, "containerRegistryAuthId": "",
        },
    })
}

async fn run(platform: &LocalPlatform, id: &str, input: Value) -> Value {
    let url = format!("{}/v2/{id}/runsync", platform.base_url());
    let job = ok(call(Method::POST, &url, Some(&json!({ "input": input }))).await);
    assert_eq!(job["status"], "COMPLETED", "{job}");
    job
}

#[tokio::test]
async fn a_deployment_from_nothing_to_a_running_release_and_its_successors() {
    let dir = tempfile::tempdir().unwrap();
    let platform = control_plane().await;
    let (app, environment) = create_app(&platform, "demo").await;
    let (bytes, packed) = artifact(dir.path(), "one");

    // Provisioning comes before activation, as `flash deploy` does it: what runs must not be another build.
    let sha = [("FLASH_ARTIFACT_SHA256", packed.sha256.as_str())];
    let saved =
        graphql(&platform, SAVE, json!({"input": endpoint(&environment, &env(Role::Environment, &sha))}))
            .await;
    let saved = &saved["saveEndpoint"];
    let id = saved["id"].as_str().unwrap();
    assert_eq!(
        (&saved["scalerValue"], &saved["version"], &saved["type"]),
        (&json!(4), &json!(1), &json!("QB"))
    );
    assert_eq!(saved["activeBuildid"], Value::Null);
    assert!(alive(&platform.workers()).is_empty(), "there is nothing to run");

    let build = upload(&platform, &app, &bytes, json!({"version": "1.0", "resources": {}})).await;
    let activated = activate(&platform, &environment, &build).await;
    let artifact_of = &activated["activeArtifact"];
    let download =
        send(Request::get(artifact_of["downloadUrl"].as_str().unwrap()).body(Body::empty()).unwrap()).await;
    assert_eq!(
        (download.status, download.headers["content-length"].to_str().unwrap()),
        (200, bytes.len().to_string().as_str())
    );

    // Its workers find what the contract says, and no key that nobody gave them.
    let seen = run(&platform, id, json!(1)).await["output"].clone();
    let base = platform.base_url();
    for (name, value) in [
        ("CONTENT", "one".to_owned()),
        ("FLASH_RESOURCE_NAME", "gpu".to_owned()),
        ("FLASH_ENDPOINT_TYPE", "qb".to_owned()),
        ("RUNPOD_ENDPOINT_ID", id.to_owned()),
        ("RUNPOD_API_BASE_URL", base.clone()),
        ("RUNPOD_ENDPOINT_BASE_URL", format!("{base}/v2")),
        ("RUNPOD_WEBHOOK_GET_JOB", format!("{base}/v2/{id}/job-take/$ID?gpu=ADA_24")),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    assert!(seen.get("RUNPOD_API_KEY").is_none() && seen.get("FLASH_RESOURCES_ENDPOINTS").is_none());

    // The gateway finds it by name.
    let through = Request::post(format!("{base}/v2/flash/runsync"))
        .header("authorization", format!("Bearer {KEY}"))
        .header("x-flash-app", "demo")
        .header("x-flash-environment", "production")
        .header("x-flash-endpoint", "gpu");
    let job = ok(send(through.body(Body::from(r#"{"input":2}"#)).unwrap()).await);
    assert_eq!((&job["status"], &job["output"]["CONTENT"]), (&json!("COMPLETED"), &json!("one")));
    let missing = Request::post(format!("{base}/v2/flash/runsync"))
        .header("authorization", KEY)
        .header("x-flash-app", "demo")
        .header("x-flash-environment", "staging")
        .header("x-flash-endpoint", "gpu");
    assert_eq!(send(missing.body(Body::from("{}")).unwrap()).await.status, 404);
    let stranger = Request::post(format!("{base}/v2/flash/runsync")).body(Body::from("{}")).unwrap();
    assert_eq!(send(stranger).await.status, 401);

    // Another environment rolls the workers; the one that is there has finished by then.
    let first = ready(&platform, 1).await.remove(0);
    let template = saved["templateId"].as_str().unwrap();
    let more = [sha[0], ("SETTING", "2"), ("RUNPOD_API_KEY", "given")];
    let update = "mutation saveTemplate($input: SaveTemplateInput) { saveTemplate(input: $input) { id name env { key value } } }";
    let input = json!({"input": {"id": template, "name": "demo-production-gpu__1", "imageName": "flash:latest",
        "containerDiskInGb": 64, "dockerArgs": "worker.sh", "env": env(Role::Environment, &more), "readme": "", "volumeInGb": 0}});
    graphql(&platform, update, input).await;
    platform
        .until_workers(|all| {
            let living = alive(all);
            living.len() == 1 && living[0].version == 3 && living[0].state == WorkerState::Ready
        })
        .await;
    let seen = run(&platform, id, json!(3)).await["output"].clone();
    assert_eq!((&seen["SETTING"], &seen["RUNPOD_API_KEY"]), (&json!("2"), &json!("given")));
    assert!(platform.workers().iter().any(|one| one.id == first.id && !one.state.is_alive()));

    // Scaling is no release; a code-only change is one, and waits for its build.
    let (bytes, packed) = artifact(dir.path(), "two");
    let more = [("FLASH_ARTIFACT_SHA256", packed.sha256.as_str())];
    let mut changed = endpoint(&environment, &env(Role::Environment, &more));
    changed["id"] = json!(id);
    changed["workersMax"] = json!(3);
    let version =
        graphql(&platform, SAVE, json!({"input": changed})).await["saveEndpoint"]["version"].clone();
    assert_eq!(version, 4);
    assert_eq!(run(&platform, id, json!(4)).await["output"]["CONTENT"], "one", "the new build is not active");
    let build = upload(&platform, &app, &bytes, json!({})).await;
    activate(&platform, &environment, &build).await;
    platform
        .until_workers(|all| alive(all).iter().all(|one| one.version == 5 && one.state == WorkerState::Ready))
        .await;
    assert_eq!(run(&platform, id, json!(5)).await["output"]["CONTENT"], "two");

    // The history says which variable changed and never to what.
    let releases = ok(call(Method::GET, &format!("{base}/v2/serverless/{id}/releases"), None).await);
    let fields = |at: usize| {
        let diff = releases["releases"][at]["diff"].as_array().unwrap();
        diff.iter().map(|change| change["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (fields(0), fields(1), fields(2)),
        (vec!["flashBuildId".to_owned()], vec!["template.env".to_owned()], vec!["template.env".to_owned()])
    );
    assert!(!releases.to_string().contains("given"), "{releases}");
    assert_eq!(
        (&releases["endpointVersion"], &releases["rollout"]["percentOnLatest"]),
        (&json!(5), &json!(100))
    );

    // An environment with endpoints stays; without them it goes.
    let delete =
        "mutation deleteFlashEnvironment($id: String!) { deleteFlashEnvironment(flashEnvironmentId: $id) }";
    let refused = ask(&platform, delete, json!({"id": environment})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("still has endpoint"), "{refused}");
    let deleted = graphql(
        &platform,
        "mutation deleteEndpoint($id: String!) { deleteEndpoint(id: $id) }",
        json!({"id": id}),
    )
    .await;
    assert_eq!(deleted, json!({"deleteEndpoint": null}));
    platform.until_workers(|all| alive(all).is_empty()).await;
    assert_eq!(call(Method::GET, &format!("{base}/v2/{id}/health"), None).await.status, 404);
    graphql(&platform, delete, json!({"id": environment})).await;
    graphql(
        &platform,
        "mutation deleteFlashApp($id: String!) { deleteFlashApp(flashAppId: $id) }",
        json!({"id": app}),
    )
    .await;
    assert_eq!(
        graphql(&platform, "{ myself { flashApps { id } endpoints { id } } }", json!({})).await["myself"],
        json!({"flashApps": [], "endpoints": []})
    );
    platform.shutdown().await;
}

/// Every order of four steps.
fn orders() -> Vec<[usize; 4]> {
    let digits = (0..256).map(|at| [at / 64, at / 16 % 4, at / 4 % 4, at % 4]);
    digits.filter(|order| (0..4).all(|step| order.contains(&step))).collect()
}

/// In whatever order two deployments are provisioned and activated, a worker runs the build that its endpoint names.
#[tokio::test]
async fn no_order_of_provisioning_and_activation_lets_another_build_run() {
    let dir = tempfile::tempdir().unwrap();
    let platform = control_plane().await;
    let artifacts = ["one", "two"].map(|content| artifact(dir.path(), content));
    for (at, order) in orders().into_iter().enumerate() {
        let (app, environment) = create_app(&platform, &format!("demo{at}")).await;
        let mut builds = Vec::new();
        for (bytes, _) in &artifacts {
            builds.push(upload(&platform, &app, bytes, json!({})).await);
        }
        let (mut id, mut wanted, mut active) = (Value::Null, None, None);
        for step in order {
            let which = step % 2;
            if step < 2 {
                let sha = [("FLASH_ARTIFACT_SHA256", artifacts[which].1.sha256.as_str())];
                let mut input = endpoint(&environment, &env(Role::Environment, &sha));
                input["name"] = json!(format!("demo{at}"));
                if id.is_string() {
                    input["id"] = id.clone();
                }
                id = graphql(&platform, SAVE, json!({"input": input})).await["saveEndpoint"]["id"].clone();
                wanted = Some(which);
            } else {
                activate(&platform, &environment, &builds[which]).await;
                active = Some(which);
            }
            let Some(id) = id.as_str() else { continue };
            if wanted == active {
                // Both say the same: that is what runs in the end.
                let content = ["one", "two"][wanted.unwrap()];
                let version =
                    call(Method::GET, &format!("{}/v2/serverless/{id}/releases", platform.base_url()), None)
                        .await;
                let version = version.body["endpointVersion"].as_u64().unwrap();
                platform
                    .until_workers(|all| {
                        let of_it: Vec<_> =
                            alive(all).into_iter().filter(|one| one.endpoint.as_str() == id).collect();
                        let is_there = |one: &WorkerInfo| {
                            u64::from(one.version) == version && one.state == WorkerState::Ready
                        };
                        !of_it.is_empty() && of_it.iter().all(is_there)
                    })
                    .await;
                assert_eq!(run(&platform, id, json!(1)).await["output"]["CONTENT"], content, "{order:?}");
            }
            for worker in platform.workers() {
                let Ok(environ) = std::fs::read(format!("/proc/{}/environ", worker.pid)) else { continue };
                let environ = String::from_utf8_lossy(&environ).into_owned();
                let variable = |name: &str| {
                    environ.split('\0').find_map(|pair| pair.strip_prefix(name)).map(ToOwned::to_owned)
                };
                // The script that sets this one may not have run yet.
                let (Some(sha), Some(content)) = (variable("FLASH_ARTIFACT_SHA256="), variable("CONTENT="))
                else {
                    continue;
                };
                let runs = artifacts.iter().position(|(_, packed)| packed.sha256 == sha).unwrap();
                assert_eq!(content, ["one", "two"][runs], "{order:?}");
            }
        }
        let delete = "mutation deleteEndpoint($id: String!) { deleteEndpoint(id: $id) }";
        graphql(&platform, delete, json!({"id": id})).await;
    }
    platform.shutdown().await;
}

#[tokio::test]
async fn state_and_jobs_outlive_the_platform() {
    let (dir, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let start = async || {
        let builder = LocalPlatform::builder().limits(quick()).api_key(KEY).control_plane(true);
        builder.data_dir(dir.path()).start().await.unwrap()
    };
    let platform = start().await;
    let (app, environment) = create_app(&platform, "demo").await;
    let (bytes, _) = artifact(files.path(), "one");
    let build = upload(&platform, &app, &bytes, json!({"resources": {"gpu": {}}})).await;
    activate(&platform, &environment, &build).await;
    let volumes = format!("{}/v2/network-volumes", platform.base_url());
    let volume =
        call(Method::POST, &volumes, Some(&json!({"name": "data", "size": 10, "dataCenter": "EU-RO-1"})))
            .await;
    assert_eq!(volume.status, 201);
    let mut input = endpoint(&environment, &env(Role::Volume, &[]));
    input["networkVolumeId"] = volume.body["id"].clone();
    let id = graphql(&platform, SAVE, json!({"input": input})).await["saveEndpoint"]["id"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(run(&platform, id, json!("a")).await["output"], "");
    let done =
        ok(call(Method::POST, &format!("{}/v2/{id}/run", platform.base_url()), Some(&json!({"input": "b"})))
            .await);
    let status = |platform: &LocalPlatform| {
        format!("{}/v2/{id}/status/{}", platform.base_url(), done["id"].as_str().unwrap())
    };
    poll("the job", async || {
        (ok(call(Method::GET, &status(&platform), None).await)["status"] == "COMPLETED").then_some(())
    })
    .await;
    let earlier = alive(&platform.workers()).remove(0).id;
    platform.shutdown().await;

    let platform = start().await;
    let query = "query q($name: String!) { flashAppByName(flashAppName: $name) { id flashEnvironments { id name state activeBuildId endpoints { id name } networkVolumes { id name } } flashBuilds { id objectKey createdAt manifest } } }";
    let found = graphql(&platform, query, json!({"name": "demo"})).await["flashAppByName"].clone();
    let environment_of = &found["flashEnvironments"][0];
    assert_eq!(
        (&environment_of["activeBuildId"], &environment_of["state"]),
        (&json!(build), &json!("ACTIVE"))
    );
    assert_eq!(environment_of["endpoints"], json!([{"id": id, "name": "demo-production-gpu"}]));
    assert_eq!(environment_of["networkVolumes"][0]["name"], "data");
    assert_eq!(found["flashBuilds"][0]["manifest"], json!({"resources": {"gpu": {}}}));
    assert_eq!(ok(call(Method::GET, &status(&platform), None).await)["output"], "\"a\"");
    // The endpoint runs again, on the same volume.
    assert_eq!(run(&platform, id, json!("c")).await["output"], "\"a\"\"b\"");
    // And what the earlier worker wrote is there.
    let logs = format!("{}/v2/serverless/{id}/workers/{earlier}/logs", platform.base_url());
    let mut logs = Stream::open(&format!("{logs}?source=system"), None).await;
    logs.until(|event| event.data["line"] == "worker is ready").await;
    logs.until(|event| event.data["line"].as_str().unwrap().starts_with("worker ended: ")).await;
    platform.shutdown().await;
}

#[tokio::test]
async fn http_routes_are_found_by_the_names_of_their_app() {
    let files = tempfile::tempdir().unwrap();
    let platform = control_plane().await;
    let (app, environment) = create_app(&platform, "demo").await;
    let (bytes, _) = artifact(files.path(), "one");
    let build = upload(&platform, &app, &bytes, json!({})).await;
    activate(&platform, &environment, &build).await;
    let mut input = endpoint(&environment, &env(Role::Http, &[("FLASH_RESOURCE_NAME", "api")]));
    (input["type"], input["scalerType"]) = (json!("LB"), json!("REQUEST_COUNT"));
    let id = graphql(&platform, SAVE, json!({"input": input})).await["saveEndpoint"]["id"].clone();

    let base = platform.base_url();
    let through = async |method: Method, path: &str, names: [&str; 3], key: &str| {
        let mut request = Request::builder().method(method).uri(format!("{base}/lb/flash{path}"));
        for (header, name) in
            ["x-flash-app", "x-flash-environment", "x-flash-endpoint"].into_iter().zip(names)
        {
            request = request.header(header, name);
        }
        send(request.header("authorization", format!("Bearer {key}")).body(Body::from("\"hello\"")).unwrap())
            .await
    };
    let names = ["demo", "production", "api"];
    // Any method, any path below, query and body as they were sent.
    let shown = ok(through(Method::PATCH, "/show/a%20b/c?x=1&x=2", names, KEY).await);
    assert_eq!(shown["target"], "/show/a%20b/c?x=1&x=2");
    assert_eq!(shown["headers"]["x-flash-endpoint"], "api");
    assert_eq!(ok(through(Method::POST, "/echo", names, KEY).await), "hello");
    // The same worker as at the endpoint's own address.
    let own = call(Method::GET, &format!("{base}/lb/{}/show/x", id.as_str().unwrap()), None).await;
    let named = through(Method::GET, "/show/x", names, KEY).await;
    assert_eq!(own.headers["x-runpod-worker-id"], named.headers["x-runpod-worker-id"]);

    for names in [["other", "production", "api"], ["demo", "staging", "api"], ["demo", "production", "gpu"]] {
        assert_eq!(through(Method::GET, "/show/x", names, KEY).await.status, 404, "{names:?}");
    }
    let without = Request::get(format!("{base}/lb/flash/show/x")).header("authorization", KEY);
    assert_eq!(send(without.body(Body::empty()).unwrap()).await.status, 404, "nothing is named");
    assert_eq!(through(Method::GET, "/show/x", names, "wrong").await.status, 401);
    // By the names of an HTTP endpoint there is no queue.
    let queue = Request::post(format!("{base}/v2/flash/runsync"))
        .header("authorization", KEY)
        .header("x-flash-app", "demo")
        .header("x-flash-environment", "production")
        .header("x-flash-endpoint", "api");
    assert_eq!(send(queue.body(Body::from(r#"{"input":1}"#)).unwrap()).await.status, 404);
    platform.shutdown().await;
}

#[tokio::test]
async fn apps_of_releases_that_have_gone_are_removed() {
    let (dir, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let builder = LocalPlatform::builder().limits(quick()).api_key(KEY).control_plane(true);
    let platform = builder.data_dir(dir.path()).start().await.unwrap();
    let (app, environment) = create_app(&platform, "demo").await;
    let unpacked = || {
        let found = std::fs::read_dir(dir.path().join("apps")).into_iter().flatten().flatten();
        let mut names: Vec<_> = found.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names
    };
    let kept = || std::fs::read_dir(dir.path().join("artifacts").join(&app)).unwrap().count();
    let deploy = async |content: &str| {
        let (bytes, packed) = artifact(files.path(), content);
        let build = upload(&platform, &app, &bytes, json!({})).await;
        activate(&platform, &environment, &build).await;
        packed.sha256
    };
    let one = deploy("one").await;
    let saved =
        graphql(&platform, SAVE, json!({"input": endpoint(&environment, &env(Role::Hold, &[]))})).await;
    let id = saved["saveEndpoint"]["id"].as_str().unwrap().to_owned();
    let old = ready(&platform, 1).await.remove(0);
    assert_eq!(unpacked(), std::slice::from_ref(&one));

    // The old release has a job that does not end: it is there until its worker is gone.
    let url = format!("{}/v2/{id}", platform.base_url());
    let job = ok(call(Method::POST, &format!("{url}/run"), Some(&json!({"input": 1}))).await);
    let job = job["id"].as_str().unwrap();
    poll("the job", async || {
        let job = ok(call(Method::GET, &format!("{url}/status/{job}"), None).await);
        (job["status"] == "IN_PROGRESS").then_some(())
    })
    .await;
    let two = deploy("two").await;
    platform
        .until_workers(|all| {
            alive(all).iter().any(|one| one.version > old.version && one.state == WorkerState::Ready)
        })
        .await;
    let mut both = [one, two.clone()];
    let mut found = unpacked();
    both.sort();
    found.sort();
    assert_eq!(found, both);
    std::fs::write(dir.path().join("artifacts").join(&app).join("left.tar.gz"), "never finalized").unwrap();
    assert_eq!(kept(), 3);
    platform.kill_worker(&old.id, Signal::Kill).unwrap();
    poll("the old release to go", async || (unpacked() == std::slice::from_ref(&two)).then_some(())).await;
    assert_eq!(kept(), 2, "each build can be activated again");
    platform.shutdown().await;
}

#[tokio::test]
async fn uploads_are_believed_nothing() {
    let clock = TestClock::new();
    let builder =
        LocalPlatform::builder().limits(quick()).clock(clock.clock()).api_key(KEY).control_plane(true);
    let platform = builder.start().await.unwrap();
    let (app, _) = create_app(&platform, "demo").await;
    let prepare = async |size: usize| {
        let input = json!({"input": {"flashAppId": app, "tarballSize": size}});
        graphql(&platform, PREPARE, input).await["prepareFlashArtifactUpload"].clone()
    };
    let put = async |url: &str, body: &'static [u8]| {
        send(Request::put(url).body(Body::from(body)).unwrap()).await.status
    };
    let finalize = async |key: &Value| {
        let input = json!({"input": {"flashAppId": app, "objectKey": key, "manifest": {}}});
        ask(&platform, FINALIZE, input).await["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    };
    let ticket = prepare(4).await;
    let (url, key) = (ticket["uploadUrl"].as_str().unwrap(), &ticket["objectKey"]);
    assert!(finalize(key).await.contains("was not uploaded"));
    assert_eq!(put(url, b"12345").await, 400, "more than was announced");
    assert_eq!(put(url, b"123").await, 400, "less than was announced");
    assert_eq!(put(&url.replace("size=4", "size=5"), b"12345").await, 403, "another size was signed");
    assert_eq!(put(&url.replace(".tar.gz", "x.tar.gz"), b"1234").await, 403, "another key was signed");
    assert_eq!(put(url.split('?').next().unwrap(), b"1234").await, 403);
    assert_eq!(put(&url.replace("/artifacts/", "/artifacts/..%2f"), b"1234").await, 403);
    assert_eq!(
        send(Request::get(url).body(Body::empty()).unwrap()).await.status,
        403,
        "it is good for PUT only"
    );
    assert_eq!(put(url, b"1234").await, 200);
    assert!(finalize(key).await.contains("not a gzip file"));
    clock.advance(Duration::from_secs(15 * 60)).await;
    assert_eq!(put(url, b"\x1f\x8b34").await, 403, "it has expired");
    let ticket = prepare(4).await;
    assert_eq!(put(ticket["uploadUrl"].as_str().unwrap(), b"\x1f\x8b34").await, 200);
    assert_eq!(finalize(&ticket["objectKey"]).await, "");
    assert_eq!(finalize(&ticket["objectKey"]).await, "upload not found", "it is a build now");
    for size in [json!(0), json!(2_000_000_000), json!(1.5), json!(-1)] {
        let refused =
            ask(&platform, PREPARE, json!({"input": {"flashAppId": app, "tarballSize": size}})).await;
        assert!(refused["errors"][0]["message"].is_string(), "{size}: {refused}");
    }
}

#[tokio::test]
async fn nobody_is_served_without_a_key_and_errors_have_the_texts_that_clients_look_for() {
    let platform = control_plane().await;
    let url = format!("{}/graphql", platform.base_url());
    let query = json!({"query": "{ myself { id } }"}).to_string();
    let with = async |url: &str, key: Option<&str>| {
        let mut request = Request::post(url);
        if let Some(key) = key {
            request = request.header("authorization", key);
        }
        send(request.body(Body::from(query.clone())).unwrap()).await.status
    };
    assert_eq!(with(&url, None).await, 401);
    assert_eq!(with(&url, Some("Bearer wrong")).await, 401);
    assert_eq!(with(&url, Some(&format!("Bearer {KEY}"))).await, 200);
    assert_eq!(with(&url, Some(KEY)).await, 200);
    assert_eq!(with(&format!("{url}?api_key={KEY}"), None).await, 200);
    assert_eq!(with(&format!("{url}?api_key=wrong"), None).await, 401);
    let message = async |query: &str| {
        ask(&platform, query, json!({})).await["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(r#"{ flashAppByName(flashAppName: "x") { id } }"#).await, "app not found");
    assert_eq!(
        message(r#"{ flashEnvironment(flashEnvironmentId: "x") { id } }"#).await,
        "environment not found"
    );
    assert_eq!(message(r#"{ flashBuild(flashBuildId: "x") { id } }"#).await, "build not found");
    assert_eq!(message(r#"{ podTemplate(id: "x") { id } }"#).await, "template not found");
    assert_eq!(message(r#"mutation { deleteEndpoint(id: "x") }"#).await, "endpoint not found");
    assert!(message("{ nonsense }").await.contains("nonsense"));
    assert!(
        message(&format!(
            "{{ myself {} }}",
            "{ flashApps { flashEnvironments { endpoints { template ".repeat(8)
        ))
        .await
        .len()
            > 3
    );
    let exists = graphql(
        &platform,
        "query q($id: String!) { myself { endpoint(id: $id) { id } } }",
        json!({"id": "x"}),
    )
    .await;
    assert_eq!(exists, json!({"myself": {"endpoint": null}}));
    // Everything that is wrong with an endpoint is said at once, and nothing of it is kept.
    let bad = json!({"input": {"name": "x", "type": "LB", "scalerType": "QUEUE_DELAY", "workersMin": 3, "workersMax": 1,
        "gpuIds": "ADA_24", "instanceIds": ["cpu3c-1-2"], "template": {"imageName": "i"}, "idleTimeout": 9999}});
    let refused = ask(&platform, SAVE, bad).await["errors"][0]["message"].as_str().unwrap().to_owned();
    for problem in
        ["workersMin 3 is over", "idleTimeout 9999", "either GPUs or CPU", "scales by REQUEST_COUNT"]
    {
        assert!(refused.contains(problem), "{refused}");
    }
    assert_eq!(
        graphql(&platform, "{ myself { endpoints { id } } }", json!({})).await["myself"]["endpoints"],
        json!([])
    );
}

#[tokio::test]
async fn a_platform_without_a_key_makes_one_for_its_control_plane() {
    let platform = LocalPlatform::builder().control_plane(true).start().await.unwrap();
    let key = platform.api_key().unwrap().to_owned();
    let url = format!("{}/v2/serverless", platform.base_url());
    let with = async |key: &str| {
        let request = Request::get(&url).header("authorization", format!("Bearer {key}")).body(Body::empty());
        send(request.unwrap()).await.status
    };
    assert_eq!((with("").await, with(&key).await), (401, 200));
    assert!(platform.base_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn a_command_line_asks_for_a_key() {
    let platform = control_plane().await;
    let url = format!("{}/graphql", platform.base_url());
    let anonymous = async |query: &str| {
        let body = Body::from(json!({ "query": query }).to_string());
        ok(send(Request::post(&url).body(body).unwrap()).await)["data"].clone()
    };
    let asked = anonymous("mutation { createFlashAuthRequest { id status expiresAt } }").await;
    let id = asked["createFlashAuthRequest"]["id"].as_str().unwrap().to_owned();
    let status = format!("{{ flashAuthRequestStatus(flashAuthRequestId: \"{id}\") {{ status apiKey }} }}");
    assert_eq!(
        anonymous(&status).await["flashAuthRequestStatus"],
        json!({"status": "PENDING", "apiKey": null})
    );
    let page = format!("{}/flash/login", platform.base_url());
    assert_eq!(crate::support::get(&format!("{page}?request={id}")).await.status, 200);
    let approve = async |key: &str| {
        let form = Request::post(&page).header("content-type", "application/x-www-form-urlencoded");
        send(form.body(Body::from(format!("request={id}&key={key}"))).unwrap()).await.status
    };
    assert_eq!((approve("wrong").await, approve(KEY).await, approve(KEY).await), (401, 200, 404));
    assert_eq!(
        anonymous(&status).await["flashAuthRequestStatus"],
        json!({"status": "APPROVED", "apiKey": KEY})
    );
    assert_eq!(
        anonymous(&status).await["flashAuthRequestStatus"],
        json!({"status": "CONSUMED", "apiKey": null})
    );
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/control-plane.graphql");
    let served = flash_local::sdl();
    if std::env::var_os("FLASH_UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == served,
        "schemas/control-plane.graphql is not up to date\nhelp: FLASH_UPDATE_SCHEMA=1 cargo test -p flash-local the_committed_schema"
    );
}
