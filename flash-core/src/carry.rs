//! How the types of a function travel, as values of `dyn Trait`.
//!
//! The expansion of `#[remote]` could ask `T: Payload` wherever it reads, writes or describes a parameter. A type that
//! is no payload would then be as many compile errors, each with a note about a bound deep in this crate. So it makes one
//! coercion for each type instead, such as `&Json` to `&dyn Carries<T>`: rustc reports that in our words, at the user's
//! type, in ten lines (compile-fail tests in `flash/tests/ui` hold it to that), and everything behind it has no bounds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::encode::{Encoded, FieldWriter};
use crate::error::{Error, WireError};
use crate::fields::{self, Fields};
use crate::inject::{Inject, Need};
use crate::meta::Param;
use crate::remote::{Payload, RemoteError, Reply};
use crate::scope::Scope;

/// Carries parameters, results and errors.
#[derive(Debug, Clone, Copy)]
pub struct Json;

/// Reads and writes parameters of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; to inject it, write `State<{T}>`"
)]
pub trait Carries<T>: Sync {
    /// Reads a field; what is wrong is recorded in `fields`.
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T>;
    /// Writes a field.
    fn write(&self, fields: &mut FieldWriter, name: &'static str, value: &T);
    /// Whether the field may be missing, as an `Option` may.
    fn may_be_missing(&self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Carries<T> for Json {
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T> {
        fields::slot(fields, name)
    }

    fn write(&self, fields: &mut FieldWriter, name: &'static str, value: &T) {
        fields.put(name, value);
    }

    fn may_be_missing(&self) -> bool {
        fields::may_be_missing::<T>()
    }
}

/// The place of one parameter: its name, and how its type is read and written.
pub struct Slot<T: 'static> {
    name: &'static str,
    type_text: &'static str,
    has_default: bool,
    carrier: &'static dyn Carries<T>,
}

/// The slot of a parameter `name`, whose type is written as `type_text`.
#[must_use]
pub const fn slot<T>(
    name: &'static str,
    type_text: &'static str,
    carrier: &'static dyn Carries<T>,
) -> Slot<T> {
    Slot { name, type_text, has_default: false, carrier }
}

impl<T> Slot<T> {
    /// The parameter may be missing.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { has_default: true, ..self }
    }

    /// What the function's metadata says of the parameter.
    #[must_use]
    pub const fn param(&'static self) -> Param {
        Param::new(self.name, self.type_text, self.has_default, self)
    }

    /// Reads the argument; what is wrong with it is recorded in `fields`.
    pub fn take(&self, fields: &mut Fields<'_>) -> Option<T> {
        self.carrier.read(fields, self.name)
    }

    /// Reads the argument, or makes its default when the field is missing.
    pub fn take_or(&self, fields: &mut Fields<'_>, default: impl FnOnce() -> T) -> Option<T> {
        if fields.contains(self.name) { self.take(fields) } else { Some(default()) }
    }

    /// Writes the argument.
    pub fn put(&self, fields: &mut FieldWriter, value: &T) {
        self.carrier.write(fields, self.name, value);
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("name", &self.name)
            .field("type", &self.type_text)
            .finish_non_exhaustive()
    }
}

/// A slot without its type.
pub(crate) trait AnySlot: Sync {
    fn may_be_missing(&self) -> bool;
}

impl<T> AnySlot for Slot<T> {
    fn may_be_missing(&self) -> bool {
        self.carrier.may_be_missing()
    }
}

impl fmt::Debug for dyn AnySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnySlot")
    }
}

/// Carries what a function returns.
#[derive(Debug, Clone, Copy)]
pub struct Answer;

/// Sends and reads back what a function of return type `R` returned.
#[diagnostic::on_unimplemented(
    message = "remote functions must return a `Result`",
    label = "not a `Result`",
    note = "a call can fail on its way, so the caller always gets a `Result`"
)]
pub trait Returns<R>: Sync {
    /// Encodes what was returned, a success with at most `limit` bytes.
    ///
    /// # Errors
    /// What the function failed with, or a result that cannot be sent.
    fn encode(&self, returned: R, limit: usize) -> Result<Encoded, WireError>;
    /// The success that was sent.
    ///
    /// # Errors
    /// JSON of another type.
    fn decode(&self, json: &[u8]) -> Result<R, Error>;
    /// The failure that was sent.
    ///
    /// # Errors
    /// Gives the wire form back where it is none of the function's own errors.
    fn decode_error(&self, wire: WireError) -> Result<R, WireError>;
}

