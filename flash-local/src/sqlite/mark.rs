//! The number of the last commit that was acknowledged, in a file of its own.
//!
//! A write-ahead log whose last frame is bad reads as a shorter log: SQLite opens it without a word, and acknowledged jobs are
//! gone. The mark is what tells. It is written after a commit and before its acknowledgement, so the database is never behind
//! it unless it lost something. It is synced once a second and at the end, not with each commit, which would double the price
//! of one: it survives the end of the process at once, and a power cut as it was at most a second earlier.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Two places, written in turn and in different sectors: a torn write leaves the other one.
const PLACES: [u64; 2] = [0, 512];
const RECORD: usize = 12;
const SYNC_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    synced: Instant,
}

impl Mark {
    /// Opens the mark and reads it. `None`: there is none yet, or it can not be read any more.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<u64>)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut last = None;
        for place in PLACES {
            let mut record = [0; RECORD];
            if file.read_exact_at(&mut record, place).is_ok() {
                last = last.max(decode(record));
            }
        }
        Ok((Self { file, synced: Instant::now() }, last))
    }

    pub(super) fn write(&mut self, commits: u64) -> io::Result<()> {
        let place = PLACES[usize::from(commits % 2 == 1)];
        self.file.write_all_at(&encode(commits), place)?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced = Instant::now();
        Ok(())
    }

    /// Sets the mark back, after a repair.
    pub(super) fn reset(&mut self, commits: u64) -> io::Result<()> {
        self.file.set_len(0)?;
        self.write(commits)?;
        self.sync()
    }
}

fn encode(commits: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&commits.to_le_bytes());
    record[8..].copy_from_slice(&crc32fast::hash(&commits.to_le_bytes()).to_le_bytes());
    record
}

fn decode(record: [u8; RECORD]) -> Option<u64> {
    let (number, sum) = record.split_at(8);
    let number: [u8; 8] = number.try_into().ok()?;
    (crc32fast::hash(&number).to_le_bytes() == sum).then(|| u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_read_again_and_a_torn_one_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("commits");
        let (mut mark, last) = Mark::open(&path).unwrap();
        assert_eq!(last, None);
        for commits in [1, 2, 3] {
            mark.write(commits).unwrap();
            assert_eq!(Mark::open(&path).unwrap().1, Some(commits));
        }
        mark.file.write_all_at(&[0xff; 4], PLACES[1]).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, Some(2), "the one before it is still there");
        mark.reset(1).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, Some(1));
    }
}
