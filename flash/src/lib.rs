//! Ordinary functions, run anywhere: on a laptop, behind a queue, or behind HTTP, from one binary.

// The macros name this crate `::flash`, in its own tests too.
extern crate self as flash;

#[doc(no_inline)]
pub use flash_core::{
    App, Auth, Call, CallError, Context, Endpoint, Error, FlashBoot, FromWorker, Registry, RemoteError, Scaler, Scope,
    State, Volume, WireError, Worker, spawn, testing,
};
pub use flash_macros::{RemoteError, remote};

/// What nearly every file of an app needs.
pub mod prelude {
    pub use crate::{CallError, Context, Endpoint, FromWorker, RemoteError, Scaler, State, Worker, remote};
}

/// Not public API: what the expansion of `#[remote]` names.
#[doc(hidden)]
pub mod __private {
    pub use flash_core::private::*;
}
