//! Under the strictest lints that a crate may choose, the expansion has nothing to be warned of.
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    let_underscore_drop,
    variant_size_differences,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    deprecated
)]
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::unwrap_used,
    clippy::panic,
    clippy::absolute_paths
)]
#![allow(clippy::absolute_paths, clippy::redundant_pub_crate, reason = "the test's own code")]

use flash::{CallError, Context, Endpoint, Error, FromWorker, RemoteError, State, Worker, remote};

static GPU: Endpoint = Endpoint::queue("strict");
static API: Endpoint = Endpoint::http("strict-api");

/// Is built once.
#[derive(Debug)]
pub(crate) struct Model;

impl FromWorker for Model {
    type Error = String;

    async fn from_worker(_: &Worker) -> Result<Self, String> {
        Ok(Self)
    }
}

/// Everything that an error can be.
#[derive(Debug, thiserror::Error, RemoteError)]
#[remote(status = 422)]
pub(crate) enum StrictError {
    /// Nothing.
    #[error("nothing")]
    Empty,
    /// One.
    #[error("one")]
    One(u8),
    /// Two.
    #[error("two")]
    #[remote(code = "two", retryable)]
    Two(u8, u8),
    /// Named.
    #[error("named")]
    Named {
        /// A field.
        a: u8,
    },
    /// A call.
    #[error("call")]
    #[remote(call)]
    Call(#[source] CallError<Error>),
    /// Opaque.
    #[error("opaque")]
    #[remote(opaque)]
    Opaque(#[source] std::io::Error),
}

/// Eight parameters, of every kind.
#[remote(resource = GPU, calls(strict_private))]
#[expect(clippy::too_many_arguments, reason = "once, for the function, and not again for `remote`")]
pub(crate) async fn strict(
    text: String,
    limit: Option<u8>,
    #[remote(default)] list: Vec<u8>,
    #[remote(default = 3)] top: u8,
    #[remote(rename = "type")] kind: u8,
    context: Context,
    model: State<Model>,
    unit: (),
) -> Result<(), StrictError> {
    if text.is_empty() {
        return Err(StrictError::Empty);
    }
    if context.is_cancelled() {
        return Err(StrictError::Two(top, kind));
    }
    if limit.is_none() {
        return Err(StrictError::Opaque(std::io::Error::other(format!("{model:?}"))));
    }
    if let Some(first) = list.first() {
        return Err(StrictError::Named { a: *first });
    }
    let one = strict_private::remote().await.map_err(StrictError::Call)?;
    let () = unit;
    Err(StrictError::One(one))
}

#[remote(resource = GPU)]
#[expect(clippy::unnecessary_wraps, clippy::missing_const_for_fn, reason = "a remote function is like this")]
fn strict_private() -> Result<u8, Error> {
    Ok(1)
}

/// A route.
#[remote(resource = API, method = "PUT", path = "/{id}", status = 201)]
#[expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "a remote function is like this"
)]
pub(crate) fn strict_route(id: u8, body: Vec<u8>) -> Result<Vec<u8>, Error> {
    Ok(vec![id; body.len()])
}

#[tokio::test]
async fn it_works_all_the_same() {
    let outcome = strict::remote("x".to_owned(), Some(1), Vec::new(), 1, 1, ()).await;
    assert!(matches!(outcome, Err(CallError::Remote(StrictError::One(1)))), "{outcome:?}");
    assert_eq!(crate::support::run::<strict_route>(r#"{"id":2,"body":[0,0]}"#).await, Ok("[2,2]".to_owned()));
}
