//! The logs of workers on the disk, so that they can be read after the platform that started the workers has ended.
//!
//! Each worker has a file of JSON lines in `logs/` of the data directory: first what is known of its birth, then what it
//! writes, last how it ended. A thread writes them: a worker that writes faster than the disk loses lines here, and is not
//! held up. A file that is full becomes the older one of two, and the files of the oldest workers go.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use flash_core::clock::Timestamp;
use flash_queue::Limits;

use super::logs::{LogLine, Source};
use super::record::{Birth, Record};

/// Records on their way to the disk.
const WAITING: usize = 4_096;
/// The end of a file in which its last record is looked for.
const TAIL: u64 = 128 * 1024;

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

/// Where one worker's records go.
#[derive(Clone, Debug)]
pub(super) struct Page {
    path: Arc<Path>,
    sender: SyncSender<Written>,
    /// Records in a row that found no place.
    missed: Arc<Mutex<u64>>,
}

/// A worker of an earlier platform.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) birth: Birth,
    pub(super) ready: Option<Timestamp>,
    pub(super) ended: Timestamp,
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) crashed: bool,
    pub(super) path: PathBuf,
}

impl Archive {
    /// Opens the files below a data directory, and forgets what is too old to be kept.
    pub(crate) fn open(data: &Path, limits: &Limits) -> io::Result<Self> {
        let dir = data.join("logs");
        fs::create_dir_all(&dir)?;
        let (sender, records) = sync_channel(WAITING);
        let files = Files {
            dir: dir.clone(),
            open: HashMap::new(),
            half: limits.log_file as u64 / 2,
            most: limits.log_files,
        };
        files.tidy(0);
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
        let page = Page { path, sender, missed: Arc::default() };
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
    pub(super) fn write(&self, record: &Record) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if *missed > 0
            && let Record::Line(line) = record
        {
            let text =
                format!("{} lines are missing here: they came faster than the disk takes them", *missed);
            let note = LogLine { source: Source::System, text, ..line.clone() };
            if self.send(&Record::Line(note)) {
                *missed = 0;
            }
        }
        *missed += u64::from(*missed > 0 || !self.send(record));
    }

    /// `false`: there is no place.
    fn send(&self, record: &Record) -> bool {
        let Ok(mut text) = serde_json::to_string(record) else { return true };
        text.push('\n');
        // A thread that is gone writes nothing any more, and there is nobody to tell.
        !matches!(self.sender.try_send(Some((self.path.clone(), text))), Err(TrySendError::Full(_)))
    }
}

/// The last lines of a worker, from its files.
pub(super) fn read(path: &Path, most: usize) -> VecDeque<LogLine> {
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
fn look(path: &Path) -> Option<Past> {
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
        code: None,
        signal: None,
        crashed: false,
        birth,
        path: path.to_owned(),
    };
    for line in String::from_utf8_lossy(&tail).lines() {
        match serde_json::from_str(line) {
            Ok(Record::Ready(at)) => past.ready = Some(at),
            Ok(Record::Ended { at, ready, code, signal, crashed }) => {
                (past.ended, past.ready) = (at, ready);
                (past.code, past.signal, past.crashed) = (code, signal, crashed);
            }
            _ => {}
        }
    }
    Some(past)
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("jsonl.1")
}

/// The newer file of each worker.
fn workers(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect()
}

/// What the thread has.
struct Files {
    dir: PathBuf,
    open: HashMap<Arc<Path>, Open>,
    /// Bytes after which a file becomes the older one.
    half: u64,
    /// Workers whose files are kept.
    most: usize,
}

struct Open {
    file: File,
    bytes: u64,
    /// What each file begins with.
    birth: String,
    pending: String,
    /// Whether it was told that it can not be written.
    failed: bool,
}

