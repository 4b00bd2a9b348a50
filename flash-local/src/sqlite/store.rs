//! The store, as its users see it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use flash_core::ids::EndpointId;
use flash_queue::machine::Rules;
use flash_queue::store::{Answer, JobStore};
use flash_queue::{Store, StoreError};
use rusqlite::Connection;

use super::call::{call, closed};
use super::database;
use super::directory::{DataError, Directory};
use super::fault::Fault;
use super::index::Shown;
use super::jobs::SqliteJobs;
use super::mark::Mark;
use super::options::{Durability, SqliteOptions};
use super::reader::{self, Question};
use super::writer::{Asked, Message, Work};

/// Jobs and records in a data directory. Clones are the same store.
///
/// When the last clone and the last queue over it are gone, what was sent is finished and the directory is free again;
/// [`close`](Self::close) does that at once.
#[derive(Clone)]
pub struct SqliteStore(Arc<Threads>);

/// The threads of the store and the ways to them.
pub(super) struct Threads {
    writer: Sender<Message>,
    reader: Sender<Question>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    dir: PathBuf,
}

impl SqliteStore {
    /// Opens the store of a data directory, which is made if it is not there.
    ///
    /// This reads the whole database once, to check it: in async code, call it on a blocking thread.
    ///
    /// # Errors
    /// When another platform has the directory; when the database is damaged, is of a later version, or has lost commits that
    /// were acknowledged; when a file can not be read or written.
    pub fn open(dir: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, DataError> {
        let directory = Directory::take(dir.as_ref())?;
        let db = database::open(&directory, options)?;
        let commits = database::commits(&db, directory.path())?;
        let mark = settle_mark(&directory, commits, options)?;
        let asked = database::open_reader(&directory)?;
        let dir = directory.path().to_owned();
        // The writer has the directory, and gives it free when it ends.
        let work = Work::new(db, commits, mark, directory).map_err(|fault| DataError::Database {
            dir: dir.clone(),
            source: Box::new(fault.for_caller()),
        })?;
        let ((writer, messages), (reader, questions)) = (channel(), channel());
        let threads = [
            spawn("flash-store", move || work.run(&messages)),
            spawn("flash-store-read", move || reader::run(asked, &questions)),
        ];
        let mut running = Vec::new();
        for thread in threads {
            let io = |source| DataError::Io { path: dir.clone(), source };
            running.push(thread.map_err(io)?);
        }
        Ok(Self(Arc::new(Threads { writer, reader, threads: Mutex::new(running), dir })))
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Finishes what was sent, and gives the directory free. Later operations fail.
    pub async fn close(&self) {
        self.0.close();
        let threads = self.0.clone();
        // The last checkpoint may take a moment.
        let _ = tokio::task::spawn_blocking(move || threads.join()).await;
    }
}

/// Compares the database with the mark of what was acknowledged.
fn settle_mark(directory: &Directory, commits: u64, options: SqliteOptions) -> Result<Mark, DataError> {
    let io = |source| DataError::Io { path: directory.mark(), source };
    let (mut mark, acknowledged) = Mark::open(&directory.mark()).map_err(io)?;
    match acknowledged {
        Some(acknowledged) if acknowledged > commits => {
            let dir = directory.path().to_owned();
            let behind = DataError::Behind { dir, lost: acknowledged - commits, commits, acknowledged };
            if options.durability == Durability::Full {
                return Err(behind);
            }
            // This was the price of being faster, and it was agreed to.
            tracing::error!("{behind}");
            mark.reset(commits).map_err(io)?;
        }
        Some(_) => {}
        None if commits == 0 => mark.reset(0).map_err(io)?,
        None => {
            tracing::warn!(file = %directory.mark().display(), commits, "the mark of commits is missing or damaged; it is made anew");
            mark.reset(commits).map_err(io)?;
        }
    }
    Ok(mark)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

impl Threads {
    /// Has the writer do something.
    pub(super) fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Work) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (call, answer) = call(run);
        match self.writer.send(Message::Call(Asked::new(call))) {
            Ok(()) => answer,
            Err(_) => Answer::Now(Some(Err(closed()))),
        }
    }

    /// Has the reader look at something.
    pub(super) fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let (call, answer) = call(run);
        match self.reader.send(Question::Call(call)) {
            Ok(()) => answer,
            Err(_) => Answer::Now(Some(Err(closed()))),
        }
    }

    fn close(&self) {
        // Threads that are gone are closed.
        let _ = self.reader.send(Question::Close);
        let _ = self.writer.send(Message::Close);
    }

    fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.close();
        self.join();
    }
}

impl Store for SqliteStore {
    fn open(&self, endpoint: &EndpointId, rules: Rules) -> Answer<Arc<dyn JobStore>> {
        let shown = Arc::new(Shown::default());
        let (threads, id, shared) = (self.0.clone(), endpoint.clone(), shown.clone());
        let opening = self.0.write(move |work| work.open(&id, rules, shared));
        Answer::Later(Box::pin(async move {
            let no = opening.await?;
            let jobs: Arc<dyn JobStore> = Arc::new(SqliteJobs::new(threads, no, shown));
            Ok::<_, StoreError>(jobs)
        }))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.dir().display())
    }
}
