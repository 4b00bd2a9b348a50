//! The thread that writes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use flash_core::ids::EndpointId;
use flash_core::wire::JobStatus;
use flash_queue::machine::{JobState, Rules, Terms};
use flash_queue::store::Counts;
use rusqlite::{Connection, OptionalExtension};
use tokio::runtime::Handle;

use super::call::Call;
use super::directory::Directory;
use super::fault::Fault;
use super::index::{Index, Shown, Stream};
use super::live::Live;
use super::mark::Mark;
use super::row::{moment, period};

/// Operations of one group, and the time for which one may collect them: who came first waits for who came last.
const GROUP_MAX: usize = 1_024;
const GROUP_TIME: Duration = Duration::from_millis(4);

/// An operation, and the runtime that waits for its answer.
pub(super) struct Asked {
    call: Box<dyn Call<Work>>,
    home: Option<Handle>,
}

/// What is sent to the writer.
pub(super) enum Message {
    Call(Asked),
    /// Finish what was sent before, and end.
    Close,
}

impl Asked {
    pub(super) fn new(call: Box<dyn Call<Work>>) -> Self {
        Self { call, home: Handle::try_current().ok() }
    }
}

/// Answers a group. Each answer from here wakes its runtime by a system call; a task there wakes all who wait by none, so it takes
/// one for the whole group.
fn answer(group: Vec<Asked>, outcome: Result<(), Fault>) {
    let home = if group.len() > 1 { group.iter().find_map(|asked| asked.home.clone()) } else { None };
    let is_there = |asked: &Asked| {
        home.as_ref().zip(asked.home.as_ref()).is_some_and(|(home, other)| home.id() == other.id())
    };
    let (there, elsewhere): (Vec<_>, Vec<_>) = group.into_iter().partition(is_there);
    for asked in elsewhere {
        asked.call.answer(outcome.as_ref().err());
    }
    if let Some(home) = home {
        home.spawn(async move {
            for asked in there {
                asked.call.answer(outcome.as_ref().err());
            }
        });
    }
}

/// What operations work on.
pub(super) struct Work {
    pub(super) db: Connection,
    /// The number of the next job, over all endpoints.
    pub(super) next_seq: i64,
    endpoints: HashMap<i64, (Index, Rules)>,
    pub(super) live: Live,
    commits: u64,
    mark: Mark,
    /// Held until the database is closed.
    _directory: Directory,
}

impl Work {
    pub(super) fn new(db: Connection, commits: u64, mark: Mark, directory: Directory) -> Result<Self, Fault> {
        let next_seq = next_seq(&db)?;
        Ok(Self {
            db,
            next_seq,
            endpoints: HashMap::new(),
            live: Live::default(),
            commits,
            mark,
            _directory: directory,
        })
    }

    pub(super) fn index(&mut self, endpoint: i64) -> Result<&mut Index, Fault> {
        let index = self.endpoints.get_mut(&endpoint).map(|(index, _)| index);
        index.ok_or_else(|| Fault::Damaged("the endpoint is not open".to_owned()))
    }

    /// Makes an endpoint known and finds its jobs. Answers its number.
    pub(super) fn open(&mut self, id: &EndpointId, rules: Rules, shown: Arc<Shown>) -> Result<i64, Fault> {
        let there: Option<i64> = self
            .db
            .query_row("SELECT no FROM endpoint WHERE name = ?1", [id.as_str()], |row| row.get(0))
            .optional()?;
        let no = match there {
            Some(no) => no,
            None => {
                self.db.execute(
                    "INSERT INTO endpoint (name, completed, failed, retried) VALUES (?1, 0, 0, 0)",
                    [id.as_str()],
                )?;
                self.db.last_insert_rowid()
            }
        };
        let index = load(&self.db, no, rules, shown)?;
        self.endpoints.insert(no, (index, rules));
        Ok(no)
    }

