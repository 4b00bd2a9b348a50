//! Reading a body up to a limit.

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

use crate::QueueError;

/// How much of a body that is over its limit is read and thrown away. A client that is still sending when the answer
/// comes takes it for a broken connection, so the rest is read; but not without end.
const DISCARD_MAX: u64 = 256 * 1024 * 1024;

/// A body that is over its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oversize {
    /// Bytes that were sent (or announced, when there were too many to read).
    pub(super) size: u64,
}

/// Reads a body of up to `limit` bytes. The outer error is a connection that broke.
pub(super) async fn read(mut body: Body, limit: usize) -> Result<Result<Bytes, Oversize>, QueueError> {
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        let read = discard(body, 0).await?;
        return Ok(Err(Oversize { size: read.max(announced.lower()) }));
    }
    let Some(first) = next(&mut body).await? else { return Ok(Ok(Bytes::new())) };
    if body.is_end_stream() && first.len() <= limit {
        return Ok(Ok(first));
    }
    let mut whole = Vec::with_capacity(usize::try_from(announced.lower()).unwrap_or(0).max(2 * first.len()));
    let mut chunk = Some(first);
    while let Some(bytes) = chunk {
        if whole.len() + bytes.len() > limit {
            let size = discard(body, (whole.len() + bytes.len()) as u64).await?;
            return Ok(Err(Oversize { size }));
        }
        whole.extend_from_slice(&bytes);
        chunk = next(&mut body).await?;
    }
    Ok(Ok(whole.into()))
}

async fn discard(mut body: Body, mut size: u64) -> Result<u64, QueueError> {
    while size < DISCARD_MAX
        && let Some(bytes) = next(&mut body).await?
    {
        size += bytes.len() as u64;
    }
    Ok(size)
}

/// The next bytes of a body; trailers are skipped.
async fn next(body: &mut Body) -> Result<Option<Bytes>, QueueError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| QueueError::Invalid(format!("body could not be read: {error}")))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}
