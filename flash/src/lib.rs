#![doc = include_str!("../../README.md")]

// The macros name this crate `::flash`, in its own tests too.
#[allow(unused_extern_crates, reason = "used by the expansions in tests")]
extern crate self as flash;

#[doc(no_inline)]
pub use flash_core::clock::Timestamp;
#[doc(no_inline)]
pub use flash_core::{
    App, Auth, Bytes, Call, CallError, Context, Endpoint, Error, FlashBoot, FromWorker, Job, OnWait,
    Priority, Registry, RegistryBuilder, RemoteError, Response, Scaler, Scope, State, Stream, StreamClosed,
    StreamKind, StreamSender, TraceContext, Untyped, Volume, WaitReason, Waiting, WireError, Worker, map,
    spawn, spawn_blocking,
};
#[doc = include_str!("../../flash-macros/docs/remote_error.md")]
pub use flash_macros::RemoteError;
#[cfg(feature = "serve")]
#[doc = include_str!("../../flash-macros/docs/main.md")]
pub use flash_macros::main;
#[doc = include_str!("../../flash-macros/docs/remote.md")]
pub use flash_macros::remote;
#[cfg(feature = "serve")]
#[doc = include_str!("../../flash-macros/docs/router.md")]
pub use flash_macros::router;

/// Clients of the platform: the jobs of queue endpoints, and the transport of remote calls.
#[cfg(feature = "client")]
#[doc(inline)]
pub use flash_platform as platform;

#[cfg(feature = "client")]
#[doc(no_inline)]
pub use flash_platform::{Client, RemoteEndpoint, UntypedCall};

/// The web framework whose routers an endpoint serves, in the version that the worker has.
#[cfg(feature = "serve")]
#[doc(no_inline)]
pub use flash_worker::axum;

/// The roles of a binary.
#[cfg(feature = "serve")]
#[doc(inline)]
pub use flash_worker as worker;

#[cfg(feature = "serve")]
pub use flash_worker::{run, run_with};

/// What nearly every file of an app needs.
pub mod prelude {
    pub use crate::{CallError, Context, Endpoint, FromWorker, RemoteError, Scaler, State, Worker, remote};
}

/// For tests of an app: answers in place of real functions, and the whole app in the test's own process.
pub mod testing {
    pub use flash_core::clock::{Clock, TestClock};
    pub use flash_core::testing::Mock;
    #[cfg(feature = "serve")]
    pub use flash_worker::LocalApp;
}

/// The guides, whose examples are compiled and run. That of testing stands beside the tests, which have the local platform.
#[cfg(all(doctest, feature = "serve"))]
pub mod guides {
    #[doc = include_str!("../../docs/guide.md")]
    pub mod guide {}
    #[doc = include_str!("../../docs/queue.md")]
    pub mod queue {}
    #[doc = include_str!("../../docs/calls.md")]
    pub mod calls {}
}

/// Mentions crates, so that the functions in them are linked into this binary.
///
/// A dependency that no code names is not linked at all, and its functions would be missing without a word.
///
/// ```ignore
/// flash::link!(my_app, my_other_functions);
/// ```
#[macro_export]
macro_rules! link {
    ($($krate:ident),+ $(,)?) => { $(use $krate as _;)+ };
}

/// Not public API: what the expansion of `#[remote]` names.
#[doc(hidden)]
pub mod __private {
    pub use flash_core::private::*;
    #[cfg(feature = "serve")]
    pub use flash_worker::axum::Router;
    #[cfg(feature = "serve")]
    pub use flash_worker::run_main;
}
