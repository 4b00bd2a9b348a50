//! How a streamed result travels over HTTP: as server-sent events (WHATWG HTML standard, section 9.2).
//!
//! - Each item is an event without a name, and its data is the item's JSON, which has no line breaks: `data: {"n":1}`.
//! - A stream that came to its end closes with the event `end`, whose data is `null`.
//! - A stream that failed closes with the event `error`, whose data is the same problem document (RFC 9457) that a failure
//!   before the first item would have been: `event: error`, `data: {"code":"too_long",…}`.
//! - A comment (`: keep-alive`) every [`KEEP_ALIVE_SECS`] seconds without an item keeps proxies from closing the connection.
//!
//! So a stream that ends without `end` and without `error` was cut off, and a reader must say so.

/// The content type of a stream.
pub const CONTENT_TYPE: &str = "text/event-stream";
/// The name of the event that closes a stream which came to its end.
pub const END: &str = "end";
/// The name of the event that closes a stream which failed.
pub const ERROR: &str = "error";
/// Seconds without an item after which a comment is sent.
pub const KEEP_ALIVE_SECS: u64 = 15;
/// The comment that is sent when there is nothing to say.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// The event of one item, whose JSON text must not have line breaks; that of `serde_json` has none.
#[must_use]
pub fn item(json: &[u8]) -> Vec<u8> {
    event(None, json)
}

/// The last event of a stream that came to its end.
#[must_use]
pub fn end() -> Vec<u8> {
    event(Some(END), b"null")
}

/// The last event of a stream that failed, with the problem document as JSON text without line breaks.
#[must_use]
pub fn error(problem: &[u8]) -> Vec<u8> {
    event(Some(ERROR), problem)
}

fn event(name: Option<&str>, data: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(data.len() + 24);
    if let Some(name) = name {
        event.extend_from_slice(b"event: ");
        event.extend_from_slice(name.as_bytes());
        event.push(b'\n');
    }
    event.extend_from_slice(b"data: ");
    event.extend_from_slice(data);
    event.extend_from_slice(b"\n\n");
    event
}

/// An event as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty for an item.
    pub name: String,
    /// Its data, with the line breaks of several `data` lines.
    pub data: String,
}

/// Puts events together from the pieces in which a body arrives.
#[derive(Debug, Default)]
pub struct Decoder {
    /// A line that is not complete yet.
    line: Vec<u8>,
    name: String,
    data: Option<String>,
    /// A line ended with `\r`, so a `\n` that follows belongs to it.
    after_return: bool,
}

impl Decoder {
    /// Nothing received yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that are kept until their event is complete; a reader bounds them.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.line.len() + self.data.as_ref().map_or(0, String::len)
    }

    /// Takes a piece of the body, and gives the events that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in piece {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' => events.extend(self.end_of_line()),
                b'\r' => {
                    self.after_return = true;
                    events.extend(self.end_of_line());
                }
                byte => self.line.push(byte),
            }
        }
        events
    }

    fn end_of_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return self.data.take().map(|data| Event { name, data });
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("event", _) => self.name = value.to_owned(),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", None) => self.data = Some(value.to_owned()),
            // Comments, ids and retry times mean nothing here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_however_it_is_cut() {
        let mut text = item(br#"{"n":1}"#);
        text.extend_from_slice(KEEP_ALIVE);
        text.extend(item(br#""a: b""#));
        text.extend(error(br#"{"code":"x"}"#));
        text.extend(end());
        let expected: Vec<Event> =
            [("", r#"{"n":1}"#), ("", r#""a: b""#), ("error", r#"{"code":"x"}"#), ("end", "null")]
                .map(|(name, data)| Event { name: name.to_owned(), data: data.to_owned() })
                .into();
        for size in 1..text.len() {
            let mut decoder = Decoder::new();
            let events: Vec<Event> = text.chunks(size).flat_map(|piece| decoder.push(piece)).collect();
            assert_eq!(events, expected, "in pieces of {size}");
            assert_eq!(decoder.buffered(), 0);
        }
    }

    #[test]
    fn streams_of_others_are_read_too() {
        let text = b"\r\nid: 1\r\ndata:a\r\ndata: b\r\n\r\nevent: x\rdata\r\rdata: cut";
        for size in [1, text.len()] {
            let mut decoder = Decoder::new();
            let events: Vec<Event> = text.chunks(size).flat_map(|piece| decoder.push(piece)).collect();
            let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
            assert_eq!(events, [event("", "a\nb"), event("x", "")]);
            assert!(decoder.buffered() > 0);
        }
    }
}
