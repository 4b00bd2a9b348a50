use std::fmt;

use crate::carry::Json;
use crate::encode::{Encoded, ReplyForm};
use crate::error::{Error, ErrorCase, WireError, code};
use crate::meta::ReplyKind;
use crate::remote::{Payload, RemoteError, Reply};
use crate::response::Response;
use crate::stream::{Producer, Stream, encoded};

/// Carries what a function returns.
#[derive(Debug, Clone, Copy)]
pub struct Answer;

/// What a function made, on its way out. Only named by generated code.
pub enum Written {
    /// One value.
    Value(Encoded),
    /// A stream.
    #[doc(hidden)]
    Stream(Producer),
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Stream(_) => "Stream",
        })
    }
}

/// Sends and reads back what a function of return type `R` returned.
#[diagnostic::on_unimplemented(
    message = "remote functions must return a `Result`",
    label = "not a `Result`",
    note = "a call can fail on its way, so the caller always gets a `Result`"
)]
pub trait Returns<R>: Sync {
    /// Encodes what was returned, a success in this form.
    ///
    /// # Errors
    /// What the function failed with, or a result that cannot be sent.
    fn encode(&self, returned: R, form: ReplyForm) -> Result<Written, WireError>;
    /// Which kind of success it is.
    fn kind(&self) -> ReplyKind;
    /// The errors that are known beforehand.
    fn errors(&self) -> &'static [ErrorCase];
    /// A success with the one item that was sent, where it is a stream.
    ///
    /// # Errors
    /// JSON of another type.
    fn decode_item(&self, json: &[u8]) -> Result<R, Error>;
    /// The success that was sent; a stream as the array of its items.
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
    Json: CarriesReply<T, E> + CarriesError<E>,
{
    fn encode(&self, returned: Result<T, E>, form: ReplyForm) -> Result<Written, WireError> {
        match returned {
            Ok(value) => CarriesReply::<T, E>::write_reply(&Json, value, form),
            Err(error) => Err(Json.write_error(&error)),
        }
    }

    fn kind(&self) -> ReplyKind {
        CarriesReply::<T, E>::kind(&Json)
    }

    fn errors(&self) -> &'static [ErrorCase] {
        CarriesError::<E>::cases(&Json)
    }

    fn decode_item(&self, json: &[u8]) -> Result<Result<T, E>, Error> {
        CarriesReply::<T, E>::read_item(&Json, json).map(Ok)
    }

    fn decode(&self, json: &[u8]) -> Result<Result<T, E>, Error> {
        CarriesReply::<T, E>::read_reply(&Json, json).map(Ok)
    }

    fn decode_error(&self, wire: WireError) -> Result<Result<T, E>, WireError> {
        Json.read_error(wire).map(Err)
    }
}

/// What a function returns, without its type.
pub(crate) trait AnyReturns: Sync {
    fn kind(&self) -> ReplyKind;
    fn errors(&self) -> &'static [ErrorCase];
}

/// What a function of return type `R` returns.
pub struct Returned<R: 'static>(pub &'static dyn Returns<R>);

impl<R> AnyReturns for Returned<R> {
    fn kind(&self) -> ReplyKind {
        self.0.kind()
    }

    fn errors(&self) -> &'static [ErrorCase] {
        self.0.errors()
    }
}

impl<R> fmt::Debug for Returned<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn AnyReturns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyReturns")
    }
}

/// Reads and writes results of a function that fails with `E`.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; of a `Result<Stream<T, E>, E>`, for its items"
)]
pub trait CarriesReply<T, E> {
    /// Encodes a success.
    ///
    /// # Errors
    /// A value that cannot be sent.
    fn write_reply(&self, value: T, form: ReplyForm) -> Result<Written, WireError>;
    /// Decodes a success.
    ///
    /// # Errors
    /// JSON of another type.
    fn read_reply(&self, json: &[u8]) -> Result<T, Error>;
    /// Which kind of success it is.
    fn kind(&self) -> ReplyKind;
    /// A stream of the one item.
    ///
    /// # Errors
    /// JSON of another type, or no stream.
    fn read_item(&self, json: &[u8]) -> Result<T, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Reply, E> CarriesReply<T, E> for Json {
    fn write_reply(&self, value: T, form: ReplyForm) -> Result<Written, WireError> {
        value.into_encoded(form).map(Written::Value)
    }

    fn read_reply(&self, json: &[u8]) -> Result<T, Error> {
        T::from_encoded(json)
    }

    fn kind(&self) -> ReplyKind {
        T::kind()
    }

    fn read_item(&self, _: &[u8]) -> Result<T, Error> {
        Err(Error::new(code::INTERNAL, "the function does not stream"))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Reply, E> CarriesReply<Response<T>, E> for Json {
    fn write_reply(&self, value: Response<T>, form: ReplyForm) -> Result<Written, WireError> {
        let (head, body) = value.into_parts();
        head.check()?;
        let mut encoded = body.into_encoded(form)?;
        encoded.head = Some(Box::new(head));
        Ok(Written::Value(encoded))
    }

    fn read_reply(&self, json: &[u8]) -> Result<Response<T>, Error> {
        T::from_encoded(json).map(Response::new)
    }

    fn kind(&self) -> ReplyKind {
        T::kind()
    }

    fn read_item(&self, _: &[u8]) -> Result<Response<T>, Error> {
        Err(Error::new(code::INTERNAL, "the function does not stream"))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload, E: RemoteError> CarriesReply<Stream<T, E>, E> for Json {
    fn write_reply(&self, value: Stream<T, E>, _: ReplyForm) -> Result<Written, WireError> {
        Ok(Written::Stream(encoded(value)))
    }

    fn read_reply(&self, json: &[u8]) -> Result<Stream<T, E>, Error> {
        let items: Vec<T> = serde_json::from_slice(json).map_err(|error| Error::bad_answer(&error))?;
        Ok(Stream::iter(items.into_iter().map(Ok)))
    }

    fn kind(&self) -> ReplyKind {
        ReplyKind::Stream
    }

    fn read_item(&self, json: &[u8]) -> Result<Stream<T, E>, Error> {
        serde_json::from_slice(json).map(Stream::one).map_err(|error| Error::bad_answer(&error))
    }
}

/// Reads and writes errors.
#[diagnostic::on_unimplemented(
    message = "`{E}` cannot be returned from a remote function as an error",
    label = "not a remote error",
    note = "add `#[derive(flash::RemoteError)]` to it, or return `flash::Error`"
)]
pub trait CarriesError<E> {
    /// The errors that are known beforehand.
    fn cases(&self) -> &'static [ErrorCase];
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
    fn cases(&self) -> &'static [ErrorCase] {
        E::CASES
    }

    fn write_error(&self, error: &E) -> WireError {
        error.to_wire()
    }

    fn read_error(&self, wire: WireError) -> Result<E, WireError> {
        E::from_wire(wire)
    }
}
