use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::{Kept, write_delivered};

/// Most bytes that one process keeps on the disk. Beyond it results are in memory only.
const MOST: u64 = 256 << 20;
/// Below this a file with much that was delivered is not worth writing anew.
const SMALL: u64 = 1 << 20;
/// A body over this is written by itself instead of being copied first.
const LARGE_BODY: usize = 64 << 10;

/// The file of this process.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    length: u64,
    most: u64,
    next: u64,
    /// What has not been delivered, to write it anew.
    live: BTreeMap<u64, Kept>,
    live_bytes: u64,
    /// Delivered, but not written yet.
    delivered: Vec<u64>,
    buffer: Vec<u8>,
}

impl Segment {
    /// An empty file of this name, which nobody else takes for a dead process's.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = create(&path)?;
        Ok(Self {
            path,
            file,
            length: 0,
            most: MOST,
            next: 1,
            live: BTreeMap::new(),
            live_bytes: 0,
            delivered: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// Writes these results down, all with one write unless they are large. The numbers name them later.
    ///
    /// # Errors
    /// None of them is on the disk then.
    pub(super) fn append(&mut self, results: Vec<Kept>) -> io::Result<Vec<u64>> {
        let size: u64 = results.iter().map(Kept::size).sum();
        if self.length + size > self.most {
            self.rewrite()?;
            if self.length + size > self.most {
                return Err(io::Error::other(format!("over {} MB are waiting already", self.most >> 20)));
            }
        }
        let before = self.length;
        if let Err(error) = self.write(&results) {
            // Half a record would hide the ones after it.
            self.file.set_len(before)?;
            self.length = before;
            return Err(error);
        }
        self.delivered.clear();
        self.live_bytes += size;
        let first = self.next;
        self.next += results.len() as u64;
        let numbers = (first..self.next).collect::<Vec<_>>();
        self.live.extend((first..).zip(results));
        Ok(numbers)
    }

    fn write(&mut self, results: &[Kept]) -> io::Result<()> {
        self.buffer.clear();
        self.delivered.iter().for_each(|number| write_delivered(*number, &mut self.buffer));
        for (number, kept) in (self.next..).zip(results) {
            kept.write_head(number, &mut self.buffer);
            if kept.body.len() <= LARGE_BODY {
                self.buffer.extend_from_slice(&kept.body);
            } else {
                self.write_buffer()?;
                self.file.write_all(&kept.body)?;
                self.length += kept.body.len() as u64;
            }
        }
        self.write_buffer()
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The queue has this one now. [`flush`](Self::flush) writes it down.
    pub(super) fn delivered(&mut self, number: u64) {
        if let Some(kept) = self.live.remove(&number) {
            self.live_bytes -= kept.size();
            self.delivered.push(number);
        }
    }

    /// Writes down what was delivered; empties the file when that was all.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.delivered.is_empty() {
            return Ok(());
        }
        if self.live.is_empty() {
            self.file.set_len(0)?;
            self.length = 0;
            self.delivered.clear();
            return Ok(());
        }
        self.buffer.clear();
        self.delivered.iter().for_each(|number| write_delivered(*number, &mut self.buffer));
        self.write_buffer()?;
        self.delivered.clear();
        if self.length > SMALL && self.live_bytes * 2 < self.length { self.rewrite() } else { Ok(()) }
    }

    /// Replaces the file by one that holds only what was not delivered.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut file = create(&self.path)?;
        let mut length = 0;
        let mut head = Vec::new();
        for (number, kept) in &self.live {
            head.clear();
            kept.write_head(*number, &mut head);
            file.write_all(&head)?;
            file.write_all(&kept.body)?;
            length += (head.len() + kept.body.len()) as u64;
        }
        self.file = file;
        self.length = length;
        self.delivered.clear();
        Ok(())
    }

    /// The user that the file belongs to.
    pub(super) fn owner(&self) -> io::Result<u32> {
        Ok(self.file.metadata()?.uid())
    }

    /// Whether everything was delivered.
    pub(super) fn is_drained(&self) -> bool {
        self.live.is_empty()
    }

    /// Takes the file away. What is not delivered is lost with it.
    pub(super) fn remove(&self) {
        // Nothing depends on it; the next process reads an empty file and removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Creates a file that only this user can read and that this process has locked; it takes the place of an older one. It
/// gets its name when it is locked, so nobody can find it in between and take it over.
fn create(path: &Path) -> io::Result<File> {
    let unfinished = path.with_extension("new");
    for _ in 0..3 {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.lock()?;
        match fs::rename(&unfinished, path) {
            Ok(()) => return Ok(file),
            // A process that starts at this moment took it for garbage.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("somebody removes every file that is created"))
}

#[cfg(test)]
mod tests {
    use super::super::record::read_all;
    use super::super::record::tests::kept;
    use super::*;

    fn segment() -> (tempfile::TempDir, Segment) {
        let directory = tempfile::tempdir().unwrap();
        let segment = Segment::create(directory.path().join("a.seg")).unwrap();
        (directory, segment)
    }

    fn on_disk(segment: &Segment) -> Vec<Kept> {
        let (kept, broken) = read_all(fs::read(&segment.path).unwrap().into());
        assert_eq!(broken, 0);
        kept
    }

    #[test]
    fn the_file_holds_what_was_not_delivered_and_is_emptied_at_the_end() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, mut segment) = segment();
        assert_eq!(fs::metadata(&segment.path).unwrap().permissions().mode() & 0o777, 0o600);
        let (a, b) = (kept("j1", "first"), kept("j2", &"b".repeat(LARGE_BODY + 1)));
        let numbers = segment.append(vec![a.clone(), b.clone()]).unwrap();
        assert_eq!(on_disk(&segment), [a, b.clone()]);
        segment.delivered(numbers[0]);
        segment.flush().unwrap();
        assert_eq!(on_disk(&segment), [b]);
        segment.delivered(numbers[1]);
        segment.flush().unwrap();
        assert_eq!(fs::metadata(&segment.path).unwrap().len(), 0);
        assert!(segment.is_drained());
    }

    #[test]
    fn a_file_that_never_drains_does_not_grow() {
        let (_directory, mut segment) = segment();
        let mut last = segment.append(vec![kept("j0", "x")]).unwrap()[0];
        for round in 0..20_000 {
            let next = segment.append(vec![kept(&format!("j{round}"), &"x".repeat(300))]).unwrap()[0];
            segment.delivered(last);
            segment.flush().unwrap();
            last = next;
        }
        assert!(fs::metadata(&segment.path).unwrap().len() < 2 * SMALL);
        assert_eq!(on_disk(&segment).len(), 1);
    }

    #[test]
    fn a_full_file_refuses_more_and_keeps_what_it_has() {
        let (_directory, mut segment) = segment();
        segment.most = 4096;
        let body = "x".repeat(1000);
        let numbers = segment.append(vec![kept("j1", &body), kept("j2", &body)]).unwrap();
        let error = segment.append(vec![kept("j3", &body), kept("j4", &body)]).unwrap_err();
        assert!(error.to_string().contains("waiting already"), "{error}");
        assert_eq!(on_disk(&segment).len(), 2);
        // What was delivered makes room again.
        segment.delivered(numbers[0]);
        segment.append(vec![kept("j3", &body)]).unwrap();
        segment.append(vec![kept("j4", &body)]).unwrap();
        assert_eq!(on_disk(&segment).len(), 3);
    }
}
