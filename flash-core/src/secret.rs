use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A key or a token. It shows itself in no log and no error.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value; `None` when it is blank, because a blank key is no key.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Option<Self> {
        let value = value.into();
        if value.trim().is_empty() { None } else { Some(Self(SecretString::from(value))) }
    }

    /// The value itself, for the one header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