/// A carrier for [`Returns`].
///
/// `impl Returns for Answer` would do, but then every error about a type in a `Result` had five more lines that point at
/// that implementation. rustc proposes no implementation that is for all types.
pub trait Carrier: Sync {}

impl Carrier for Answer {}

impl<C: Carrier, T: 'static, E: 'static> Returns<Result<T, E>> for C
where
    Json: CarriesReply<T> + CarriesError<E>,
{
    fn encode(&self, returned: Result<T, E>, limit: usize) -> Result<Encoded, WireError> {
        match returned {
            Ok(value) => Json.write_reply(value, limit),
            Err(error) => Err(Json.write_error(&error)),
        }
    }

    fn decode(&self, json: &[u8]) -> Result<Result<T, E>, Error> {
        Json.read_reply(json).map(Ok)
    }

    fn decode_error(&self, wire: WireError) -> Result<Result<T, E>, WireError> {
        Json.read_error(wire).map(Err)
    }
}

/// Reads and writes results.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it"
)]
pub trait CarriesReply<T> {
    /// Encodes a success, at most `limit` bytes.
    ///
    /// # Errors
    /// A value that cannot be sent.
    fn write_reply(&self, value: T, limit: usize) -> Result<Encoded, WireError>;
    /// Decodes a success.
    ///
    /// # Errors
    /// JSON of another type.
    fn read_reply(&self, json: &[u8]) -> Result<T, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Reply> CarriesReply<T> for Json {
    fn write_reply(&self, value: T, limit: usize) -> Result<Encoded, WireError> {
        value.into_encoded(limit)
    }

    fn read_reply(&self, json: &[u8]) -> Result<T, Error> {
        T::from_encoded(json)
    }
}

/// Reads and writes errors.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot be returned from a remote function as an error",
    label = "not a remote error",
    note = "add `#[derive(flash::RemoteError)]` to it, or return `flash::Error`"
)]
pub trait CarriesError<E> {
    /// What is sent.
    fn write_error(&self, error: &E) -> WireError;
    /// The error that was sent.
    ///
    /// # Errors
    /// Gives the wire form back where it is none of this type's own errors.
    fn read_error(&self, wire: WireError) -> Result<E, WireError>;
}

#[diagnostic::do_not_recommend]
impl<E: RemoteError> CarriesError<E> for Json {
    fn write_error(&self, error: &E) -> WireError {
        error.to_wire()
    }

    fn read_error(&self, wire: WireError) -> Result<E, WireError> {
        E::from_wire(wire)
    }
}

/// Supplies injected parameters.
#[derive(Debug, Clone, Copy)]
pub struct Injector;

/// Supplies parameters of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be injected",
    label = "cannot be injected",
    note = "`Context` is injected, and `State<M>` for a type `M` that implements `FromWorker`"
)]
pub trait Supplies<T>: Sync {
    /// What must be ready before the first job, if anything.
    fn need(&self) -> Option<Need>;
    /// The value for one invocation.
    fn supply<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
}

#[diagnostic::do_not_recommend]
impl<T: Inject> Supplies<T> for Injector {
    fn need(&self) -> Option<Need> {
        T::need()
    }

    fn supply<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>> {
        Box::pin(T::inject(scope))
    }
}

/// The place of one injected parameter.
pub struct Injected<T: 'static>(&'static dyn Supplies<T>);

/// The place of an injected parameter.
#[must_use]
pub const fn injected<T>(injector: &'static dyn Supplies<T>) -> Injected<T> {
    Injected(injector)
}

impl<T> Injected<T> {
    /// The value for one invocation.
    ///
    /// # Errors
    /// State that could not be built.
    pub fn get<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>> {
        self.0.supply(scope)
    }
}

/// What an injected parameter needs, without its type.
pub trait Needs: Sync {
    /// What must be ready before the first job, if anything.
    fn need(&self) -> Option<Need>;
}

impl<T> Needs for Injected<T> {
    fn need(&self) -> Option<Need> {
        self.0.need()
    }
}

impl<T> fmt::Debug for Injected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.need(), f)
    }
}

impl fmt::Debug for dyn Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.need(), f)
    }
}
