use crate::carry::Json;
use crate::encode::Encoded;
use crate::error::{Error, WireError};
use crate::remote::{RemoteError, Reply};

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
