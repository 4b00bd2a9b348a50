//! Stateful workers: an instance for each choice of constructor arguments, shared by all jobs.

use std::future::IntoFuture;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use flash::testing::Mock;
use flash::{App, CallError, Endpoint, Error, Registry, Scope, remote};
use tokio::sync::Barrier;

static CPU: Endpoint = Endpoint::queue("classes-cpu");
static ONE: Endpoint = Endpoint::queue("classes-one");
static API: Endpoint = Endpoint::http("classes-api");

/// What happened to instances, by their names; each test has names of its own.
static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn events(of: &str) -> Vec<String> {
    let events = EVENTS.lock().expect("no test panics while it holds this");
    events.iter().filter(|event| event.starts_with(of)).cloned().collect()
}

fn tell(event: String) {
    EVENTS.lock().expect("no test panics while it holds this").push(event);
}

/// Counts, from a start.
pub(crate) struct Counter {
    name: String,
    count: AtomicU32,
}

#[remote(resource = CPU)]
impl Counter {
    /// Begins at `start`.
    #[remote(init)]
    pub(crate) async fn start(
        #[remote(default = "default".to_owned())] name: String,
        #[remote(default)] start: u32,
    ) -> Result<Self, Error> {
        tell(format!("{name}: init"));
        tokio::task::yield_now().await;
        if name == "bad" {
            return Err(Error::new("bad_name", "there is no counter of this name"));
        }
        Ok(Self { name, count: AtomicU32::new(start) })
    }

    /// Adds.
    #[remote]
    pub(crate) async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.count.fetch_add(by, Relaxed) + by)
    }

    /// Blocks a thread, and has another name for callers.
    #[remote(name = "name-of")]
    pub(crate) fn name(&self) -> Result<String, Error> {
        Ok(self.helper().to_owned())
    }

    #[remote(exit)]
    async fn close(&self) {
        tell(format!("{}: exit at {}", self.name, self.count.load(Relaxed)));
    }

    fn helper(&self) -> &str {
        &self.name
    }
}

/// A worker with one method and without arguments.
pub(crate) struct Single;

#[remote(resource = ONE, handle = OneClient)]
impl Single {
    #[remote(init)]
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self)
    }

    #[remote]
    pub(crate) async fn twice(&self, method: String) -> Result<String, Error> {
        Ok(method.repeat(2))
    }
}

/// A worker of an HTTP endpoint.
pub(crate) struct Shared(AtomicU32);

#[remote(resource = API)]
impl Shared {
    #[remote(init)]
    pub(crate) async fn new(#[remote(default = 40)] start: u32) -> Result<Self, Error> {
        Ok(Self(AtomicU32::new(start)))
    }

    #[remote(method = "POST", path = "/next/{by}", status = 201)]
    pub(crate) async fn next(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0.fetch_add(by, Relaxed) + by)
    }

    #[remote(method = "GET", path = "/last")]
    pub(crate) async fn last(&self) -> Result<u32, Error> {
        Ok(self.0.load(Relaxed))
    }
}

#[remote(resource = API, method = "POST", path = "/count")]
async fn count_through(by: u32) -> Result<u32, Error> {
    Ok(Counter::remote("through".to_owned(), 0).add(by).await?)
}

#[remote(resource = API, method = "POST", path = "/hidden-count", calls(Single))]
async fn hidden_count() -> Result<String, Error> {
    async fn helper() -> Result<String, Error> {
        Ok(Single::remote().twice("a".to_owned()).await?)
    }
    helper().await
}

fn app() -> App {
    App::new(Registry::linked().expect("the functions of this binary do not clash"))
}

async fn within<F: IntoFuture>(app: &App, call: F) -> F::Output {
    Scope::builder(app.clone()).build().enter(call.into_future()).await
}

#[tokio::test]
async fn it_is_an_ordinary_type() {
    let counter = Counter::start("direct".to_owned(), 1).await.unwrap();
    assert_eq!(counter.add(2).await.unwrap(), 3);
    counter.close().await;
    assert_eq!(events("direct"), ["direct: init", "direct: exit at 3"]);
}

#[tokio::test]
async fn arguments_select_an_instance_and_stopping_ends_it() {
    let app = app();
    let (a, b) = (Counter::remote("two-a".to_owned(), 10), Counter::remote("two-b".to_owned(), 20));
    assert_eq!(within(&app, a.add(1)).await.unwrap(), 11);
    assert_eq!(within(&app, b.add(1)).await.unwrap(), 21);
    assert_eq!(within(&app, a.clone().add(1)).await.unwrap(), 12);
    assert_eq!(within(&app, a.name()).await.unwrap(), "two-a");
    app.stop_instances().await;
    assert_eq!(events("two-a"), ["two-a: init", "two-a: exit at 12"]);
    assert_eq!(events("two-b"), ["two-b: init", "two-b: exit at 21"]);
}

