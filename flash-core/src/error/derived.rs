//! What the expansion of `#[derive(RemoteError)]` is made of.

use std::fmt;

use serde_json::Value;
use serde_json::value::Index;

use crate::carry::Json;
use crate::error::{CallError, WireError};
use crate::remote::{Payload, RemoteError};

/// Reads and writes fields of type `T` of an error's variant.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, or add `#[remote(opaque)]` to the variant"
)]
pub trait CarriesDatum<T> {
    /// The value in JSON.
    fn read(&self, value: &Value) -> Option<T>;
    /// The value as JSON.
    fn write(&self, value: &T) -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: Payload> CarriesDatum<T> for Json {
    fn read(&self, value: &Value) -> Option<T> {
        T::deserialize(value).ok()
    }

    fn write(&self, value: &T) -> Value {
        // What JSON cannot hold arrives as null, and then the error arrives untyped, with its code and message.
        serde_json::to_value(value).unwrap_or_default()
    }
}

/// How one field of an error's variant travels.
pub struct Datum<T: 'static>(&'static dyn CarriesDatum<T>);

/// How a field of type `T` travels.
#[must_use]
pub const fn datum<T>(carrier: &'static dyn CarriesDatum<T>) -> Datum<T> {
    Datum(carrier)
}

impl<T> Datum<T> {
    /// The field as JSON.
    pub fn write(&self, value: &T) -> Value {
        self.0.write(value)
    }

    /// The field that is all of the data.
    pub fn read(&self, wire: &WireError) -> Option<T> {
        self.0.read(wire.data.as_ref()?)
    }

    /// The field at a key or an index of the data. A missing one is null, so that an `Option` may be added later.
    pub fn read_at(&self, wire: &WireError, index: impl Index) -> Option<T> {
        self.0.read(wire.data.as_ref()?.get(index).unwrap_or(&Value::Null))
    }
}

impl<T> fmt::Debug for Datum<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datum").finish_non_exhaustive()
    }
}

/// The data of a variant with named fields.
pub fn object<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What an error says of itself.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot say what went wrong",
    label = "has no `Display`",
    note = "derive `thiserror::Error` for it, or implement `Display`"
)]
pub trait Says<E> {
    /// The text for people.
    fn text(&self, error: &E) -> String;
}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display> Says<E> for Json {
    fn text(&self, error: &E) -> String {
        error.to_string()
    }
}

const UPSTREAM_MESSAGE: &str = "a call to another endpoint failed";

/// A failure of another endpoint as the variant `code` passes it on: the upstream code and whether a retry makes sense.
/// The upstream text stays in this process's log.
pub fn write_upstream<E: RemoteError>(code: &'static str, error: &CallError<E>) -> WireError {
    let upstream = match error {
        CallError::Remote(error) => error.to_wire(),
        CallError::Transport(error) => error.to_wire(),
    };
    let internal = match &upstream.internal {
        Some(internal) => format!("{}: {internal}", upstream.message),
        None => upstream.message.clone(),
    };
    let mut wire = WireError::new(code, UPSTREAM_MESSAGE)
        .with_data(object([("code", Value::from(&*upstream.code))]))
        .with_internal(internal);
    wire.retryable = upstream.retryable;
    wire
}

/// The failure of another endpoint that [`write_upstream`] passed on.
#[must_use]
pub fn read_upstream<E>(wire: &WireError) -> Option<CallError<E>> {
    let code = wire.data.as_ref()?.get("code")?.as_str()?;
    Some(CallError::upstream(code.to_owned(), wire.retryable))
}
