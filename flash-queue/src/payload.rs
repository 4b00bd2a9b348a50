//! JSON text that travels through the queue without being parsed.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A piece of valid JSON, shared instead of copied.
///
/// It owns exactly its own bytes: a slice of a request's body would be free to make, but would keep the connection's whole
/// read buffer alive for as long as the job is queued.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// Checks that `json` is JSON and takes it.
    ///
    /// # Errors
    /// When it is not valid JSON.
    pub fn from_json(json: impl Into<Vec<u8>>) -> Result<Self, serde_json::Error> {
        let text = String::from_utf8(json.into()).map_err(serde::de::Error::custom)?;
        Ok(RawValue::from_string(text)?.into())
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The same, for `serde_json::from_str` and the wire types.
    pub fn raw(&self) -> &RawValue {
        &self.0
    }

    /// How many bytes of JSON it is.
    #[allow(clippy::len_without_is_empty, reason = "JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.get().len()
    }

    /// Whether it is an object without keys.
    pub fn is_empty_object(&self) -> bool {
        let inner = self.get().trim_ascii().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    }
}

impl From<Box<RawValue>> for Payload {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw.into())
    }
}

impl From<&RawValue> for Payload {
    fn from(raw: &RawValue) -> Self {
        raw.to_owned().into()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Payloads are the user's data and can be megabytes: neither belongs into a log.
        write!(f, "Payload({} bytes)", self.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_as_it_was() {
        let payload = Payload::from_json(r#"{"a":  1}"#).unwrap();
        assert_eq!(serde_json::to_string(&[&payload]).unwrap(), r#"[{"a":  1}]"#);
        assert_eq!(format!("{payload:?}"), "Payload(9 bytes)");
        assert!(Payload::from_json("{").is_err());
        assert!(Payload::from_json([0xff]).is_err());
    }

    #[test]
    fn only_an_object_without_keys_is_empty() {
        let empty = |text: &str| Payload::from_json(text).unwrap().is_empty_object();
        assert!(empty("{}") && empty("{ \n}"));
        assert!(!empty("null") && !empty("[]") && !empty(r#"{"a":{}}"#) && !empty(r#""{}""#));
    }
}
