//! The logs of workers on the disk, so that they can be read after the platform that started the workers has ended.
//!
//! Each worker has a file of JSON lines in `logs/` of the data directory: first what is known of its birth, then what it
//! writes, last how it ended. A thread writes them: a worker that writes faster than the disk loses lines here, and is not
//! held up. A file that is full becomes the older one of two, and the files of the oldest workers go.

mod files;
mod past;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use flash_queue::Limits;

use self::files::{Files, workers};
use self::past::look;
pub(super) use self::past::{Past, read};
use super::logs::{LogLine, Source};
use super::record::{Birth, Record};

/// Records on their way to the disk.
const WAITING: usize = 4_096;

/// A line for a file. `None`: write what came before, and end.
type Written = Option<(Arc<Path>, String)>;

/// The files of a data directory. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Archive(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    sender: Mutex<Option<SyncSender<Written>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Where one worker's records go, until it is dropped.
#[derive(Debug)]
pub(super) struct Page {
    path: Arc<Path>,
    sender: SyncSender<Written>,
    /// Records in a row that found no place.
    missed: u64,
}

impl Archive {
    /// Opens the files below a data directory, and forgets what is too old to be kept.
    pub(crate) fn open(data: &Path, limits: &Limits) -> io::Result<Self> {
        let dir = data.join("logs");
        fs::create_dir_all(&dir)?;
        let (sender, records) = sync_channel(WAITING);
        let files = Files::open(dir.clone(), limits);
        let thread =
            std::thread::Builder::new().name("flash-logs".to_owned()).spawn(move || files.run(&records))?;
        Ok(Self(Arc::new(Inner { dir, sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })))
    }

    /// The workers that earlier platforms left, oldest first.
    pub(super) fn past(&self) -> Vec<Past> {
        let mut past: Vec<_> = workers(&self.0.dir).into_iter().filter_map(|path| look(&path)).collect();
        past.sort_by_key(|past| past.birth.starting);
        past
    }

    /// The page of a worker that has just been born. `None`: the archive is closed.
    pub(super) fn page(&self, birth: &Birth) -> Option<Page> {
        let sender = self.0.sender.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let path = self.0.dir.join(format!("{}.jsonl", birth.worker)).into();
        let mut page = Page { path, sender, missed: 0 };
        page.write(&Record::Born(birth.clone()));
        Some(page)
    }

    /// Writes what is on its way, and ends. It waits for the disk.
    pub(crate) fn close(&self) {
        let sender = self.0.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A thread that is gone is closed.
        let _ = sender.map(|sender| sender.send(None));
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the logs of workers panicked");
        }
    }
}

impl Page {
    pub(super) fn write(&mut self, record: &Record) {
        if let Record::Line(line) = record
            && self.missed > 0
        {
            let text =
                format!("{} lines are missing here: they came faster than the disk takes them", self.missed);
            if !self.send(&Record::Line(LogLine { source: Source::System, text, ..line.clone() })) {
                self.missed += 1;
                return;
            }
            self.missed = 0;
        }
        self.missed += u64::from(!self.send(record));
    }

    /// `false`: there is no place.
    fn send(&self, record: &Record) -> bool {
        let Ok(mut text) = serde_json::to_string(record) else { return true };
        text.push('\n');
        // A thread that is gone writes nothing any more, and there is nobody to tell.
        !matches!(self.sender.try_send(Some((self.path.clone(), text))), Err(TrySendError::Full(_)))
    }
}

#[cfg(test)]
mod tests {
    use flash_core::clock::Timestamp;

    use super::super::info::Exit;
    use super::files::older;
    use super::*;

    fn birth(worker: &str, starting: u64) -> Birth {
        let at = Timestamp::from_millis(starting);
        Birth {
            worker: worker.into(),
            endpoint: "ep".into(),
            pid: 1,
            port: None,
            version: 1,
            queued: at,
            starting: at,
            initialising: at,
        }
    }

    fn line(number: u64) -> Record {
        let at = Timestamp::from_millis(number);
        Record::Line(LogLine {
            number,
            at,
            source: Source::Stdout,
            text: format!("line {number} {}", "x".repeat(100)),
        })
    }

    fn ended(at: u64, code: Option<i32>) -> Record {
        let exit = Exit { code, signal: None };
        Record::Ended { at: Timestamp::from_millis(at), ready: None, exit, crashed: code.is_some() }
    }

    #[test]
    fn an_end_is_told_also_after_lines_that_found_no_place() {
        let (sender, records) = sync_channel::<Written>(1);
        let told = || records.try_recv().unwrap().unwrap().1;
        let mut page = Page { path: Path::new("ep-1.jsonl").into(), sender, missed: 0 };
        page.write(&line(1));
        page.write(&line(2));
        assert!(told().contains("line 1 "));
        page.write(&ended(9, None));
        assert!(told().starts_with("{\"ended\""));
        page.write(&line(3));
        assert!(told().contains("1 lines are missing here"));
    }

    #[test]
    fn a_file_is_bounded_and_its_last_lines_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { log_file: 4_000, ..Limits::default() };
        let archive = Archive::open(dir.path(), &limits).unwrap();
        let mut page = archive.page(&birth("ep-1", 5)).unwrap();
        for number in 1..=200 {
            page.write(&line(number));
        }
        page.write(&ended(9, Some(3)));
        archive.close();

        let again = Archive::open(dir.path(), &limits).unwrap();
        let past = again.past();
        assert_eq!(past.len(), 1);
        assert_eq!((past[0].birth.worker.as_str(), past[0].birth.starting.as_millis()), ("ep-1", 5));
        assert_eq!((past[0].ended.as_millis(), past[0].exit.code, past[0].crashed), (9, Some(3), true));
        let size: u64 = [past[0].path.clone(), older(&past[0].path)]
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .sum();
        assert!(size < 4_400, "{size}");
        let lines = read(&past[0].path, 1_000);
        assert!(lines.len() > 10, "{}", lines.len());
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(*numbers.last().unwrap(), 200);
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        assert_eq!(
            read(&past[0].path, 3).iter().map(|line| line.number).collect::<Vec<_>>(),
            [198, 199, 200]
        );
    }

    #[test]
    fn the_files_of_the_oldest_workers_go() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { log_files: 3, ..Limits::default() };
        let archive = Archive::open(dir.path(), &limits).unwrap();
        for n in 0..6 {
            let mut page = archive.page(&birth(&format!("ep-{n}"), n)).unwrap();
            page.write(&ended(n, None));
        }
        archive.close();
        let left: Vec<_> = Archive::open(dir.path(), &limits)
            .unwrap()
            .past()
            .into_iter()
            .map(|past| past.birth.worker)
            .collect();
        assert_eq!(left.len(), 3);
        assert_eq!(left.last().unwrap(), "ep-5");
        assert!(archive.page(&birth("ep-9", 9)).is_none(), "a closed archive takes nothing");
    }

    #[test]
    fn what_is_cut_off_or_foreign_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(dir.path(), &Limits::default()).unwrap();
        let mut page = archive.page(&birth("ep-1", 1)).unwrap();
        page.write(&line(1));
        archive.close();
        let path = dir.path().join("logs/ep-1.jsonl");
        let mut text = fs::read(&path).unwrap();
        text.extend(b"{\"line\":{\"number\":2,\"at");
        fs::write(&path, text).unwrap();
        fs::write(dir.path().join("logs/other.jsonl"), b"nothing of ours\xff").unwrap();
        let archive = Archive::open(dir.path(), &Limits::default()).unwrap();
        assert_eq!(archive.past().len(), 1);
        assert_eq!(read(&path, 9).len(), 1);
    }
}
