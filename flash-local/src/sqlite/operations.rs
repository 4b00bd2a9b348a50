//! What the writer does to jobs. Each function runs inside a transaction, reads before it writes, and leaves the index as the
//! database will be after the commit.

use flash_core::clock::Timestamp;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::{JobStatus, TakenJob};
use flash_queue::Payload;
use flash_queue::machine::{Event, JobState, Outcome, Verdict};
use flash_queue::store::{Attached, Claimed, Drained, Held, Inserted, NewJob, Pushed, Stepped, shown};
use rusqlite::{OptionalExtension, params};

use super::fault::Fault;
use super::payloads::{self, Table, get_attached, put_attached};
use super::queries::{self, chunks};
use super::row::{
    ATTACHED, CHUNKS, INPUT, LARGE_INPUT, NO_WEBHOOK, OUTPUT, Row, SET_ASIDE, WEBHOOK, WEBHOOK_DUE, length,
    millis,
};
use super::writer::Work;

/// Bytes of an input that shares a page with others. A larger one has pages of its own, which can be used again.
const SMALL: usize = 4_096;

/// What became of the first entry of the queue.
enum Taken {
    /// The job had left its place.
    Nothing,
    Job(TakenJob<Payload>, Timestamp),
    /// Its payloads are damaged, and it has failed.
    Unreadable(Box<Stepped>),
}

