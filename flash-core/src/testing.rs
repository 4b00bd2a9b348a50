//! For tests of code that calls remote functions.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::app::App;
use crate::call::Call;
use crate::call::{LocalJob, Work};
use crate::carry::Written;
use crate::error::Error;
use crate::fields::{Fields, Origin};
use crate::remote::Remote;
use crate::scope::Scope;
use crate::stream::Chunks;
use crate::transport::{
    CallFailure, CallFuture, CallRequest, ChunkStream, SubmitFuture, Transport, result_limit,
};

type Answer = Arc<dyn Fn(&[u8]) -> Result<Written, CallFailure> + Send + Sync>;

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
            R::RETURNS.encode(answer(args), result_limit(R::META.door()).into()).map_err(CallFailure::Remote)
        });
        self.answers.insert(R::META.name, answer);
        self
    }

    /// Answers calls of a method of a stateful worker, named by its client's method: `EmbedderClient::embed`. On a queue the
    /// arguments end with those of the constructor, as JSON text: [`InitArgs::json`].
    ///
    /// ```ignore
    /// let mock = Mock::new().method(EmbedderClient::embed, |(text, _init)| Ok(vec![text.len() as f32]));
    /// ```
    ///
    /// [`InitArgs::json`]: crate::private::InitArgs::json
    #[must_use]
    pub fn method<M: ClientMethod<A>, A>(
        self,
        _method: M,
        answer: impl Fn(<M::Callee as Remote>::Args) -> <M::Callee as Remote>::Return + Send + Sync + 'static,
    ) -> Self {
        self.on::<M::Callee>(answer)
    }

    /// Runs `future` with these answers.
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        let app = App::current().unwrap_or_else(|_| App::detached());
        let inner = Arc::clone(app.transport());
        let app = app.with_transport(Arc::new(Mocked { answers: self.answers, inner }));
        Scope::builder(app).request_id("test").build().enter(future).await
    }
}

/// A method of a client that `#[remote]` made for a stateful worker, with up to eight parameters.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no method of a stateful worker's client",
    label = "no method of a client",
    note = "write a method's path, such as `EmbedderClient::embed`"
)]
pub trait ClientMethod<A> {
    /// The method that it calls.
    type Callee: Remote;
}

macro_rules! client_method {
    ($($param:ident),*) => {
        impl<F, C, R: Remote, $($param),*> ClientMethod<(C, $($param,)*)> for F
        where
            F: Fn(&C, $($param),*) -> Call<R>,
        {
            type Callee = R;
        }
    };
}

client_method!();
client_method!(P1);
client_method!(P1, P2);
client_method!(P1, P2, P3);
client_method!(P1, P2, P3, P4);
client_method!(P1, P2, P3, P4, P5);
client_method!(P1, P2, P3, P4, P5, P6);
client_method!(P1, P2, P3, P4, P5, P6, P7);
client_method!(P1, P2, P3, P4, P5, P6, P7, P8);

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
            Some(answer) => value(Arc::clone(answer), request),
            None => self.inner.call(request),
        }
    }

    fn stream(&self, request: CallRequest) -> ChunkStream {
        match self.answers.get(request.callee.name) {
            Some(answer) => Box::pin(MockedStream::New(Arc::clone(answer), Box::new(request))),
            None => self.inner.stream(request),
        }
    }

    /// A job of a mocked function behaves as one of the real function does.
    fn submit(&self, request: CallRequest) -> SubmitFuture {
        let Some(answer) = self.answers.get(request.callee.name).cloned() else {
            return self.inner.submit(request);
        };
        Box::pin(async {
            Ok(LocalJob::start(request, move |request| {
                let answer = Arc::clone(&answer);
                if request.callee.is_stream() {
                    Work::Items(Box::pin(MockedStream::New(answer, Box::new(request))))
                } else {
                    Work::Value(value(answer, request))
                }
            }))
        })
    }
}

fn value(answer: Answer, request: CallRequest) -> CallFuture {
    Box::pin(async move {
        match answer(&request.input)? {
            Written::Value(encoded) => Ok(encoded.json),
            Written::Stream(producer) => {
                let limit = result_limit(request.callee.door());
                let items = Chunks::new(producer, scope(&request)).collect(limit).await;
                items.map(|encoded| encoded.json).map_err(CallFailure::Remote)
            }
        }
    })
}

fn scope(request: &CallRequest) -> Scope {
    Scope::builder(request.app.clone())
        .request_id("test")
        .deadline(request.deadline())
        .function(request.callee)
        .build()
}

enum MockedStream {
    New(Answer, Box<CallRequest>),
    Open(Chunks),
    Ended,
}

impl futures_core::Stream for MockedStream {
    type Item = Result<Vec<u8>, CallFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            *self = match &mut *self {
                Self::New(answer, request) => match answer(&request.input) {
                    Ok(Written::Stream(producer)) => Self::Open(Chunks::new(producer, scope(request))),
                    Ok(Written::Value(_)) => Self::Ended,
                    Err(failure) => {
                        *self = Self::Ended;
                        return Poll::Ready(Some(Err(failure)));
                    }
                },
                Self::Open(chunks) => {
                    let item = ready!(Pin::new(chunks).poll_next(cx));
                    let item = item.map(|item| item.map(|encoded| encoded.json));
                    return Poll::Ready(item.map(|item| item.map_err(CallFailure::Remote)));
                }
                Self::Ended => return Poll::Ready(None),
            };
        }
    }
}
