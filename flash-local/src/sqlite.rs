//! Jobs and state in an SQLite database, durable before they are acknowledged.
//!
//! One thread writes. What arrives while it waits for the disk becomes the next group, and a group is one transaction: so the
//! disk's sync is paid once for all who wait for it. Another thread reads, from what is committed.
//!
//! The database is the truth. Beside it the writer keeps in memory only what it needs to find the next job quickly: which
//! jobs wait, which are due when, and who has which. Payloads are never kept there.

mod call;
mod database;
mod directory;
mod fault;
mod index;
mod jobs;
mod live;
mod mark;
mod operations;
mod options;
mod payloads;
mod queries;
mod reader;
mod recent;
mod repair;
mod row;
mod store;
mod sum;
mod writer;

pub use directory::DataError;
pub use options::{Durability, SqliteOptions};
pub use repair::{Repaired, repair};
pub use store::SqliteStore;