    /// Takes operations and commits them in groups, until there is nobody left who could send one.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut group: Vec<Asked> = Vec::new();
        let mut open = true;
        while open && let Ok(message) = messages.recv() {
            let started = Instant::now();
            let mut next = Some(message);
            let outcome = self.begin().and_then(|changes| {
                while let Some(message) = next.take() {
                    match message {
                        Message::Close => open = false,
                        Message::Call(mut asked) => {
                            let ran = asked.call.run(&mut self);
                            group.push(asked);
                            ran?;
                        }
                    }
                    if open && group.len() < GROUP_MAX && started.elapsed() < GROUP_TIME {
                        next = messages.try_recv().ok();
                    }
                }
                self.commit(changes)
            });
            if let Err(fault) = &outcome {
                tracing::error!(error = %fault.for_caller(), operations = group.len(), "a group of operations failed");
                self.undo();
            }
            for (index, _) in self.endpoints.values_mut() {
                index.show();
            }
            answer(std::mem::take(&mut group), outcome);
        }
        if let Err(error) = self.mark.sync() {
            tracing::error!(%error, "failed to sync the mark of commits");
        }
        // Closing the last connection moves the log into the database.
    }

    fn begin(&mut self) -> Result<u64, Fault> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(self.db.total_changes())
    }

    fn commit(&mut self, changes: u64) -> Result<(), Fault> {
        let changed = self.db.total_changes() != changes;
        if changed {
            for (no, (index, _)) in &mut self.endpoints {
                let Counts { completed, failed, retried, .. } = index.counts;
                if (completed, failed, retried)
                    != (index.kept.completed, index.kept.failed, index.kept.retried)
                {
                    self.db
                        .prepare_cached(
                            "UPDATE endpoint SET completed = ?2, failed = ?3, retried = ?4 WHERE no = ?1",
                        )?
                        .execute((
                            no,
                            completed.cast_signed(),
                            failed.cast_signed(),
                            retried.cast_signed(),
                        ))?;
                }
            }
            self.db
                .prepare_cached("UPDATE endpoint SET completed = ?1 WHERE no = 0")?
                .execute([(self.commits + 1).cast_signed()])?;
        }
        self.db.prepare_cached("COMMIT")?.execute([])?;
        if changed {
            self.commits += 1;
            for (index, _) in self.endpoints.values_mut() {
                index.kept = index.counts;
            }
            self.mark.write(self.commits).map_err(|error| Fault::Mark(Arc::new(error)))?;
        }
        Ok(())
    }

    /// Puts everything back to what is committed.
    fn undo(&mut self) {
        // A failed commit has ended the transaction already, or not.
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "failed to roll back");
        }
        self.live.clear();
        for (index, _) in self.endpoints.values_mut() {
            index.forget_news();
        }
        let reloaded = (|| {
            self.next_seq = next_seq(&self.db)?;
            for (no, (index, rules)) in &mut self.endpoints {
                *index = load(&self.db, *no, *rules, index.shown.clone())?;
            }
            Ok::<(), Fault>(())
        })();
        if let Err(fault) = reloaded {
            // The index may know of jobs that are not there: those are passed over when they are met.
            tracing::error!(error = %fault.for_caller(), "failed to read the jobs again");
        }
    }
}

/// The number of the next job: never one that was given before.
fn next_seq(db: &Connection) -> Result<i64, Fault> {
    let highest: Option<i64> = db.query_row("SELECT MAX(seq) FROM job", [], |row| row.get(0))?;
    Ok(highest.unwrap_or(0) + 1)
}

fn load(db: &Connection, no: i64, rules: Rules, shown: Arc<Shown>) -> Result<Index, Fault> {
    let kept =
        db.query_row("SELECT completed, failed, retried FROM endpoint WHERE no = ?1", [no], |row| {
            let count = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)?.unsigned_abs());
            Ok(Counts { completed: count(0)?, failed: count(1)?, retried: count(2)?, ..Counts::default() })
        })?;
    let mut index = Index::new(rules, shown, kept);
    let mut statement = db.prepare(
        "SELECT seq, place, status, submitted, taken, ended, worker, retries, execution_timeout, ttl, retention, low_priority \
         FROM job WHERE endpoint = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query([no])?;
    while let Some(row) = rows.next()? {
        match queued(row) {
            Ok(Some((seq, place, state))) => index.load(seq, place, &state),
            // What is not known, or of another type, is damaged. That is told when it is read.
            Ok(None) | Err(Fault::Damaged(_)) => {}
            Err(fault) => return Err(fault),
        }
    }

    let mut statement = db.prepare(
        "SELECT chunk.seq, MAX(n) + 1, SUM(LENGTH(CAST(json AS BLOB))) FROM chunk JOIN job ON job.seq = chunk.seq \
         WHERE job.endpoint = ?1 GROUP BY chunk.seq",
    )?;
    let mut rows = statement.query([no])?;
    while let Some(row) = rows.next()? {
        let bytes: i64 = row.get(2)?;
        let stream = Stream { next: row.get(1)?, bytes: usize::try_from(bytes).unwrap_or_default() };
        index.streams.insert(row.get(0)?, stream);
    }
    index.show();
    Ok(index)
}

/// Number, place and state of a job. `None`: it has no status that is known.
fn queued(row: &rusqlite::Row<'_>) -> Result<Option<(i64, i64, JobState)>, Fault> {
    let status: String = row.get(2)?;
    let Some(status) = JobStatus::ALL.into_iter().find(|known| known.as_str() == status) else {
        return Ok(None);
    };
    let state = JobState {
        status,
        submitted: moment(row.get(3)?),
        taken: row.get::<_, Option<i64>>(4)?.map(moment),
        ended: row.get::<_, Option<i64>>(5)?.map(moment),
        worker: row.get::<_, Option<String>>(6)?.map(Into::into),
        retries: row.get(7)?,
        terms: Terms {
            execution_timeout: period(row.get(8)?),
            ttl: period(row.get(9)?),
            retention: period(row.get(10)?),
            low_priority: row.get(11)?,
        },
    };
    Ok(Some((row.get(0)?, row.get(1)?, state)))
}
