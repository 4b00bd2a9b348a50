use std::any::TypeId;
use std::io;

use serde::Serialize;

use crate::error::{WireError, code};

/// A success as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The JSON text.
    pub json: Vec<u8>,
    /// Whether the value was `()`, which HTTP answers with no body.
    pub is_unit: bool,
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
    limit: usize,
    what: &str,
) -> Result<Encoded, WireError> {
    let mut sink = Sink::new(limit);
    serde_json::to_writer(&mut sink, value).map_err(|error| {
        WireError::new(code::INTERNAL, format!("{what} could not be encoded as JSON"))
            .with_internal(error.to_string())
    })?;
    let json = sink.finish().map_err(|over| {
        WireError::new(code::RESULT_TOO_LARGE, format!("{what} is too large: {over}")).terminal()
    })?;
    Ok(Encoded { json, is_unit: TypeId::of::<T>() == TypeId::of::<()>() })
}

/// Writes the arguments of a call as one JSON object, never keeping more than its limit.
#[derive(Debug)]
pub struct FieldWriter {
    sink: Sink,
    error: Option<String>,
}

impl FieldWriter {
    /// A writer that keeps at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let mut sink = Sink::new(limit);
        sink.push(b"{");
        Self { sink, error: None }
    }

    /// Adds one field. What cannot be encoded is reported by [`finish`](Self::finish).
    pub fn put<T: Serialize>(&mut self, name: &str, value: &T) {
        self.key(name);
        if let Err(error) = serde_json::to_writer(&mut self.sink, value) {
            self.fail(name, &error);
        }
    }

    /// Adds a field that is JSON text already.
    pub fn put_raw(&mut self, name: &str, json: &[u8]) {
        self.key(name);
        self.sink.push(json);
    }

    fn key(&mut self, name: &str) {
        if self.sink.size > 1 {
            self.sink.push(b",");
        }
        // Names are Rust identifiers or `rename` texts; serde_json escapes what needs it.
        if let Err(error) = serde_json::to_writer(&mut self.sink, name) {
            self.fail(name, &error);
        }
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

/// Keeps up to a limit and only counts beyond it, so that the error can name the whole size.
#[derive(Debug)]
struct Sink {
    bytes: Vec<u8>,
    size: usize,
    limit: usize,
}

impl Sink {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::with_capacity(128), size: 0, limit }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len();
        if self.size <= self.limit {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn finish(self) -> Result<Vec<u8>, TooLarge> {
        if self.size > self.limit {
            return Err(TooLarge { size: self.size, limit: self.limit });
        }
        Ok(self.bytes)
    }
}

impl io::Write for Sink {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
