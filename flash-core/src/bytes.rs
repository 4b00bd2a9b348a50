use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes padding, and reads text with and without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes, such as an image, as a parameter or a result of a remote function.
///
/// On HTTP they are the body itself, with their content type, or a file of a multipart form. In JSON, as on a queue or inside
/// of another value, they are text in base64 (RFC 4648, section 4); a data URL (`data:image/png;base64,…`) is read too, and
/// brings its content type along.
///
/// Two are equal when they have the same bytes, whatever these are called.
///
/// ```
/// let png = flash_core::Bytes::new(vec![0x89, b'P', b'N', b'G']).with_content_type("image/png");
/// assert_eq!(serde_json::to_string(&png).unwrap(), r#""iVBORw==""#);
/// ```
#[derive(Clone, Default)]
pub struct Bytes {
    bytes: bytes::Bytes,
    content_type: Option<Cow<'static, str>>,
    file_name: Option<Box<str>>,
}

impl Bytes {
    /// These bytes. Those of a `Vec`, a `String` or a `bytes::Bytes` are not copied.
    pub fn new(bytes: impl Into<bytes::Bytes>) -> Self {
        Self { bytes: bytes.into(), content_type: None, file_name: None }
    }

    /// Says what the bytes are, such as `image/png`. On HTTP a result without it is `application/octet-stream`.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<Cow<'static, str>>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Says what a file with these bytes is called.
    #[must_use]
    pub fn with_file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = Some(file_name.into().into());
        self
    }

    /// What the sender says that the bytes are: the content type of a request or of a file in a form. Nobody has checked it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The name of the file in a form, as the sender says. Nobody has checked it, so it is no path to write to.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The bytes, which share their memory with this value.
    #[must_use]
    pub fn into_inner(self) -> bytes::Bytes {
        self.bytes
    }

    /// The bytes as a vector, without a copy where nothing else has them.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes.into()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Into<bytes::Bytes>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self::new(bytes)
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Bytes {}

impl Hash for Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes")
            .field("len", &self.bytes.len())
            .field("content_type", &self.content_type)
            .field("file_name", &self.file_name)
            .finish()
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.bytes))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64)
    }
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in base64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        let (content_type, base64) = match text.strip_prefix("data:").map(|url| url.split_once(";base64,")) {
            None => (None, text),
            Some(Some((content_type, base64))) => (Some(content_type), base64),
            Some(None) => return Err(E::custom("expected a data URL with `;base64,`")),
        };
        let bytes = BASE64
            .decode(base64)
            .map_err(|error| E::custom(format_args!("expected text in base64: {error}")))?;
        let bytes = Bytes::new(bytes);
        Ok(match content_type {
            None | Some("") => bytes,
            Some(content_type) => bytes.with_content_type(content_type.to_owned()),
        })
    }
}
