//! The local role: every endpoint of the app in one process, queues included.

mod in_process;
mod server;
mod table;
mod webhook;

pub use server::LocalServer;
pub(crate) use server::{LOCAL_GRACE, check_not_empty};
