//! Ids of what the control plane keeps.

use uuid::Uuid;

/// Lower-case letters and digits, as RunPod's ids are: short enough for a URL, random enough not to meet again.
pub(super) fn fresh(length: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut random = Uuid::new_v4().as_u128() ^ Uuid::new_v4().as_u128().rotate_left(64);
    let mut digit = || {
        let at = (random % 36) as usize;
        random /= 36;
        DIGITS[at] as char
    };
    // It begins with a letter, so that it is never taken for a number.
    let first = loop {
        let first = digit();
        if first.is_ascii_alphabetic() {
            break first;
        }
    };
    std::iter::once(first).chain((1..length).map(|_| digit())).collect()
}

/// The id of an endpoint.
pub(super) fn endpoint() -> String {
    fresh(14)
}

/// The id of anything else.
pub(super) fn object() -> String {
    fresh(10)
}
