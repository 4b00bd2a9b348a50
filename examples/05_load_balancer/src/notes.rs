//! Notes: all five verbs on one thing. They are kept in the memory of a worker, so another worker has others, and none
//! survives: what has to last belongs into a store that all workers share.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flash::Response;
use flash::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CPU;
use crate::error::UserError;

/// Notes that one worker keeps.
pub const LIMIT: usize = 1000;

/// What somebody wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Its number.
    pub id: u64,
    /// What it is about.
    pub title: String,
    /// What it says.
    pub text: String,
}

/// A note without its number, as clients send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What it is about.
    pub title: String,
    /// What it says; nothing by default.
    #[serde(default)]
    pub text: String,
}

/// The notes of a worker, which all requests share.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    notes: BTreeMap<u64, Note>,
    last: u64,
}

impl FromWorker for Notes {
    type Error = Infallible;

    async fn from_worker(_: &Worker) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn get(&mut self, id: u64) -> Result<&mut Note, UserError> {
        self.notes.get_mut(&id).ok_or(UserError::NoSuchNote { id })
    }
}

/// Lists the notes, the oldest first; those with `containing` in their title, and at most `limit`.
///
/// # Errors
/// Never.
#[remote(resource = CPU, method = "GET", path = "/notes")]
pub async fn list_notes(
    containing: Option<String>,
    #[remote(default = 100)] limit: usize,
    notes: State<Notes>,
) -> Result<Vec<Note>, UserError> {
    let shelf = notes.lock();
    let wanted = |note: &&Note| containing.as_ref().is_none_or(|part| note.title.contains(part));
    Ok(shelf.notes.values().filter(wanted).take(limit).cloned().collect())
}

/// Writes a note down. The answer says where it is.
///
/// # Errors
/// The worker has no room.
#[remote(resource = CPU, method = "POST", path = "/notes", status = 201)]
pub async fn create_note(
    #[remote(body)] note: NewNote,
    notes: State<Notes>,
) -> Result<Response<Note>, UserError> {
    let mut shelf = notes.lock();
    if shelf.notes.len() >= LIMIT {
        return Err(UserError::TooManyNotes { limit: LIMIT });
    }
    shelf.last += 1;
    let note = Note { id: shelf.last, title: note.title, text: note.text };
    shelf.notes.insert(note.id, note.clone());
    let location = format!("notes/{}", note.id);
    Ok(Response::new(note).with_header("location", location))
}

/// Reads a note.
///
/// # Errors
/// There is none of this number.
#[remote(resource = CPU, method = "GET", path = "/notes/{id}")]
pub async fn read_note(id: u64, notes: State<Notes>) -> Result<Note, UserError> {
    notes.lock().get(id).cloned()
}

/// Puts another note in the place of one.
///
/// # Errors
/// There is none of this number.
#[remote(resource = CPU, method = "PUT", path = "/notes/{id}")]
pub async fn replace_note(
    id: u64,
    #[remote(body)] note: NewNote,
    notes: State<Notes>,
) -> Result<Note, UserError> {
    let mut shelf = notes.lock();
    let place = shelf.get(id)?;
    *place = Note { id, title: note.title, text: note.text };
    Ok(place.clone())
}

/// Changes what is named of a note.
///
/// # Errors
/// There is none of this number.
#[remote(resource = CPU, method = "PATCH", path = "/notes/{id}")]
pub async fn change_note(
    id: u64,
    title: Option<String>,
    text: Option<String>,
    notes: State<Notes>,
) -> Result<Note, UserError> {
    let mut shelf = notes.lock();
    let note = shelf.get(id)?;
    note.title = title.unwrap_or_else(|| note.title.clone());
    note.text = text.unwrap_or_else(|| note.text.clone());
    Ok(note.clone())
}

/// Throws a note away.
///
/// # Errors
/// There is none of this number.
#[remote(resource = CPU, method = "DELETE", path = "/notes/{id}")]
pub async fn delete_note(id: u64, notes: State<Notes>) -> Result<(), UserError> {
    notes.lock().notes.remove(&id).map(drop).ok_or(UserError::NoSuchNote { id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_keeps_a_bounded_number() {
        let notes = State::new(Notes::default());
        let new = |n: usize| NewNote { title: format!("note {n}"), text: String::new() };
        for n in 0..LIMIT {
            create_note(new(n), notes.clone()).await.unwrap();
        }
        let refused = create_note(new(LIMIT), notes.clone()).await.unwrap_err();
        assert_eq!(refused, UserError::TooManyNotes { limit: LIMIT });
        delete_note(1, notes.clone()).await.unwrap();
        // A number is never given twice.
        assert_eq!(create_note(new(0), notes.clone()).await.unwrap().id, LIMIT as u64 + 1);
        assert_eq!(list_notes(Some("note 99".to_owned()), 2, notes).await.unwrap().len(), 2);
    }
}
