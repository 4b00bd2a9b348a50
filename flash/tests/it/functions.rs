//! The function stays a function, and its handle calls it from anywhere.

use std::thread::{self, ThreadId};

use flash::{CallError, Context, Endpoint, Error, FromWorker, RemoteError, State, Worker, remote};

use crate::support::run;

static CPU: Endpoint = Endpoint::queue("functions-cpu");
static API: Endpoint = Endpoint::http("functions-api");

#[derive(Debug, PartialEq, thiserror::Error, RemoteError)]
pub(crate) enum DivideError {
    #[error("{0} cannot be divided by zero")]
    ByZero(u32),
}

type Divided = Result<u32, DivideError>;

#[remote(resource = CPU)]
async fn divide(a: u32, b: u32) -> Divided {
    a.checked_div(b).ok_or(DivideError::ByZero(a))
}

#[derive(Debug, thiserror::Error, RemoteError)]
pub(crate) enum AverageError {
    #[error("division failed")]
    #[remote(call)]
    Divide(CallError<DivideError>),
}

#[remote(resource = API, method = "POST", path = "/average")]
async fn average(values: Vec<u32>) -> Result<u32, AverageError> {
    Ok(divide::remote(values.iter().sum(), u32::try_from(values.len()).unwrap_or(u32::MAX)).await?)
}

#[remote(resource = CPU)]
fn blocking_thread() -> Result<String, Error> {
    Ok(format!("{:?}", thread::current().id()))
}

#[remote(resource = CPU, inline)]
fn inline_thread() -> Result<String, Error> {
    Ok(format!("{:?}", thread::current().id()))
}

pub(crate) struct Prefix(&'static str);

impl FromWorker for Prefix {
    type Error = String;

    async fn from_worker(_: &Worker) -> Result<Self, String> {
        Ok(Self("hello "))
    }
}

#[remote(resource = CPU)]
async fn greet(prefix: State<Prefix>, name: String, context: Context) -> Result<String, Error> {
    Ok(format!("{}{name} ({})", prefix.0, context.id()))
}

/// A type that is injected under another name than `State` and `Context` have.
pub(crate) type Greeting = State<Prefix>;

#[remote(resource = CPU)]
fn greet_blocking(#[remote(inject)] greeting: Greeting, mut name: String) -> Result<String, Error> {
    let prefix = greeting.0;
    drop(greeting);
    name.insert_str(0, prefix);
    Ok(name)
}

#[tokio::test]
async fn it_is_called_directly_like_any_function() {
    assert_eq!(divide(7, 2).await, Ok(3));
    assert_eq!(divide(7, 0).await, Err(DivideError::ByZero(7)));
    assert!(blocking_thread().is_ok(), "without a runtime around it, too");
    let greeting = greet(State::new(Prefix("bye ")), "you".to_owned(), Context::test()).await.unwrap();
    assert_eq!(greeting, "bye you (test)");
}

#[tokio::test]
async fn a_remote_call_gives_the_same_answer_and_the_same_error() {
    assert_eq!(divide::remote(7, 2).await.unwrap(), 3);
    match divide::remote(7, 0).await {
        Err(CallError::Remote(DivideError::ByZero(7))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_failed_call_inside_of_a_function_is_an_error_of_that_function() {
    assert_eq!(average::remote(vec![1, 2, 6]).await.unwrap(), 3);
    match average::remote(Vec::new()).await {
        Err(CallError::Remote(AverageError::Divide(failed))) => assert_eq!(failed.code(), "by_zero"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sync_function_runs_on_a_thread_of_its_own_unless_it_is_inline() {
    let here: ThreadId = thread::current().id();
    let here = format!("\"{here:?}\"");
    assert_ne!(run::<blocking_thread>("{}").await.unwrap(), here);
    assert_eq!(run::<inline_thread>("{}").await.unwrap(), here);
}

#[tokio::test]
async fn injected_parameters_are_supplied_wherever_they_stand() {
    assert_eq!(run::<greet>(r#"{"name":"you"}"#).await.unwrap(), r#""hello you (request-1)""#);
    assert_eq!(run::<greet_blocking>(r#"{"name":"you"}"#).await.unwrap(), r#""hello you""#);
    let error = run::<greet>(r#"{"name":"you","prefix":"x"}"#).await.unwrap_err();
    assert!(error.message.contains("input.prefix: unknown field"), "{}", error.message);
}

#[test]
fn a_handle_is_a_value_of_nothing() {
    assert_eq!(size_of::<divide>(), 0);
    assert!(format!("{:?}", divide::remote(1, 1)).contains("divide"));
}
