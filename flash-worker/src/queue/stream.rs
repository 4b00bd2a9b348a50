use flash_core::{Chunks, Encoded, Outcome, WireError, code};

/// The way of a stream's items to the queue.
pub(crate) trait ItemWay: Sync {
    /// Whether items can be sent one by one at all.
    fn is_there(&self) -> bool;
    /// Brings one item, as JSON, to the queue, and comes back when it is there.
    fn send(&self, json: Vec<u8>) -> impl Future<Output = Result<(), WireError>> + Send;
}

/// For a job whose result is wanted in one piece.
pub(crate) struct NoWay;

impl ItemWay for NoWay {
    fn is_there(&self) -> bool {
        false
    }

    async fn send(&self, _: Vec<u8>) -> Result<(), WireError> {
        Ok(())
    }
}

/// Sends item after item. The producer is not asked for the next one before the last one has arrived. What the job ends
/// with is the array of all items, for callers who did not listen (platform contract B.7).
///
/// An array over `limit` bytes cannot be sent. Whoever listened has all items, so the job does not fail then: its output
/// says where they were.
pub(crate) async fn deliver(mut chunks: Chunks, limit: usize, way: &impl ItemWay) -> Outcome {
    if !way.is_there() {
        return chunks.collect(limit).await;
    }
    let mut all = b"[".to_vec();
    let mut size = 2;
    while let Some(item) = chunks.next().await {
        let json = item?.json;
        size += json.len() + 1;
        if size <= limit {
            if all.len() > 1 {
                all.push(b',');
            }
            all.extend_from_slice(&json);
        } else {
            // Not needed any more, and the stream may go on for long.
            all = Vec::new();
        }
        way.send(json).await?;
    }
    if size > limit {
        tracing::warn!(
            bytes = size,
            limit,
            "the items of the stream are too large for one result; they were streamed"
        );
        let text =
            format!("{size} bytes of items were streamed, too many for one output: read them as a stream");
        let json =
            serde_json::to_vec(&text).map_err(|error| WireError::new(code::INTERNAL, error.to_string()))?;
        return Ok(Encoded::of_json(json));
    }
    all.push(b']');
    Ok(Encoded::of_json(all))
}
