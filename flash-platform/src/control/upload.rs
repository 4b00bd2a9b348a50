use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::{Method, StatusCode};
use tokio::sync::watch;

use super::backoff::Backoff;
use super::error::ControlError;
use super::platform::Progress;
use super::sender::{LONGEST_WAIT, retry_after};
use crate::http::{HttpClient, unreachable};

/// Tries and time of an upload (platform contract D.5).
const TRIES: u32 = 3;
pub(super) const TIMEOUT: Duration = Duration::from_secs(600);
const CHUNK: usize = 1 << 18;

/// How files are put to a store.
pub(super) struct To<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) backoff: Backoff,
    pub(super) timeout: Duration,
}

impl To<'_> {
    /// Puts a file to a presigned address. Its query is the key, so it appears in no error.
    pub(super) async fn put(
        &self,
        url: &str,
        path: &Path,
        progress: Progress<'_>,
    ) -> Result<(), ControlError> {
        let what = "uploading the artifact";
        let local = |error: std::io::Error| ControlError::Local {
            what: what.to_owned(),
            reason: format!("`{}` cannot be read: {error}", path.display()),
        };
        let size = path.metadata().map_err(local)?.len();
        let backoff = Backoff { tries: TRIES, ..self.backoff };
        let mut tried = 0;
        loop {
            tried += 1;
            let failed =
                |reason: String| ControlError::Unreachable { what: what.to_owned(), reason, tries: tried };
            let (sent, mut seen) = watch::channel(0u64);
            let body = FileBody { file: File::open(path).map_err(local)?, left: size, sent: Arc::new(sent) };
            let request = self
                .http
                .request(Method::PUT, url)
                .map_err(|error| failed(error.to_string()))?
                .timeout(self.timeout)
                .header("content-type", "application/gzip")
                .header("content-length", size)
                .body(reqwest::Body::wrap(body));
            let sending = request.send();
            tokio::pin!(sending);
            let answer = loop {
                tokio::select! {
                    answer = &mut sending => break answer,
                    changed = seen.changed() => match changed {
                        Ok(()) => progress(*seen.borrow_and_update(), size),
                        // The body is sent; only the answer is missing.
                        Err(_) => break (&mut sending).await,
                    },
                }
            };
            let mut wait = None;
            let error = match answer {
                Ok(response) if response.status().is_success() => {
                    progress(size, size);
                    return Ok(());
                }
                Ok(response) => {
                    let status = response.status();
                    let reason = format!("the store answered {status}");
                    wait = retry_after(&response).filter(|wait| *wait <= LONGEST_WAIT);
                    // An address that has expired will not recover; everything else of the 400s is our mistake.
                    if status.is_client_error()
                        && status != StatusCode::REQUEST_TIMEOUT
                        && status != StatusCode::TOO_MANY_REQUESTS
                    {
                        return Err(ControlError::Refused {
                            what: what.to_owned(),
                            status: status.as_u16(),
                            reason,
                        });
                    }
                    failed(reason)
                }
                Err(error) => failed(unreachable(error).to_string()),
            };
            let Some(pause) = backoff.after(tried) else { return Err(error) };
            tracing::debug!(tried, %error, "uploading again");
            tokio::time::sleep(wait.unwrap_or(pause)).await;
        }
    }
}

/// The bytes of a file, and how many were taken.
struct FileBody {
    file: File,
    left: u64,
    sent: Arc<watch::Sender<u64>>,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    /// Reads from the file directly: it is local, and the command has nothing else to do.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = CHUNK.min(usize::try_from(self.left).unwrap_or(CHUNK));
        let mut chunk = vec![0; length];
        if let Err(error) = self.file.read_exact(&mut chunk) {
            return Poll::Ready(Some(Err(error)));
        }
        self.left -= length as u64;
        self.sent.send_modify(|sent| *sent += length as u64);
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
