use std::any::TypeId;
use std::convert::Infallible;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bytes::Bytes;
use crate::carry::Returns;
use crate::encode::{Encoded, FieldWriter, ReplyForm, encode};
use crate::error::{Error, ErrorCase, WireError};
use crate::fields::Fields;
use crate::invoke::Invocation;
use crate::meta::{Meta, ReplyKind};
use crate::scope::Scope;

/// A function that can be called where it is deployed. Implemented by `#[remote]` for the handle of the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a remote function",
    label = "not a remote function",
    note = "a function is remote when it has the attribute `#[remote]`"
)]
pub trait Remote: Sized + Send + Sync + 'static {
    /// What is known of the function before it runs.
    const META: &'static Meta;
    /// How it is reached: [`Queue`] or [`Http`].
    type Door: Door;
    /// The wire parameters, as a tuple.
    type Args: Send + 'static;
    /// What the function returns.
    type Return: 'static;
    /// How that travels.
    #[doc(hidden)]
    const RETURNS: &'static dyn Returns<Self::Return>;
    /// Reads the arguments; what is wrong is recorded in `fields`.
    fn decode(fields: &mut Fields<'_>) -> Option<Self::Args>;
    /// Writes the arguments.
    fn encode(args: &Self::Args, fields: &mut FieldWriter);
    /// Runs the function itself, and encodes what it returns.
    #[doc(hidden)]
    fn invoke(args: Self::Args, scope: Scope, form: ReplyForm) -> Invocation;
}

/// A value that can be sent to or from a remote function: anything that serde reads and writes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for T {}

/// What a remote function returns: a `Result`, recognised as a type, so aliases work.
///
/// The bounds on its parts are asked where a function is declared, so that a wrong one is an error there and not at every
/// call.
#[diagnostic::on_unimplemented(
    message = "remote functions must return a `Result`",
    label = "not a `Result`",
    note = "a call can fail on its way, so the caller always gets a `Result`"
)]
pub trait IsResult {
    /// The success.
    type Ok;
    /// The failure.
    type Err;
    /// The value as a plain `Result`.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

#[diagnostic::do_not_recommend]
impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;
    fn into_result(self) -> Self {
        self
    }
}

/// A success that a door can send back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it"
)]
pub trait Reply: Send + Sized + 'static {
    /// Which kind of success it is.
    #[doc(hidden)]
    fn kind() -> ReplyKind;
    /// Encodes the value.
    #[doc(hidden)]
    fn into_encoded(self, form: ReplyForm) -> Result<Encoded, WireError>;
    /// Decodes what [`into_encoded`](Self::into_encoded) made.
    #[doc(hidden)]
    fn from_encoded(json: &[u8]) -> Result<Self, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Reply for T {
    fn kind() -> ReplyKind {
        let this = TypeId::of::<T>();
        if this == TypeId::of::<()>() {
            ReplyKind::Unit
        } else if this == TypeId::of::<Bytes>() {
            ReplyKind::Bytes
        } else {
            ReplyKind::Value
        }
    }

    fn into_encoded(self, form: ReplyForm) -> Result<Encoded, WireError> {
        encode(&self, form, "the result")
    }

    fn from_encoded(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json).map_err(|error| Error::bad_answer(&error))
    }
}

/// An error that crosses the wire typed, so that the caller can match on it.
///
/// Derive it: `#[derive(Debug, thiserror::Error, flash::RemoteError)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a remote function as an error",
    label = "not a remote error",
    note = "add `#[derive(flash::RemoteError)]` to it, or return `flash::Error`"
)]
pub trait RemoteError: Sized + Send + 'static {
    /// The cases that are known beforehand, for documents such as OpenAPI. Derived for an enum from its variants.
    const CASES: &'static [ErrorCase] = &[];
    /// What is sent.
    fn to_wire(&self) -> WireError;
    /// The error that was sent.
    ///
    /// # Errors
    /// Gives the wire form back where it is none of this type's own errors.
    fn from_wire(wire: WireError) -> Result<Self, WireError>;
}

impl RemoteError for Error {
    fn to_wire(&self) -> WireError {
        self.wire().clone().with_internal(self.chain())
    }

    fn from_wire(wire: WireError) -> Result<Self, WireError> {
        Ok(Self::from(wire))
    }
}

impl RemoteError for String {
    fn to_wire(&self) -> WireError {
        WireError::new(crate::error::code::FAILED, self.clone())
    }

    fn from_wire(wire: WireError) -> Result<Self, WireError> {
        if wire.code == crate::error::code::FAILED { Ok(wire.message) } else { Err(wire) }
    }
}

impl RemoteError for Infallible {
    fn to_wire(&self) -> WireError {
        match *self {}
    }

    fn from_wire(wire: WireError) -> Result<Self, WireError> {
        Err(wire)
    }
}

/// How a function is reached. Options that make sense for one door only exist for that door.
pub trait Door: sealed::Sealed + Send + Sync + 'static {}

/// Reached through a queue.
#[derive(Debug, Clone, Copy)]
pub enum Queue {}

/// Reached through an HTTP route.
#[derive(Debug, Clone, Copy)]
pub enum Http {}

impl Door for Queue {}
impl Door for Http {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Queue {}
    impl Sealed for super::Http {}
}
