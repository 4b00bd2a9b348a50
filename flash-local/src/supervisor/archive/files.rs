//! The files of workers that are being written.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use flash_queue::Limits;

use super::{WAITING, Written};

/// The files below one directory.
pub(super) struct Files {
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
    /// Forgets what is too old to be kept.
    pub(super) fn open(dir: PathBuf, limits: &Limits) -> Self {
        let (half, most) = (limits.log_file as u64 / 2, limits.log_files);
        let files = Self { dir, open: HashMap::new(), half, most };
        files.tidy(0);
        files
    }

    /// Writes what comes, until it is told to end.
    pub(super) fn run(mut self, records: &Receiver<Written>) {
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
            self.flush();
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
            open.flush(path, half);
            // Nobody else has it: its page is closed, and nothing is on its way.
            Arc::strong_count(path) > 1
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

pub(super) fn older(path: &Path) -> PathBuf {
    path.with_extension("jsonl.1")
}

/// The newer file of each worker.
pub(super) fn workers(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect()
}
