//! What the files of a worker tell of it when it is gone.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use flash_core::clock::Timestamp;

use super::files::older;
use crate::supervisor::info::Exit;
use crate::supervisor::logs::LogLine;
use crate::supervisor::record::{Birth, Record};

/// The end of a file in which its last record is looked for.
const TAIL: u64 = 128 * 1024;

/// A worker of an earlier platform.
#[derive(Debug)]
pub(in crate::supervisor) struct Past {
    pub(in crate::supervisor) birth: Birth,
    pub(in crate::supervisor) ready: Option<Timestamp>,
    pub(in crate::supervisor) ended: Timestamp,
    pub(in crate::supervisor) exit: Exit,
    pub(in crate::supervisor) crashed: bool,
    pub(in crate::supervisor) path: PathBuf,
}

/// The last lines of a worker, from its files.
pub(in crate::supervisor) fn read(path: &Path, most: usize) -> VecDeque<LogLine> {
    let mut lines = VecDeque::new();
    for file in [older(path), path.to_owned()] {
        let Ok(file) = File::open(file) else { continue };
        // A line that is cut off is the last one of a platform that was killed.
        for text in BufReader::new(file).lines().map_while(Result::ok) {
            if let Ok(Record::Line(line)) = serde_json::from_str(&text) {
                if lines.len() >= most {
                    lines.pop_front();
                }
                lines.push_back(line);
            }
        }
    }
    lines
}

/// What a file tells of its worker. `None`: nothing.
pub(super) fn look(path: &Path) -> Option<Past> {
    let mut file = File::open(path).ok()?;
    let mut first = String::new();
    BufReader::new(&file).take(TAIL).read_line(&mut first).ok()?;
    let Ok(Record::Born(birth)) = serde_json::from_str(&first) else { return None };
    let meta = file.metadata().ok()?;
    file.seek(SeekFrom::Start(meta.len().saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let written = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut past = Past {
        ready: None,
        // Killed together with its platform: it wrote until then at the latest.
        ended: Timestamp::from_millis(u64::try_from(written.as_millis()).unwrap_or(u64::MAX)),
        exit: Exit { code: None, signal: None },
        crashed: false,
        birth,
        path: path.to_owned(),
    };
    // What it says last says it all: the end comes after the start, and has it in it.
    for line in String::from_utf8_lossy(&tail).lines().rev() {
        match serde_json::from_str(line) {
            Ok(Record::Ended { at, ready, exit, crashed }) => {
                (past.ended, past.ready, past.exit, past.crashed) = (at, ready, exit, crashed);
                break;
            }
            Ok(Record::Ready(at)) => {
                past.ready = Some(at);
                break;
            }
            _ => {}
        }
    }
    Some(past)
}
