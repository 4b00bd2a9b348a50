//! The thread that reads what is committed.

use std::sync::mpsc::Receiver;

use rusqlite::Connection;

use super::call::Call;

/// What is sent to the reader.
pub(super) enum Question {
    Call(Box<dyn Call<Connection>>),
    /// Answer what was asked before, and end.
    Close,
}

pub(super) fn run(mut db: Connection, questions: &Receiver<Question>) {
    while let Ok(Question::Call(mut call)) = questions.recv() {
        let fault = call.run(&mut db).err();
        call.answer(fault.as_ref());
    }
}
