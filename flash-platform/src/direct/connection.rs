use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// One HTTP/1.1 connection, which carries one request after the other.
///
/// Whoever waits for an answer drives it: a task of its own for each connection, as a general client has it, would be
/// woken twice for each request.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<Stream>, Full<Bytes>>,
    is_open: bool,
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection was closed before the request was sent. Here it is again.
    Closed(Box<Request<Full<Bytes>>>),
    /// It broke while the request was on its way, so the server may have seen it.
    OnTheWay(String),
    /// The answer is larger than anything that was asked for.
    TooLarge(usize),
}

impl Connection {
    pub(super) async fn open(stream: Stream) -> Result<Self, String> {
        let (sender, driver) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        Ok(Self { sender, driver, is_open: true })
    }

    /// Whether another request may be sent.
    pub(super) fn is_open(&self) -> bool {
        self.is_open && !self.sender.is_closed()
    }

    /// Sends a request, and reads the answer to its end, so that the connection can be used again.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), Broken> {
        let Self { sender, driver, is_open } = self;
        let mut answering = pin!(async {
            if sender.ready().await.is_err() {
                return Err(Broken::Closed(Box::new(request)));
            }
            let sent = sender.try_send_request(request).await;
            let response = sent.map_err(|mut failed| match failed.take_message() {
                Some(unsent) => Broken::Closed(Box::new(unsent)),
                None => Broken::OnTheWay(words(failed.error())),
            })?;
            let status = response.status();
            Ok((status, read(response.into_body(), limit).await?))
        });
        std::future::poll_fn(|cx| {
            // Before the answer, because it carries out what the answer waits for; after it, because the answer may
            // have asked for more.
            for _ in 0..2 {
                if *is_open && Pin::new(&mut *driver).poll(cx).is_ready() {
                    *is_open = false;
                }
                if let Poll::Ready(answer) = answering.as_mut().poll(cx) {
                    return Poll::Ready(answer);
                }
            }
            Poll::Pending
        })
        .await
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Broken> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Broken::OnTheWay(words(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        let size = first.len() + rest.len() + data.len();
        if size > limit {
            return Err(Broken::TooLarge(limit));
        }
        // Nearly every answer is a single piece.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// The innermost cause says more than "error sending request".
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

/// What a connection runs over.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
