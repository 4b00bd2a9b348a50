//! Which platform a command talks to, and with which key.

mod keys;
mod local;
mod resolve;

pub(crate) use local::{LocalRecord, state_dir};
pub(crate) use resolve::{Connection, connect};
