//! Not public API: what the expansion of `#[remote]` names. Changes without notice.

#[cfg(feature = "registry-linkme")]
pub use crate::app::DEFAULT_APPS;
pub use crate::call::Call;
pub use crate::carry::{
    Answer, Carries, CarriesError, CarriesReply, Injected, Injector, Json, Returned, Returns, Slot, Supplies,
    injected, slot,
};
pub use crate::class::{
    Callee, Class, ClassMeta, Constructor, Constructs, Exit, InitArgs, InitCarrier, Instance, Instances,
    exited, init_slot,
};
pub use crate::encode::{FieldWriter, ReplyForm};
pub use crate::endpoint::{Endpoint, Kind};
pub use crate::error::derived::{CarriesDatum, Datum, Says, datum, object, read_upstream, write_upstream};
pub use crate::error::{CallError, Error, ErrorCase, WireError};
pub use crate::fields::Fields;
pub use crate::invoke::Invocation;
pub use crate::meta::{Meta, Method};
pub use crate::mount::{Mount, MountEntry, Mounted};
#[cfg(feature = "registry-linkme")]
pub use crate::registry::ENTRIES;
pub use crate::registry::{Entry, Registration};
pub use crate::remote::{Http, Queue, Remote, RemoteError};
pub use crate::scope::Scope;
pub use inventory;
#[cfg(feature = "registry-linkme")]
pub use linkme;

pub use crate::__register as register;
pub use crate::__schemas as schemas;
#[cfg(feature = "openapi")]
pub use crate::openapi::{NoSchema, ReplyFor, SchemaFor};

/// The schemas of parameters and of a result, where their types have some. Nobody pays for it without the feature.
#[cfg(not(feature = "openapi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __schemas {
    ($($types:tt)*) => {
        &[]
    };
}

/// The schemas of parameters and of a result, where their types have some.
#[cfg(feature = "openapi")]
#[doc(hidden)]
#[macro_export]
macro_rules! __schemas {
    ([$($param:ty),* $(,)?] $($reply:ty)?) => {{
        // Seen only where the type itself has no constant of that name.
        #[allow(unused_imports)]
        use $crate::private::NoSchema as _;
        &[
            $($crate::private::SchemaFor::<$param>::OF,)*
            $($crate::private::ReplyFor::<$reply>::OF,)?
        ]
    }};
}
pub use crate::__register_router as register_router;

/// Registers the function with this handle at link time.
#[cfg(not(feature = "registry-linkme"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($handle:ty) => {
        $crate::private::inventory::submit! {
            $crate::private::Entry({
                static REGISTRATION: $crate::private::Registration = $crate::private::Registration::of::<$handle>();
                &REGISTRATION
            })
        }
    };
}

/// Registers the function with this handle at link time, in a linker section.
#[cfg(feature = "registry-linkme")]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($handle:ty) => {
        const _: () = {
            static REGISTRATION: $crate::private::Registration =
                $crate::private::Registration::of::<$handle>();
            #[$crate::private::linkme::distributed_slice($crate::private::ENTRIES)]
            #[linkme(crate = $crate::private::linkme)]
            static ENTRY: $crate::private::Entry = $crate::private::Entry(&REGISTRATION);
        };
    };
}

/// Registers the router with this handle at link time.
#[doc(hidden)]
#[macro_export]
macro_rules! __register_router {
    ($handle:ty) => {
        $crate::private::inventory::submit! {
            $crate::private::MountEntry(<$handle as $crate::private::Mounted>::MOUNT)
        }
    };
}

/// Refuses, when the program is compiled, a router on a queue endpoint.
#[track_caller]
pub const fn check_router(endpoint: &Endpoint) {
    assert!(
        matches!(endpoint.kind(), Kind::Http),
        "a router is served by an HTTP endpoint, and this one is a queue\nhelp: use `Endpoint::http`"
    );
}

/// Refuses, when the program is compiled, a function without a route on an HTTP endpoint.
#[track_caller]
pub const fn check_queue(endpoint: &Endpoint) {
    assert!(
        matches!(endpoint.kind(), Kind::Queue),
        "a function of an HTTP endpoint needs a route\nhelp: add `method = \"POST\", path = \"/…\"`"
    );
}

/// Refuses, when the program is compiled, a route on a queue endpoint.
#[track_caller]
pub const fn check_http(endpoint: &Endpoint) {
    assert!(
        matches!(endpoint.kind(), Kind::Http),
        "a function of a queue endpoint has no route\nhelp: remove `method` and `path`, or use `Endpoint::http`"
    );
}

/// Runs a blocking function on the blocking pool.
///
/// # Errors
/// The worker stopped before the function ran.
pub async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    crate::invoke::blocking(f).await
}

/// Runs a blocking exit method on the blocking pool.
///
/// # Errors
/// The worker stopped before the method ran.
pub async fn exit_blocking<T: Exit + Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<(), String> {
    match crate::invoke::blocking(f).await {
        Ok(result) => result.error().map_or(Ok(()), Err),
        Err(error) => Err(error.to_string()),
    }
}
