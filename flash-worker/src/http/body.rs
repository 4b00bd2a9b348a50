use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flash_core::{WireError, code};
use http_body_util::BodyExt;

/// Largest request body in bytes (platform contract C).
pub(crate) const LIMIT: usize = 30_000_000;

/// Reads a body, at most `limit` bytes. The announced length sizes the buffer once; a small body is never copied.
pub(crate) async fn read(body: Body, announced: Option<usize>, limit: usize) -> Result<Bytes, WireError> {
    if let Some(size) = announced
        && size > limit
    {
        return Err(too_large(&format!("{size} bytes"), limit));
    }
    let mut body = body;
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if announced == Some(first.len()) {
        return Ok(first);
    }
    let mut buffer = BytesMut::with_capacity(announced.unwrap_or(first.len() * 2));
    buffer.extend_from_slice(&first);
    while let Some(chunk) = next(&mut body).await? {
        if buffer.len() + chunk.len() > limit {
            return Err(too_large(&format!("more than {limit} bytes"), limit));
        }
        buffer.extend_from_slice(&chunk);
    }
    Ok(buffer.freeze())
}

/// Reads a body whose length nobody announced.
pub(crate) async fn read_all(body: Body) -> Result<Bytes, WireError> {
    read(body, None, LIMIT).await
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, WireError> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => {
                return Err(WireError::new(code::INVALID_REQUEST, "the body could not be read to its end")
                    .with_internal(error.to_string()));
            }
        }
    }
}

fn too_large(size: &str, limit: usize) -> WireError {
    WireError::new(code::PAYLOAD_TOO_LARGE, format!("the body has {size}, the limit is {limit} bytes"))
        .terminal()
}
