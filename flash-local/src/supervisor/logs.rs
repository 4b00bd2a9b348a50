//! What workers write.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use flash_core::clock::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;

use super::archive::{self, Page};
use super::info::Exit;
use super::record::Record;

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The platform itself, about this worker.
    System,
}

/// A line that a worker wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Counts the lines of its worker, from 1.
    pub number: u64,
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
pub(crate) struct Logs {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
    most: usize,
    clock: Clock,
    /// The number of the last line. Whoever follows the log waits for it to change; it is closed with the log.
    last: Arc<Mutex<Option<watch::Sender<u64>>>>,
    seen: watch::Receiver<u64>,
    /// Where the lines are kept on the disk.
    page: Arc<Mutex<Option<Page>>>,
    /// Where the lines are of a worker of an earlier platform. They are read when somebody asks for them.
    past: Option<Arc<(PathBuf, Once)>>,
}

impl Logs {
    pub(super) fn new(most: usize, clock: Clock, page: Option<Page>) -> Self {
        let (last, seen) = watch::channel(0);
        Self {
            lines: Arc::default(),
            most: most.max(1),
            clock,
            last: Arc::new(Mutex::new(Some(last))),
            seen,
            page: Arc::new(Mutex::new(page)),
            past: None,
        }
    }

    /// The log of a worker of an earlier platform.
    pub(super) fn past(most: usize, clock: Clock, path: PathBuf) -> Self {
        let logs = Self { past: Some(Arc::new((path, Once::new()))), ..Self::new(most, clock, None) };
        logs.close();
        logs
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.kept().iter().cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<LogLine>> {
        let lock = || self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, once)) = self.past.as_deref() {
            once.call_once(|| *lock() = archive::read(path, self.most));
        }
        lock()
    }

    /// Nothing is made for a disk that does not keep it.
    fn record(&self, record: impl FnOnce() -> Record) {
        if let Some(page) = &mut *self.page.lock().unwrap_or_else(PoisonError::into_inner) {
            page.write(&record());
        }
    }

    /// The worker is ready for the first time.
    pub(super) fn ready(&self, at: Timestamp) {
        self.record(|| Record::Ready(at));
        self.system("worker is ready");
    }

    /// The worker has ended. What comes later is not kept on the disk.
    pub(super) fn ended(&self, exit: Exit, crashed: bool, ready: Option<Timestamp>, at: Timestamp) {
        self.record(|| Record::Ended { at, ready, exit, crashed });
        self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    #[cfg(feature = "control-plane")]
    /// Changes with each line, and is closed when there will be no more.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.seen.clone()
    }

    /// Up to `most` lines after the one of this number, oldest first.
    #[cfg(feature = "ui")]
    pub(super) fn after(&self, number: u64, most: usize) -> Vec<LogLine> {
        let lines = self.kept();
        let from = lines.partition_point(|line| line.number <= number);
        lines.range(from..).take(most).cloned().collect()
    }

    /// Adds a line of the platform.
    pub(crate) fn system(&self, text: impl Into<String>) {
        self.push(Source::System, text.into());
    }

    /// There will be no more lines.
    pub(super) fn close(&self) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn push(&self, source: Source, text: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= self.most {
            lines.pop_front();
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *self.seen.borrow() + 1;
        let line = LogLine { number, at: self.clock.now(), source, text };
        self.record(|| Record::Line(line.clone()));
        lines.push_back(line);
        drop(lines);
        if let Some(last) = &*last {
            last.send_replace(number);
        }
    }

    /// Reads lines until the other side is closed.
    pub(super) async fn follow(self, mut from: impl AsyncRead + Unpin, source: Source) {
        let mut pending = Vec::new();
        let mut buffer = [0; 8 * 1024];
        let push = |line: &[u8]| {
            let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            self.push(source, text);
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
        let logs = Logs::new(most, Clock::real(), None);
        runtime.block_on(logs.clone().follow(bytes, Source::Stdout));
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
