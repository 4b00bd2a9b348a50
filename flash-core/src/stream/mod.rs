//! Results that arrive piece by piece.

mod channel;
mod chunks;
mod items;
mod split;
mod unfold;

pub use channel::{StreamClosed, StreamSender};
pub use chunks::{CHUNK_LIMIT, Chunks, Produced};
pub(crate) use chunks::{Producer, encoded};
pub use items::Stream;
pub(crate) use split::split;
pub use unfold::unfold;
