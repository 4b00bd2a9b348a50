use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use super::vitals::Busy;

/// The body of an answer. What a function returned stands in it as it is; only bodies of others are boxed.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Kind,
    /// Until the answer is written the connection is busy.
    _busy: Option<Busy>,
}

#[derive(Debug)]
enum Kind {
    Whole(Full<Bytes>),
    Other(axum::body::Body),
}

impl Answer {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { body: Kind::Whole(Full::new(bytes.into())), _busy: None }
    }

    pub(crate) fn other(body: axum::body::Body) -> Self {
        Self { body: Kind::Other(body), _busy: None }
    }

    pub(super) fn until_written(mut self, busy: Busy) -> Self {
        self._busy = Some(busy);
        self
    }

    /// For servers that are not ours.
    pub(crate) fn into_body(self) -> axum::body::Body {
        match self.body {
            Kind::Whole(body) => axum::body::Body::new(body),
            Kind::Other(body) => body,
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Kind::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Kind::Other(body) => Pin::new(body).poll_frame(cx),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.body {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Kind::Whole(body) => body.size_hint(),
            Kind::Other(body) => body.size_hint(),
        }
    }
}
