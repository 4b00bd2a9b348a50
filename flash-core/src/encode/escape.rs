use super::sink::Sink;

/// How many bytes are looked at together. The compiler makes a few vector instructions of it.
const CHUNK: usize = 32;

/// Writes text as a JSON string, escaped as serde_json escapes it.
///
/// Most bytes of a text need no escape. Looking at each of them alone, as serde_json does, is half the time that a large
/// answer takes.
pub(super) fn push(sink: &mut Sink, text: &str) {
    let mut rest = text.as_bytes();
    sink.push(b"\"");
    loop {
        let (plain, after) = rest.split_at(plain_length(rest));
        sink.push(plain);
        let [special, after @ ..] = after else { break };
        match special {
            b'"' => sink.push(b"\\\""),
            b'\\' => sink.push(b"\\\\"),
            b'\n' => sink.push(b"\\n"),
            b'\r' => sink.push(b"\\r"),
            b'\t' => sink.push(b"\\t"),
            0x08 => sink.push(b"\\b"),
            0x0c => sink.push(b"\\f"),
            control => {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                sink.push(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 0xf)]);
            }
        }
        rest = after;
    }
    sink.push(b"\"");
}

/// How many bytes at the beginning of a text in JSON stand for themselves.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(chunk) = bytes[length..].first_chunk::<CHUNK>()
        && !chunk.iter().fold(false, |any, byte| any | is_special(*byte))
    {
        length += CHUNK;
    }
    while let Some(word) = bytes[length..].first_chunk::<8>() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + bytes[length..].iter().position(|byte| is_special(*byte)).unwrap_or(bytes.len() - length)
}

/// The high bit of each of eight bytes that is special; what stands above the lowest of them is not exact.
#[inline]
fn specials(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (EACH << 7)
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut sink = Sink::new(usize::MAX, 0);
        push(&mut sink, text);
        String::from_utf8(sink.finish().unwrap()).unwrap()
    }

    #[test]
    fn every_byte_at_every_place_is_escaped_as_serde_json_does_it() {
        for special in (0..=0x7f).map(char::from).chain(['ä', '\u{2028}', '🦀']) {
            for place in [0, 1, 7, 8, 30, 31, 32, 33, 63, 64, 65, 70] {
                let text = format!("{}{special}{}", "a".repeat(place), "b".repeat(70 - place));
                assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
            }
        }
        assert_eq!(escaped(""), "\"\"");
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_as_serde_json_does_it(text in any::<String>(), times in 1_usize..5) {
            let text = text.repeat(times);
            prop_assert_eq!(escaped(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
