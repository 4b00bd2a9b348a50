mod escape;
mod sink;
mod writer;

pub(crate) use escape::plain_length;

use std::any::{Any, TypeId};

use serde::Serialize;
use sink::Sink;
use writer::Writer;

use crate::bytes::Bytes;
use crate::error::{WireError, code};
use crate::response::ResponseHead;

/// A success as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// The JSON text; empty where `raw` is there.
    pub json: Vec<u8>,
    /// Whether the value was `()`, which HTTP answers with no body.
    pub is_unit: bool,
    /// The bytes that are all of the reply, where the form allows that.
    pub raw: Option<Box<Bytes>>,
    /// Status and headers that the function chose, checked. They mean nothing outside of HTTP.
    pub head: Option<Box<ResponseHead>>,
}

impl Encoded {
    /// A success that is this JSON text.
    #[must_use]
    pub fn of_json(json: Vec<u8>) -> Self {
        Self { json, is_unit: false, raw: None, head: None }
    }
}

/// How a door wants a reply, and how large it may be. A plain number is the limit of a reply in JSON.
#[derive(Debug, Clone, Copy)]
pub struct ReplyForm {
    limit: usize,
    expected: usize,
    raw: bool,
}

impl ReplyForm {
    /// JSON of at most `limit` bytes. [`Bytes`] are text in base64.
    #[must_use]
    pub const fn json(limit: usize) -> Self {
        Self { limit, expected: 0, raw: false }
    }

    /// [`Bytes`] as they are ([`Encoded::raw`]), and everything else as JSON; at most `limit` bytes. For an HTTP door whose
    /// client does not ask for JSON: one that sends `accept: application/json`, as the caller of a remote function does,
    /// gets [`json`](Self::json).
    #[must_use]
    pub const fn raw(limit: usize) -> Self {
        Self { limit, expected: 0, raw: true }
    }

    /// As large as the reply will likely be, in bytes: what the last one had. A large reply that finds its room has not to be
    /// moved as it grows.
    #[must_use]
    pub const fn expecting(self, bytes: usize) -> Self {
        Self { expected: bytes, ..self }
    }

    /// Most bytes of the reply.
    #[must_use]
    pub const fn limit(self) -> usize {
        self.limit
    }
}

impl From<usize> for ReplyForm {
    fn from(limit: usize) -> Self {
        Self::json(limit)
    }
}

/// A payload that is over its limit. The size is the whole payload's, counted to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("payload of {size} bytes is over the limit of {limit} bytes")]
pub struct TooLarge {
    /// Bytes that the payload has.
    pub size: usize,
    /// Bytes that are allowed.
    pub limit: usize,
}

/// `what` is the value in the message of an error, such as "the result".
pub(crate) fn encode<T: Serialize + 'static>(
    value: &T,
    form: ReplyForm,
    what: &str,
) -> Result<Encoded, WireError> {
    if form.raw
        && let Some(bytes) = (value as &dyn Any).downcast_ref::<Bytes>()
    {
        return raw(bytes, form.limit, what);
    }
    let mut sink = Sink::new(form.limit, form.expected);
    value.serialize(Writer::new(&mut sink)).map_err(|error| {
        WireError::new(code::INTERNAL, format!("{what} could not be encoded as JSON"))
            .with_internal(error.to_string())
    })?;
    let json = sink.finish().map_err(|over| too_large(over, what))?;
    Ok(Encoded { is_unit: TypeId::of::<T>() == TypeId::of::<()>(), ..Encoded::of_json(json) })
}

fn raw(bytes: &Bytes, limit: usize, what: &str) -> Result<Encoded, WireError> {
    if bytes.len() > limit {
        return Err(too_large(TooLarge { size: bytes.len(), limit }, what));
    }
    Ok(Encoded { raw: Some(Box::new(bytes.clone())), ..Encoded::of_json(Vec::new()) })
}

#[cold]
fn too_large(over: TooLarge, what: &str) -> WireError {
    WireError::new(code::RESULT_TOO_LARGE, format!("{what} is too large: {over}")).terminal()
}

/// Writes the arguments of a call as one JSON object, never keeping more than its limit.
#[derive(Debug)]
pub struct FieldWriter {
    sink: Sink,
    error: Option<String>,
    /// The next field is written without its name, because it is the whole object.
    is_whole: bool,
}

impl FieldWriter {
    /// A writer that keeps at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let mut sink = Sink::new(limit, 0);
        sink.push(b"{");
        Self { sink, error: None, is_whole: false }
    }

    /// Adds one field. What cannot be encoded is reported by [`finish`](Self::finish).
    pub fn put<T: Serialize>(&mut self, name: &str, value: &T) {
        self.key(name);
        if let Err(error) = value.serialize(Writer::new(&mut self.sink)) {
            self.fail(name, &error);
        }
    }

    /// Adds a field that is JSON text already.
    pub fn put_raw(&mut self, name: &str, json: &[u8]) {
        self.key(name);
        self.sink.push(json);
    }

    /// Writes a value whose own fields become fields of this object.
    pub(crate) fn put_whole(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let (start, size) = (self.sink.bytes.len(), self.sink.size);
        self.is_whole = true;
        write(self);
        self.is_whole = false;
        if self.error.is_some() || self.sink.size > self.sink.limit {
            return;
        }
        let inner = match self.sink.bytes.get(start..) {
            Some([b'{', inner @ .., b'}']) => inner.to_vec(),
            // An `Option` that is missing.
            Some(b"null") => Vec::new(),
            _ => {
                let text = format!("argument `{name}` is the whole body, and that has to be a JSON object");
                self.error = Some(text);
                return;
            }
        };
        self.sink.bytes.truncate(start);
        self.sink.size = size;
        if !inner.is_empty() {
            if size > 1 {
                self.sink.push(b",");
            }
            self.sink.push(&inner);
        }
    }

    fn key(&mut self, name: &str) {
        if self.is_whole {
            return;
        }
        if self.sink.size > 1 {
            self.sink.push(b",");
        }
        escape::push(&mut self.sink, name);
        self.sink.push(b":");
    }

    #[cold]
    fn fail(&mut self, name: &str, error: &serde_json::Error) {
        self.error.get_or_insert_with(|| format!("argument `{name}` cannot be encoded as JSON: {error}"));
    }

    /// The finished object.
    ///
    /// # Errors
    /// An argument that JSON cannot hold, or an object over the limit.
    pub fn finish(mut self) -> Result<Vec<u8>, WireError> {
        self.sink.push(b"}");
        if let Some(error) = self.error {
            return Err(WireError::new(code::INVALID_INPUT, error).terminal());
        }
        self.sink.finish().map_err(|over| {
            WireError::new(code::PAYLOAD_TOO_LARGE, format!("the arguments are too large: {over}"))
                .with_status(413)
                .terminal()
        })
    }
}
