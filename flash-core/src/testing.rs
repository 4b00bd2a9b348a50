//! For tests of code that calls remote functions.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::app::App;
use crate::error::Error;
use crate::fields::{Fields, Origin};
use crate::remote::Remote;
use crate::scope::Scope;
use crate::transport::{CallFailure, CallFuture, CallRequest, Transport, result_limit};

type Answer = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, CallFailure> + Send + Sync>;

/// Answers remote calls in place of the real functions, inside of [`run`](Self::run) and nowhere else.
///
/// Functions without an answer here are called as always. Arguments and results are encoded and decoded like real
/// ones.
#[derive(Clone, Default)]
pub struct Mock {
    answers: HashMap<&'static str, Answer>,
}

impl Mock {
    /// A mock without answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers calls of the function with handle `R`.
    #[must_use]
    pub fn on<R: Remote>(mut self, answer: impl Fn(R::Args) -> R::Return + Send + Sync + 'static) -> Self {
        let answer: Answer = Arc::new(move |input| {
            let mut fields = Fields::from_json(Origin::Input, input).map_err(CallFailure::Remote)?;
            let args = R::decode(&mut fields);
            fields.finish(R::META.params).map_err(CallFailure::Remote)?;
            let args = args.ok_or_else(|| CallFailure::Transport(Error::new("internal", "no arguments")))?;
            R::RETURNS
                .encode(answer(args), result_limit(R::META.door()))
                .map(|encoded| encoded.json)
                .map_err(CallFailure::Remote)
        });
        self.answers.insert(R::META.name, answer);
        self
    }

    /// Runs `future` with these answers.
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        let app = App::current().unwrap_or_else(|_| App::detached());
        let inner = Arc::clone(app.transport());
        let app = app.with_transport(Arc::new(Mocked { answers: self.answers, inner }));
        Scope::builder(app).request_id("test").build().enter(future).await
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.answers.keys()).finish()
    }
}

struct Mocked {
    answers: HashMap<&'static str, Answer>,
    inner: Arc<dyn Transport>,
}

impl fmt::Debug for Mocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mocked")
    }
}

impl Transport for Mocked {
    fn call(&self, request: CallRequest) -> CallFuture {
        match self.answers.get(request.callee.name) {
            Some(answer) => {
                let answer = Arc::clone(answer);
                Box::pin(async move { answer(&request.input) })
            }
            None => self.inner.call(request),
        }
    }
}
