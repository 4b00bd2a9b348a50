use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, WireError, code};
use crate::fields::{Fields, Origin};
use crate::meta::{DoorKind, Meta};
use crate::scope::Scope;

/// A call on its way out.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallRequest {
    /// The app that calls.
    pub app: App,
    /// The invocation that calls, if a function does.
    pub caller: Option<Scope>,
    /// Whom it calls.
    pub callee: &'static Meta,
    /// The arguments as a JSON object.
    pub input: Vec<u8>,
    /// The time that the caller set for this call.
    pub timeout: Option<Duration>,
}

impl CallRequest {
    /// When the answer is no longer wanted: the caller's own deadline or the call's time, whichever comes first.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let own = self.timeout.map(|timeout| self.app.clock().now() + timeout);
        let inherited = self.caller.as_ref().and_then(Scope::deadline);
        match (own, inherited) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Why no success came back.
#[derive(Debug)]
pub enum CallFailure {
    /// The callee answered with an error.
    Remote(WireError),
    /// No answer of the callee.
    Transport(Error),
}

/// The future of a call: the callee's JSON.
pub type CallFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, CallFailure>> + Send>>;

/// A way to the callee.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Carries the call out.
    fn call(&self, request: CallRequest) -> CallFuture;
}

/// Calls functions of this process, encoded and decoded as if they were elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct InProcess;

/// Largest answer of an in-process call, in bytes: RunPod's own limit for queue results (20 MB) and HTTP bodies
/// (30 MB), platform contract A.4 and C.
#[must_use]
pub const fn result_limit(door: DoorKind) -> usize {
    match door {
        DoorKind::Queue => 20_000_000,
        DoorKind::Http => 30_000_000,
    }
}

impl Transport for InProcess {
    fn call(&self, request: CallRequest) -> CallFuture {
        Box::pin(async move {
            tracing::debug!(callee = request.callee.name, "remote call runs in this process");
            let Some(function) = request.app.registry().get(request.callee.name) else {
                let name = request.callee.name;
                return Err(CallFailure::Transport(
                    Error::new(
                        code::UNKNOWN_FUNCTION,
                        format!("function `{name}` is not registered in this app"),
                    )
                    .terminal(),
                ));
            };
            let deadline = request.deadline();
            let origin = match request.callee.door() {
                DoorKind::Queue => Origin::Input,
                DoorKind::Http => Origin::Body,
            };
            let fields = Fields::from_json(origin, &request.input).map_err(CallFailure::Remote)?;
            let (id, cancellation) = match &request.caller {
                Some(caller) => (caller.request_id().to_owned(), caller.cancellation().child_token()),
                None => (uuid::Uuid::now_v7().to_string(), Default::default()),
            };
            let scope = Scope::builder(request.app)
                .request_id(id)
                .deadline(deadline)
                .cancellation(cancellation)
                .function(function.meta())
                .build();
            let running = function
                .start(fields, scope, result_limit(request.callee.door()))
                .map_err(CallFailure::Remote)?;
            match running.run().await {
                Ok(encoded) => Ok(encoded.json),
                Err(error) => Err(CallFailure::Remote(error)),
            }
        })
    }
}