impl Files {
    fn run(mut self, records: &Receiver<Written>) {
        let mut closed = false;
        while !closed && let Ok(record) = records.recv() {
            let mut next = Some(record);
            // What has come meanwhile is written together.
            let mut room = WAITING;
            while let Some(record) = next.take() {
                match record {
                    Some((path, text)) => self.take(&path, &text),
                    None => closed = true,
                }
                room -= 1;
                if room > 0 && !closed {
                    next = records.try_recv().ok();
                }
            }
            self.flush();
        }
    }

    fn take(&mut self, path: &Arc<Path>, text: &str) {
        if !self.open.contains_key(path) {
            self.tidy(1);
            match create(path) {
                Ok(file) => {
                    let open = Open {
                        file,
                        bytes: 0,
                        birth: text.to_owned(),
                        pending: String::new(),
                        failed: false,
                    };
                    self.open.insert(path.clone(), open);
                }
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a worker's log can not be kept");
                    return;
                }
            }
        }
        let half = self.half;
        if let Some(open) = self.open.get_mut(path) {
            if open.bytes + (open.pending.len() + text.len()) as u64 > half {
                open.flush(path, half);
            }
            open.pending.push_str(text);
        }
    }

    fn flush(&mut self) {
        let half = self.half;
        self.open.retain(|path, open| {
            let ended = open.pending.contains("{\"ended\"");
            open.flush(path, half);
            !ended
        });
    }

    /// Removes the files of the oldest workers, so that there is room for so many more.
    fn tidy(&self, room: usize) {
        let mut files: Vec<_> = workers(&self.dir)
            .into_iter()
            .filter(|path| !self.open.contains_key(path.as_path()))
            .map(|path| (fs::metadata(&path).and_then(|meta| meta.modified()).ok(), path))
            .collect();
        files.sort();
        let most = self.most.saturating_sub(self.open.len() + room);
        let old = files.len().saturating_sub(most);
        for (_, path) in files.into_iter().take(old) {
            for path in [older(&path), path] {
                if let Err(error) = fs::remove_file(&path)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(file = %path.display(), %error, "an old log can not be removed");
                }
            }
        }
    }
}

impl Open {
    fn flush(&mut self, path: &Path, half: u64) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        match self.write(path, &pending, half) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                tracing::warn!(file = %path.display(), %error, "lines of a worker's log can not be kept");
                self.failed = true;
            }
            Err(_) => {}
        }
    }

    fn write(&mut self, path: &Path, text: &str, half: u64) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + text.len() as u64 > half {
            fs::rename(path, older(path))?;
            self.file = create(path)?;
            self.file.write_all(self.birth.as_bytes())?;
            self.bytes = self.birth.len() as u64;
        }
        self.file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    // What workers write is nobody else's business.
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(worker: &str, starting: u64) -> Birth {
        let at = Timestamp::from_millis(starting);
        Birth {
            worker: worker.to_owned(),
            endpoint: "ep".to_owned(),
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

    #[test]
    fn a_file_is_bounded_and_its_last_lines_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { log_file: 4_000, ..Limits::default() };
        let archive = Archive::open(dir.path(), &limits).unwrap();
        let page = archive.page(&birth("ep-1", 5)).unwrap();
        for number in 1..=200 {
            page.write(&line(number));
        }
        page.write(&Record::Ended {
            at: Timestamp::from_millis(9),
            ready: None,
            code: Some(3),
            signal: None,
            crashed: true,
        });
        archive.close();

        let again = Archive::open(dir.path(), &limits).unwrap();
        let past = again.past();
        assert_eq!(past.len(), 1);
        assert_eq!((past[0].birth.worker.as_str(), past[0].birth.starting.as_millis()), ("ep-1", 5));
        assert_eq!((past[0].ended.as_millis(), past[0].code, past[0].crashed), (9, Some(3), true));
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
            let page = archive.page(&birth(&format!("ep-{n}"), n)).unwrap();
            page.write(&Record::Ended {
                at: Timestamp::from_millis(n),
                ready: None,
                code: None,
                signal: None,
                crashed: false,
            });
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
        let page = archive.page(&birth("ep-1", 1)).unwrap();
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
