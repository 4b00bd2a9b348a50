use std::borrow::Cow;
use std::ops::Deref;

use crate::error::{WireError, code};

/// A result with an HTTP status and headers of its own: `Result<flash::Response<T>, E>`.
///
/// They are for the clients of an HTTP endpoint. On a queue there are none, and the caller of the remote function gets
/// the body.
///
/// ```
/// use flash_core::Response;
///
/// let created = Response::new("ada").with_status(201).with_header("location", "/users/ada");
/// assert_eq!(created.header("Location"), Some("/users/ada"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response<T> {
    body: T,
    head: ResponseHead,
}

/// Status and headers of a [`Response`], as a door sends them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHead {
    status: Option<u16>,
    headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl<T> Response<T> {
    /// This body, with the status that the function declares (200 unless it says otherwise).
    pub fn new(body: T) -> Self {
        Self { body, head: ResponseHead::default() }
    }

    /// Sets the status, from 200 to 599. Another one is an error (500) when the response is sent.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.head.status = Some(status);
        self
    }

    /// Adds a header; a second one of the same name stands beside the first. A name or a value that HTTP does not allow is an
    /// error (500) when the response is sent.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.head.headers.push((name.into(), value.into()));
        self
    }

    /// The status, where the function chose one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.head.status
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body.
    pub fn into_body(self) -> T {
        self.body
    }

    pub(crate) fn into_parts(self) -> (ResponseHead, T) {
        (self.head, self.body)
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

impl<T> From<T> for Response<T> {
    fn from(body: T) -> Self {
        Self::new(body)
    }
}

impl ResponseHead {
    /// The status, where the function chose one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The headers in their order. Names and values are such as HTTP allows.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Refuses what HTTP does not allow (RFC 9110, sections 5.1 and 5.5).
    pub(crate) fn check(&self) -> Result<(), WireError> {
        let refuse = |text: String| {
            Err(WireError::new(code::INTERNAL, "the function made a response that HTTP does not allow")
                .with_internal(text))
        };
        if let Some(status) = self.status
            && !(200..600).contains(&status)
        {
            return refuse(format!("status {status} is not one from 200 to 599"));
        }
        for (name, value) in self.headers() {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_token) {
                return refuse(format!("`{name}` is no name of a header"));
            }
            // A line break would begin another header.
            if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
                return refuse(format!("the value of the header `{name}` is not visible ASCII"));
            }
        }
        Ok(())
    }
}
