//! Payloads, each in a row with its checksum.

use flash_core::wire::Policy;
use flash_queue::Payload;
use flash_queue::store::{Attached, IdempotencyKey};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fault::Fault;
use super::row::Row;
use super::sum::Sum;

/// A table of payloads by job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Input,
    Output,
    Attached,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Attached => "attached",
        }
    }

    const fn insert(self) -> &'static str {
        match self {
            Self::Input => "INSERT INTO input (seq, sum, json) VALUES (?1, ?2, ?3)",
            Self::Output => "INSERT INTO output (seq, sum, json) VALUES (?1, ?2, ?3)",
            Self::Attached => "INSERT INTO attached (seq, sum, json) VALUES (?1, ?2, ?3)",
        }
    }

    const fn select(self) -> &'static str {
        match self {
            Self::Input => "SELECT sum, json FROM input WHERE seq = ?1",
            Self::Output => "SELECT sum, json FROM output WHERE seq = ?1",
            Self::Attached => "SELECT sum, json FROM attached WHERE seq = ?1",
        }
    }

    const fn delete(self) -> &'static str {
        match self {
            Self::Input => "DELETE FROM input WHERE seq = ?1",
            Self::Output => "DELETE FROM output WHERE seq = ?1",
            Self::Attached => "DELETE FROM attached WHERE seq = ?1",
        }
    }

    pub(super) fn put(self, db: &Connection, seq: i64, json: &str) -> Result<(), Fault> {
        db.prepare_cached(self.insert())?.execute((seq, sum(seq, json), json))?;
        Ok(())
    }

    /// Puts another payload in the place of the one that is there.
    pub(super) fn replace(self, db: &Connection, seq: i64, json: &str) -> Result<(), Fault> {
        self.remove(db, seq)?;
        self.put(db, seq, json)
    }

    pub(super) fn remove(self, db: &Connection, seq: i64) -> Result<(), Fault> {
        db.prepare_cached(self.delete())?.execute([seq])?;
        Ok(())
    }

    /// The payload of a job that has one.
    pub(super) fn get(self, db: &Connection, row: &Row) -> Result<Payload, Fault> {
        let json = self.text(db, row)?;
        Payload::from_json(json).map_err(|_| self.damaged(row))
    }

    fn text(self, db: &Connection, row: &Row) -> Result<String, Fault> {
        let read = db
            .prepare_cached(self.select())?
            .query_row([row.seq], |found| Ok((found.get::<_, i64>(0)?, found.get::<_, String>(1)?)))
            .optional();
        match read {
            Ok(Some((expected, json))) if expected == sum(row.seq, &json) => Ok(json),
            // Bytes that are no UTF-8 are no JSON that was written here.
            Ok(_) | Err(rusqlite::Error::FromSqlConversionFailure(..)) => Err(self.damaged(row)),
            Err(error) => Err(error.into()),
        }
    }

    fn damaged(self, row: &Row) -> Fault {
        Fault::Damaged(format!(
            "the {} of job {:?} is damaged: it does not have its checksum",
            self.name(),
            row.id.as_str()
        ))
    }
}

pub(super) fn sum(seq: i64, json: &str) -> i64 {
    Sum::default().number(seq).text(json).done()
}

/// [`Attached`] as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    policy: Option<Policy>,
    #[serde(borrow)]
    extra: Vec<(String, &'a RawValue)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key: Option<(String, u64)>,
}

pub(super) fn put_attached(db: &Connection, seq: i64, attached: &Attached) -> Result<(), Fault> {
    let kept = Kept {
        webhook: attached.webhook.clone(),
        policy: attached.policy.clone(),
        extra: attached.extra.iter().map(|(key, value)| (key.clone(), value.raw())).collect(),
        key: attached.key.as_ref().map(|key| (key.name.clone(), key.fingerprint)),
    };
    let json = serde_json::to_string(&kept).map_err(|error| Fault::Damaged(error.to_string()))?;
    Table::Attached.put(db, seq, &json)
}

pub(super) fn get_attached(db: &Connection, row: &Row) -> Result<Attached, Fault> {
    let json = Table::Attached.text(db, row)?;
    let kept: Kept<'_> = serde_json::from_str(&json).map_err(|_| Table::Attached.damaged(row))?;
    Ok(Attached {
        webhook: kept.webhook,
        policy: kept.policy,
        extra: kept.extra.into_iter().map(|(key, value)| (key, value.into())).collect(),
        key: kept.key.map(|(name, fingerprint)| IdempotencyKey { name, fingerprint }),
    })
}
