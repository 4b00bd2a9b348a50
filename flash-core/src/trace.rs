use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::str::FromStr;

/// Which trace a request belongs to, and which span of it sent it (W3C Trace Context, `traceparent`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl TraceContext {
    /// A new trace.
    #[must_use]
    pub fn root() -> Self {
        let mut trace = [0; 16];
        let (low, high) = trace.split_at_mut(8);
        low.copy_from_slice(&new_span());
        high.copy_from_slice(&new_span());
        Self { trace, span: new_span(), flags: 1 }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span: new_span(), ..*self }
    }

    /// The trace's id, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        let mut text = [0; 32];
        hex(&self.trace, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Random bytes, never all zero. They come from a hasher whose secret keys the standard library takes from the system once per
/// thread and never uses twice: asking the system each time would cost a call more than its arguments do.
fn new_span() -> [u8; 8] {
    RandomState::new().build_hasher().finish().max(1).to_be_bytes()
}

/// Writes two hexadecimal digits for each byte.
fn hex(bytes: &[u8], text: &mut [u8]) {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    for (byte, digits) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        digits[0] = digit(byte >> 4);
        digits[1] = digit(byte & 0xf);
    }
}

/// The text is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent: 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")]
#[non_exhaustive]
pub struct NotATraceParent;

impl FromStr for TraceContext {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(NotATraceParent);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let [version] = bytes::<1>(version)?;
        // A later version may have more parts; 255 is none.
        if version == 255 || (version == 0 && parts.next().is_some()) {
            return Err(NotATraceParent);
        }
        let (trace, span, [flags]) = (bytes::<16>(trace)?, bytes::<8>(span)?, bytes::<1>(flags)?);
        if trace == [0; 16] || span == [0; 8] {
            return Err(NotATraceParent);
        }
        Ok(Self { trace, span, flags })
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], NotATraceParent> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.as_bytes().iter().all(is_hex) {
        return Err(NotATraceParent);
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| NotATraceParent)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| NotATraceParent)?;
    }
    Ok(bytes)
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Version 0, and three numbers between dashes.
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex(&self.trace, &mut text[3..35]);
        hex(&self.span, &mut text[36..52]);
        hex(&[self.flags], &mut text[53..]);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_sample_survives_and_a_child_stays_in_the_trace() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace: TraceContext = text.parse().unwrap();
        assert_eq!(trace.to_string(), text);
        let child = trace.child();
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child, trace);
        let root = TraceContext::root();
        assert_eq!(root.to_string().parse(), Ok(root));
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(text.parse::<TraceContext>().is_err(), "{text}");
        }
        assert!(
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later".parse::<TraceContext>().is_ok()
        );
    }
}