#[tokio::test]
async fn concurrent_jobs_build_one_instance() {
    let app = app();
    let barrier = std::sync::Arc::new(Barrier::new(20));
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let (app, barrier) = (app.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                within(&app, Counter::remote("single-flight".to_owned(), 0).add(1)).await.unwrap()
            })
        })
        .collect();
    let mut counts = Vec::new();
    for job in jobs {
        counts.push(job.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    assert_eq!(events("single-flight"), ["single-flight: init"]);
}

#[tokio::test]
async fn the_instance_that_was_unused_for_longest_makes_room() {
    let app = app();
    let call = async |index: usize| {
        within(&app, Counter::remote(format!("lru-{index}"), 0).add(1)).await.unwrap();
    };
    for index in 0..flash_core::MAX_INSTANCES {
        call(index).await;
    }
    call(0).await;
    // Nothing that cannot be built displaces anything.
    assert!(within(&app, Counter::remote("bad".to_owned(), 1).add(1)).await.is_err());
    assert_eq!(events("lru").len(), flash_core::MAX_INSTANCES, "{:?}", events("lru"));
    call(100).await;
    while events("lru-1:").len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(events("lru-1:"), ["lru-1: init", "lru-1: exit at 1"]);
    assert_eq!(events("lru-0:"), ["lru-0: init"], "it was used again");
    app.stop_instances().await;
    assert_eq!(events("lru-0:"), ["lru-0: init", "lru-0: exit at 2"]);
}

#[tokio::test]
async fn what_a_constructor_says_stays_inside() {
    let error = within(&app(), Counter::remote("bad".to_owned(), 0).add(1)).await.unwrap_err();
    let (CallError::Remote(error) | CallError::Transport(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), "state_failed");
    assert_eq!(error.message(), "the worker `Counter` could not be built");
}

#[tokio::test]
async fn a_default_that_is_given_and_one_that_is_left_out_are_the_same() {
    let app = app();
    let need = app.registry().get("Counter-add").unwrap().meta().needs[0].need().unwrap();
    need.build(&app).await.unwrap();
    assert_eq!(events("default:"), ["default: init"], "before the first job");
    assert_eq!(within(&app, Counter::remote("default".to_owned(), 0).add(1)).await.unwrap(), 1);
    assert_eq!(events("default:"), ["default: init"]);
    let fields = r#"{"by": 1, "init": {"start": 0}}"#;
    let outcome = run(&app, "Counter-add", fields).await;
    assert_eq!(outcome.unwrap(), "2");
    assert_eq!(events("default:"), ["default: init"]);
}

async fn run(app: &App, function: &str, input: &str) -> Result<String, flash_core::WireError> {
    let function = app.registry().get(function).expect("the function is registered");
    let fields = flash_core::Fields::from_json(flash_core::Origin::Input, input.as_bytes())?;
    let scope = Scope::builder(app.clone()).build();
    let encoded = function.start(fields, scope, 1000)?.run_whole().await?;
    Ok(String::from_utf8(encoded.json).expect("JSON is UTF-8"))
}

#[tokio::test]
async fn wrong_constructor_arguments_are_named_with_their_path() {
    for (input, expected) in [
        (r#"{"by": 1, "init": {"strat": 1}}"#, "input.init.strat: unknown field"),
        (r#"{"by": 1, "init": {"start": "x"}}"#, "input.init.start: expected u32, got string"),
        (r#"{"by": 1, "init": 3}"#, "input.init: expected an object"),
        (r#"{"by": "x", "init": {"start": "x"}}"#, "input.by: expected u32, got string"),
    ] {
        let error = run(&app(), "Counter-add", input).await.unwrap_err();
        assert_eq!(error.code, "invalid_input");
        assert!(error.message.contains(expected), "{input}: {}", error.message);
    }
}

#[tokio::test]
async fn one_method_needs_no_key_and_may_have_any_parameter() {
    let app = app();
    assert_eq!(within(&app, Single::remote().twice("ab".to_owned())).await.unwrap(), "abab");
    let client: OneClient = Single::remote();
    assert_eq!(format!("{client:?}"), "OneClient { init: InitArgs }");
}

#[tokio::test]
async fn requests_of_an_http_endpoint_share_the_instance() {
    let app = app();
    assert_eq!(within(&app, Shared::remote().next(2)).await.unwrap(), 42);
    assert_eq!(within(&app, Shared::remote().last()).await.unwrap(), 42);
}

#[test]
fn a_class_is_one_entry_of_the_manifest() {
    let described = Registry::linked().unwrap().describe("classes");
    let manifest = &described.manifest;
    let [counter] = &*manifest.resources["classes-cpu"].functions else { panic!("{manifest:?}") };
    assert_eq!((&*counter.name, counter.is_class), ("Counter", true));
    assert_eq!(counter.class_methods, ["add", "name-of"]);
    assert_eq!(manifest.function_registry["Counter"], "classes-cpu");
    assert_eq!(manifest.routes["classes-api"]["GET /last"], "Shared-last");
    let api = &manifest.resources["classes-api"];
    let last = api.functions.iter().find(|function| function.name == "Shared-last").unwrap();
    assert!(last.is_class && last.http_path.as_deref() == Some("/last"), "{last:?}");
    assert_eq!(api.remote_calls, ["classes-cpu", "classes-one"]);
    assert!(
        !described.warnings.iter().any(|warning| warning.contains("Counter")),
        "{:?}",
        described.warnings
    );
}

#[tokio::test]
async fn a_mock_answers_for_methods() {
    let mock = Mock::new()
        .method(CounterClient::add, |(by, init)| {
            assert_eq!(init.json(), r#"{"name":"mocked","start":5}"#);
            Ok(by * 100)
        })
        .method(CounterClient::name, |(_,)| Err(Error::new("no_name", "it has none")));
    mock.run(async {
        let counter = Counter::remote("mocked".to_owned(), 5);
        assert_eq!(counter.add(3).await.unwrap(), 300);
        assert_eq!(counter.name().await.unwrap_err().code(), "no_name");
    })
    .await;
    assert!(events("mocked").is_empty(), "no instance was built");
}
