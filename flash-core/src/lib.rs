//! What a Flash function, an endpoint and a manifest are, and how a function is invoked.
//!
//! Nothing here opens a socket: a door (queue worker, HTTP worker, local server) hands a request's fields to
//! [`Registration::start`], and gets the encoded reply back.

mod ahead;
mod app;
pub mod boot;
mod bytes;
mod call;
mod carry;
mod class;
pub mod clock;
mod encode;
mod endpoint;
mod error;
mod fields;
pub mod ids;
mod inject;
mod invoke;
pub mod manifest;
mod meta;
pub mod metrics;
mod mount;
pub mod openapi;
pub mod private;
mod registry;
mod registry_builder;
mod remote;
mod response;
mod scope;
mod secret;
mod stream;
pub mod testing;
mod trace;
mod transport;
pub mod wire;

pub use app::{App, DefaultApp};
pub use bytes::Bytes;
pub use call::{
    Call, CallOptions, ErrorOf, Job, JobKind, Map, OnWait, OutputOf, Priority, StreamKind, Untyped,
    WaitReason, Waiting, map,
};
pub use carry::Needs;
pub use class::{ClassMeta, Instance, MAX_INSTANCES, MethodOf};
pub use encode::{Encoded, FieldWriter, ReplyForm, TooLarge};
pub use endpoint::{Auth, Endpoint, FlashBoot, Hardware, Kind, Scaler, Volume};
pub use error::{
    CallError, Error, ErrorCase, FieldError, Problem, WireError, code, failure_of, from_error_string,
    to_error_string,
};
pub use fields::{Fields, Origin};
pub use inject::{Context, FromWorker, Inject, Need, State, Worker};
pub use invoke::{Outcome, Running};
pub use meta::{DoorKind, HttpRoute, Meta, Method, Param, ReplyKind};
pub use mount::{Mount, Mounted};
pub use registry::{Calls, Registration, Registry, RegistryErrors};
pub use registry_builder::RegistryBuilder;
pub use remote::{Door, Http, IsResult, Payload, Queue, Remote, RemoteError, Reply};
pub use response::{Response, ResponseHead};
pub use scope::{JobControl, RequestHead, Scope, ScopeBuilder, spawn, spawn_blocking};
pub use secret::Secret;
pub use stream::{CHUNK_LIMIT, Chunks, Produced, Stream, StreamClosed, StreamSender, unfold};
pub use trace::{NotATraceParent, TraceContext};
pub use transport::{
    CallFailure, CallFuture, CallRequest, ChunkStream, HandleFuture, InProcess, JobHandle, SubmitFuture,
    Transport, result_limit,
};