impl Work {
    pub(super) fn insert(&mut self, endpoint: i64, job: NewJob, now: Timestamp) -> Result<Inserted, Fault> {
        let NewJob { id, input, attached, terms } = job;
        let key = attached.as_ref().and_then(|attached| attached.key.as_ref());
        if let Some(key) = key {
            let there = self
                .db
                .prepare_cached("SELECT seq, fingerprint FROM idempotency WHERE endpoint = ?1 AND name = ?2")?
                .query_row((endpoint, &key.name), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
                .optional()?;
            if let Some((seq, fingerprint)) = there
                && let Some(row) = self.by_seq(seq)?
            {
                let same = fingerprint == key.fingerprint.cast_signed();
                return Ok(if same { Inserted::Existing(row.id) } else { Inserted::KeyReused(row.id) });
            }
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        let state = JobState::submitted(now, terms);
        let index = self.index(endpoint)?;
        let place = index.inserted(seq, &state);
        let due = index.rules.due(&state);
        let has_webhook = attached.as_ref().is_some_and(|attached| attached.webhook.is_some());
        let flag = |has: bool, flag: i64| if has { flag } else { 0 };
        let row = Row {
            seq,
            endpoint,
            id,
            place,
            state,
            webhook: if has_webhook { WEBHOOK } else { NO_WEBHOOK },
            has: flag(input.is_some(), INPUT)
                | flag(input.as_ref().is_some_and(|input| input.len() > SMALL), LARGE_INPUT)
                | flag(attached.is_some(), ATTACHED),
            error: None,
        };
        if let Some(key) = key {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO idempotency (endpoint, name, seq, fingerprint) VALUES (?1, ?2, ?3, ?4)")?
                .execute((endpoint, &key.name, seq, key.fingerprint.cast_signed()))?;
        }
        if let Some(input) = &input {
            Table::Input.put(&self.db, seq, input.get())?;
        }
        if let Some(attached) = &attached {
            put_attached(&self.db, seq, attached)?;
        }
        self.write(&row)?;
        if let Some(input) = input {
            self.live.keep_input(&row, input);
        }
        Ok(Inserted::New { due })
    }

    pub(super) fn claim(
        &mut self,
        endpoint: i64,
        worker: &WorkerId,
        most: usize,
        now: Timestamp,
    ) -> Result<Claimed, Fault> {
        let mut claimed = Claimed::default();
        while claimed.jobs.len() < most {
            let Some((place, seq)) = self.index(endpoint)?.pop() else { break };
            match self.take(endpoint, place, seq, worker, now) {
                Ok(Taken::Nothing) => {}
                Ok(Taken::Job(job, due)) => {
                    claimed.due = Some(claimed.due.map_or(due, |earlier| earlier.min(due)));
                    claimed.jobs.push(job);
                }
                Ok(Taken::Unreadable(failed)) => claimed.failed.push(*failed),
                // It would be met at each take, and the jobs behind it never.
                Err(Fault::Damaged(what)) => self.set_aside(endpoint, seq, &what)?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(claimed)
    }

    fn take(
        &mut self,
        endpoint: i64,
        place: i64,
        seq: i64,
        worker: &WorkerId,
        now: Timestamp,
    ) -> Result<Taken, Fault> {
        let Some(mut row) = self.by_seq(seq)? else { return Ok(Taken::Nothing) };
        if row.place != place || row.state.status != JobStatus::InQueue {
            return Ok(Taken::Nothing);
        }
        let (input, attached) = match self.needs(&row) {
            Ok(needs) => needs,
            // Whoever waits for the job learns of it, now rather than when its ttl is over.
            Err(Fault::Damaged(what)) => {
                tracing::error!(what, "a queued job fails");
                let failed = self.step_row(row, Event::Unreadable(what.into()), now)?;
                return Ok(Taken::Unreadable(Box::new(failed)));
            }
            Err(fault) => return Err(fault),
        };
        let before = row.state.clone();
        let index = self.index(endpoint)?;
        index.rules.step(&mut row.state, Event::Taken(worker), now);
        index.moved(seq, &before, &row.state);
        let due = index.rules.due(&row.state);
        self.write_again(&row)?;
        let job = TakenJob {
            id: row.id,
            input,
            delay_time: row.state.delay_time(),
            webhook: attached.webhook,
            policy: attached.policy,
            extra: Claimed::extra(attached.extra, row.state.retries),
        };
        Ok(Taken::Job(job, due))
    }

    /// What a worker needs of a job.
    fn needs(&mut self, row: &Row) -> Result<(Option<Payload>, Attached), Fault> {
        let input = match self.live.take_input(row) {
            None if row.has(INPUT) => Some(Table::Input.get(&self.db, row)?),
            kept => kept,
        };
        let attached = if row.has(ATTACHED) { get_attached(&self.db, row)? } else { Attached::default() };
        Ok((input, attached))
    }

    /// Takes a job whose record can not be read any more out of all that counts it, also after a restart. It stays in the
    /// database: asking for it is an error, and a repair names it.
    fn set_aside(&mut self, endpoint: i64, seq: i64, what: &str) -> Result<(), Fault> {
        tracing::error!(what, "a job is set aside");
        let kept: Option<(Option<String>, Option<i64>)> = self
            .db
            .prepare_cached(
                "SELECT CAST(status AS TEXT), CAST(low_priority AS INTEGER) FROM job WHERE seq = ?1",
            )?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (status, low_priority) = kept.unwrap_or_default();
        let known = JobStatus::ALL.into_iter().find(|known| Some(known.as_str()) == status.as_deref());
        // What stands there may be what is damaged. If it is not known, the index is believed, which has the job as queued.
        let waits = known.is_none_or(|status| status == JobStatus::InQueue);
        self.db.prepare_cached("UPDATE job SET status = ?2 WHERE seq = ?1")?.execute((seq, SET_ASIDE))?;
        self.index(endpoint)?.set_aside(seq, waits, low_priority.is_some_and(|low| low != 0));
        Ok(())
    }

    pub(super) fn step(
        &mut self,
        endpoint: i64,
        id: &JobId,
        event: Event<'_>,
        now: Timestamp,
    ) -> Result<Option<Stepped>, Fault> {
        let Some(row) = self.by_id(endpoint, id)? else { return Ok(None) };
        self.step_row(row, event, now).map(Some)
    }

    /// Takes all jobs away from a worker that is gone, from the youngest on, because each goes to the front of the queue.
    pub(super) fn lose(
        &mut self,
        endpoint: i64,
        worker: &WorkerId,
        now: Timestamp,
    ) -> Result<Vec<Stepped>, Fault> {
        let held = self.index(endpoint)?.held(worker);
        let lost = self.step_all(endpoint, held.into_iter().rev(), &Event::WorkerLost(worker), now)?;
        self.index(endpoint)?.forget_worker(worker);
        Ok(lost)
    }

    pub(super) fn purge(&mut self, endpoint: i64, now: Timestamp) -> Result<Vec<Stepped>, Fault> {
        let queued = self.index(endpoint)?.queued();
        let mut purged = Vec::new();
        for (place, seq) in queued {
            match self.by_seq(seq) {
                Ok(Some(row)) if row.place == place && row.state.status == JobStatus::InQueue => {
                    purged.push(self.step_row(row, Event::Purge, now)?);
                }
                Ok(_) => {}
                Err(Fault::Damaged(what)) => self.set_aside(endpoint, seq, &what)?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(purged)
    }

    pub(super) fn tick(&mut self, endpoint: i64, now: Timestamp, most: usize) -> Result<Vec<Stepped>, Fault> {
        let mut stepped = Vec::new();
        while stepped.len() < most {
            let index = self.index(endpoint)?;
            let Some((at, seq)) = index.first_due().filter(|(at, _)| *at <= now) else { break };
            match self.by_seq(seq) {
                Ok(Some(row)) => stepped.push(self.step_row(row, Event::Tick, now)?),
                Ok(None) => self.index(endpoint)?.abandon(at, seq),
                Err(Fault::Damaged(what)) => {
                    self.set_aside(endpoint, seq, &what)?;
                    self.index(endpoint)?.abandon(at, seq);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(stepped)
    }

    pub(super) fn oldest_queued(&mut self, endpoint: i64) -> Result<Option<Timestamp>, Fault> {
        let mut at = 0;
        while let Some((place, seq)) = self.index(endpoint)?.queued_at(at) {
            at += 1;
            let Ok(Some(row)) = self.by_seq(seq) else { continue };
            let waits = row.place == place && row.state.status == JobStatus::InQueue;
            if waits && !row.state.terms.low_priority {
                return Ok(Some(row.state.submitted));
            }
        }
        Ok(None)
    }

    pub(super) fn held(&mut self, endpoint: i64, worker: &WorkerId) -> Result<Vec<Held>, Fault> {
        let mut held = Vec::new();
        for seq in self.index(endpoint)?.held(worker) {
            if let Some(row) = self.by_seq(seq)?
                && let Some(taken) = row.state.taken
            {
                held.push(Held { id: row.id, taken });
            }
        }
        Ok(held)
    }

    pub(super) fn push_chunk(
        &mut self,
        endpoint: i64,
        worker: &WorkerId,
        id: &JobId,
        chunk: &Payload,
        backlog: usize,
    ) -> Result<Option<Pushed>, Fault> {
        let Some(mut row) = self.by_id(endpoint, id)? else { return Ok(None) };
        if !row.state.is_held_by(worker) {
            return Ok(Some(Pushed::NotHeld));
        }
        let stream = self.index(endpoint)?.streams.entry(row.seq).or_default();
        if stream.bytes + chunk.len() > backlog {
            return Ok(Some(Pushed::Full));
        }
        let n = stream.next;
        stream.next += 1;
        stream.bytes += chunk.len();
        let sum = payloads::sum(row.seq ^ n, chunk.get());
        self.db
            .prepare_cached("INSERT INTO chunk (seq, n, sum, json) VALUES (?1, ?2, ?3, ?4)")?
            .execute((row.seq, n, sum, chunk.get()))?;
        if !row.has(CHUNKS) {
            row.has |= CHUNKS;
            self.write_again(&row)?;
        }
        Ok(Some(Pushed::Kept))
    }

    pub(super) fn drain_chunks(&mut self, endpoint: i64, id: &JobId) -> Result<Option<Drained>, Fault> {
        let Some(row) = self.by_id(endpoint, id)? else { return Ok(None) };
        let status = row.state.status;
        let waiting = self.index(endpoint)?.streams.get(&row.seq).is_some_and(|stream| stream.bytes > 0);
        if !waiting {
            return Ok(Some(Drained { status, chunks: Vec::new() }));
        }
        let chunks = chunks(&self.db, &row)?;
        self.remove_chunks(row.seq)?;
        if let Some(stream) = self.index(endpoint)?.streams.get_mut(&row.seq) {
            stream.bytes = 0;
        }
        Ok(Some(Drained { status, chunks }))
    }

    pub(super) fn settle_webhook(&mut self, endpoint: i64, id: &JobId) -> Result<(), Fault> {
        if let Some(mut row) = self.by_id(endpoint, id)?
            && row.webhook == WEBHOOK_DUE
        {
            row.webhook = WEBHOOK;
            self.write_again(&row)?;
        }
        Ok(())
    }

    fn step_all(
        &mut self,
        endpoint: i64,
        jobs: impl Iterator<Item = i64>,
        event: &Event<'_>,
        now: Timestamp,
    ) -> Result<Vec<Stepped>, Fault> {
        let mut stepped = Vec::new();
        for seq in jobs {
            match self.by_seq(seq) {
                Ok(Some(row)) => stepped.push(self.step_row(row, event.clone(), now)?),
                Ok(None) => {}
                Err(Fault::Damaged(what)) => self.set_aside(endpoint, seq, &what)?,
                Err(fault) => return Err(fault),
            }
        }
        Ok(stepped)
    }

    fn step_row(&mut self, mut row: Row, event: Event<'_>, now: Timestamp) -> Result<Stepped, Fault> {
        let before = row.state.clone();
        let index = self.index(row.endpoint)?;
        let mut effects = index.rules.step(&mut row.state, event, now);
        let due = index.rules.due(&row.state);
        let outcome = effects.outcome.take();
        // Only a step that ends the job has somebody who looks at it, and that one brings the outcome.
        let seen = outcome.clone().unwrap_or_else(|| Outcome { output: None, error: row.error.clone() });
        let job = shown(&row.id, &row.state, &seen);
        if effects.verdict != Verdict::Applied {
            return Ok(Stepped { effects, job, due, webhook: None });
        }
        let attached = if row.has(ATTACHED) && (effects.ended || effects.remove) {
            match get_attached(&self.db, &row) {
                Ok(attached) => Some(attached),
                // A job must be able to end without its webhook.
                Err(Fault::Damaged(what)) => {
                    tracing::error!(what, "a job ends without its webhook");
                    None
                }
                Err(fault) => return Err(fault),
            }
        } else {
            None
        };
        let webhook =
            attached.as_ref().and_then(|attached| attached.webhook.clone()).filter(|_| effects.ended);
        let index = self.index(row.endpoint)?;
        index.moved(row.seq, &before, &row.state);
        if effects.ended && !effects.remove {
            index.ended(job.clone());
        } else if before.status.is_terminal() {
            index.changed(row.id.clone());
        }
        if effects.remove {
            if row.has(ATTACHED) && attached.is_none() {
                // It is damaged. The idempotency key that it may have had is searched for.
                self.db.prepare_cached("DELETE FROM idempotency WHERE seq = ?1")?.execute([row.seq])?;
            }
            self.remove(
                &row,
                attached.as_ref().and_then(|attached| attached.key.as_ref()).map(|key| key.name.as_str()),
            )?;
            return Ok(Stepped { effects, job, due, webhook });
        }
        if let Some(Outcome { output, error }) = outcome {
            match output {
                // A progress report replaces the one before it, and the result replaces the last one.
                Some(output) if row.has(OUTPUT) => Table::Output.replace(&self.db, row.seq, output.get())?,
                Some(output) => {
                    Table::Output.put(&self.db, row.seq, output.get())?;
                    row.has |= OUTPUT;
                }
                None if row.has(OUTPUT) => {
                    Table::Output.remove(&self.db, row.seq)?;
                    row.has &= !OUTPUT;
                }
                None => {}
            }
            row.error = error;
        }
        if effects.drop_chunks && row.has(CHUNKS) {
            self.remove_chunks(row.seq)?;
            self.index(row.endpoint)?.streams.remove(&row.seq);
            row.has &= !CHUNKS;
        }
        // A small input that nobody can need again stays until the job goes: whoever looks at the job sees it, and taking it
        // out would write its page once more.
        if effects.drop_input && row.has(LARGE_INPUT) {
            Table::Input.remove(&self.db, row.seq)?;
            row.has &= !(INPUT | LARGE_INPUT);
        }
        if let Some(end) = effects.enqueue {
            row.place = self.index(row.endpoint)?.queue(row.seq, end, &row.state);
        }
        if webhook.is_some() {
            row.webhook = WEBHOOK_DUE;
        } else if row.webhook == WEBHOOK_DUE && !row.state.status.is_terminal() {
            row.webhook = WEBHOOK;
        }
        self.write_again(&row)?;
        Ok(Stepped { effects, job, due, webhook })
    }

    fn remove(&mut self, row: &Row, key: Option<&str>) -> Result<(), Fault> {
        let tables = [(INPUT, Table::Input), (OUTPUT, Table::Output), (ATTACHED, Table::Attached)];
        for (_, table) in tables.into_iter().filter(|(flag, _)| row.has(*flag)) {
            table.remove(&self.db, row.seq)?;
        }
        if row.has(CHUNKS) {
            self.remove_chunks(row.seq)?;
        }
        if let Some(key) = key {
            self.db
                .prepare_cached("DELETE FROM idempotency WHERE endpoint = ?1 AND name = ?2 AND seq = ?3")?
                .execute((row.endpoint, key, row.seq))?;
        }
        self.db.prepare_cached("DELETE FROM job WHERE seq = ?1")?.execute([row.seq])?;
        self.live.forget(row);
        self.index(row.endpoint)?.removed(row);
        Ok(())
    }

    fn remove_chunks(&mut self, seq: i64) -> Result<(), Fault> {
        self.db.prepare_cached("DELETE FROM chunk WHERE seq = ?1")?.execute([seq])?;
        Ok(())
    }

    fn write(&mut self, row: &Row) -> Result<(), Fault> {
        let state = &row.state;
        self.db
            .prepare_cached(
                "INSERT INTO job (seq, endpoint, id, status, place, submitted, retries, execution_timeout, ttl, retention, \
                 low_priority, webhook, has, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                row.seq,
                row.endpoint,
                row.id.as_str(),
                state.status.as_str(),
                row.place,
                millis(state.submitted),
                state.retries,
                length(state.terms.execution_timeout),
                length(state.terms.ttl),
                length(state.terms.retention),
                state.terms.low_priority,
                row.webhook,
                row.has,
                row.sum(),
            ])?;
        self.live.remember(row);
        Ok(())
    }

    /// Writes what may have changed since the job came.
    fn write_again(&mut self, row: &Row) -> Result<(), Fault> {
        let state = &row.state;
        self.db
            .prepare_cached(
                "UPDATE job SET status = ?2, place = ?3, submitted = ?4, taken = ?5, ended = ?6, worker = ?7, retries = ?8, \
                 webhook = ?9, has = ?10, sum = ?11, error = ?12 WHERE seq = ?1",
            )?
            .execute(params![
                row.seq,
                state.status.as_str(),
                row.place,
                millis(state.submitted),
                state.taken.map(millis),
                state.ended.map(millis),
                state.worker.as_ref().map(WorkerId::as_str),
                state.retries,
                row.webhook,
                row.has,
                row.sum(),
                row.error.as_deref(),
            ])?;
        self.live.remember(row);
        Ok(())
    }

    fn by_seq(&self, seq: i64) -> Result<Option<Row>, Fault> {
        match self.live.by_seq(seq) {
            Some(row) => Ok(Some(row.clone())),
            None => queries::by_seq(&self.db, seq),
        }
    }

    fn by_id(&self, endpoint: i64, id: &JobId) -> Result<Option<Row>, Fault> {
        match self.live.by_id(endpoint, id) {
            Some(row) => Ok(Some(row.clone())),
            None => queries::by_id(&self.db, endpoint, id),
        }
    }
}
