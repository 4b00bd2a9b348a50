//! What workers write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use flash_core::clock::{Clock, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line that a worker wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read.
    pub at: Timestamp,
    /// Where it was written to.
    pub source: Source,
    /// The line, without its end. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// A line longer than this is cut into several.
const LINE_MAX: usize = 64 * 1024;

/// The last lines of one worker.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
    most: usize,
}

impl Logs {
    pub(super) fn new(most: usize) -> Self {
        Self { lines: Arc::default(), most }
    }

    pub(super) fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: LogLine) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == self.most {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads lines until the other side is closed.
    pub(super) async fn follow(self, mut from: impl AsyncRead + Unpin, source: Source, clock: Clock) {
        let mut pending = Vec::new();
        let mut buffer = [0; 8 * 1024];
        let push = |line: &[u8]| {
            let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            self.push(LogLine { at: clock.now(), source, text });
        };
        // A read error is the end as well: there is nobody who could do anything about it.
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            pending.extend_from_slice(&buffer[..count]);
            let mut rest = pending.as_slice();
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                push(&rest[..end]);
                rest = &rest[end + 1..];
            }
            if rest.len() >= LINE_MAX {
                push(rest);
                rest = &[];
            }
            pending = rest.to_vec();
        }
        if !pending.is_empty() {
            push(&pending);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], most: usize) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let logs = Logs::new(most);
        runtime.block_on(logs.clone().follow(bytes, Source::Stdout, Clock::real()));
        logs.lines().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_split_bounded_and_complete() {
        assert_eq!(read(b"one\r\ntwo\n\nlast", 10), ["one", "two", "", "last"]);
        assert_eq!(read(b"1\n2\n3\n", 2), ["2", "3"]);
        assert_eq!(read(b"\xff\n", 2), ["\u{fffd}"]);
        let long = read(&[b'x'; 3 * LINE_MAX], 10);
        assert!(long.len() >= 3 && long.concat().len() == 3 * LINE_MAX, "{}", long.len());
    }
}
