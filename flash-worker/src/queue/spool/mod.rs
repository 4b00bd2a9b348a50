//! Results that the queue does not have yet, kept in a file until it has them, so that they survive the death of this
//! process (not of the machine: nothing is forced to the disk).
//!
//! Each process has a file of its own and holds a lock on it. A file that nobody has locked belongs to a process that
//! died; the next one to start takes it over.

mod directory;
mod keeper;
mod record;
mod segment;

pub(crate) use keeper::Spool;
pub(crate) use record::Kept;
