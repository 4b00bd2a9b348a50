use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use tokio::task::JoinSet;

use super::builder::{Call, ErrorOf, OutputOf};
use crate::error::{CallError, Error, code};
use crate::remote::{IsResult, Remote};
use crate::scope::Scope;

/// How many calls run at once unless it is said.
const DEFAULT_CONCURRENCY: usize = 16;

/// Makes many calls, at most 16 at once or as [`concurrency`](Map::concurrency) says, and gives their results in the order
/// of the calls. A call that fails takes none of the others with it.
///
/// ```ignore
/// let labels = flash::map(texts.into_iter().map(|text| classify::remote(text, 3))).concurrency(64).await;
/// for label in labels {
///     println!("{:?}", label?);
/// }
/// ```
///
/// The calls are made as they are needed, so the iterator may be long. Dropping the future cancels those that run.
pub fn map<R: Remote, I: IntoIterator<Item = Call<R>>>(calls: I) -> Map<I::IntoIter> {
    Map { calls: calls.into_iter(), concurrency: DEFAULT_CONCURRENCY }
}

/// Many calls that were not made yet; see [`map()`].
#[must_use = "calls do nothing until they are awaited"]
pub struct Map<I> {
    calls: I,
    concurrency: usize,
}

impl<I> Map<I> {
    /// Sets how many calls run at once, at least 1.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = calls.max(1);
        self
    }
}

type Results<R> = Vec<Result<OutputOf<R>, ErrorOf<R>>>;

impl<I, R> IntoFuture for Map<I>
where
    I: Iterator<Item = Call<R>> + Send + 'static,
    R: Remote<Return: IsResult<Ok: Send + 'static, Err: Send + 'static>>,
{
    type Output = Results<R>;
    type IntoFuture = Pin<Box<dyn Future<Output = Results<R>> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let scope = Scope::current();
            let mut results: Vec<Option<_>> = Vec::new();
            // Dropped with this future, and then it stops what runs.
            let mut running = JoinSet::new();
            loop {
                while running.len() < self.concurrency
                    && let Some(call) = self.calls.next()
                {
                    let index = results.len();
                    results.push(None);
                    let call = call.into_future();
                    let call = async move { (index, call.await) };
                    match &scope {
                        Some(scope) => running.spawn(scope.clone().enter(call)),
                        None => running.spawn(call),
                    };
                }
                match running.join_next().await {
                    None => break,
                    Some(Ok((index, result))) => results[index] = Some(result),
                    Some(Err(error)) => tracing::error!(%error, "a call of a map ended without a result"),
                }
            }
            let lost = || CallError::Transport(Error::new(code::INTERNAL, "the call ended without a result"));
            results.into_iter().map(|result| result.unwrap_or_else(|| Err(lost()))).collect()
        })
    }
}

impl<I> fmt::Debug for Map<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}
