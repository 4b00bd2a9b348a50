//! What can go wrong with a platform.

use std::io;
use std::net::SocketAddr;

use flash_core::ids::WorkerId;
use flash_queue::StoreError;

/// An operation of the platform that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// The address can not be listened on.
    #[error(
        "{0} can not be listened on: {1}\nhelp: another process may have the port; port 0 takes a free one"
    )]
    Listen(SocketAddr, #[source] io::Error),
    /// The name of an endpoint can not be a part of a URL.
    #[error(
        "endpoint name {0:?} is not possible\nhelp: use letters, digits, `_`, `-` and `.`, at most 128 of them"
    )]
    Name(String),
    /// There is an endpoint of this name, and it is not the same kind, or has its workers already.
    #[error("endpoint {0:?} is there already")]
    Duplicate(String),
    /// There is no endpoint of this name.
    #[error("there is no endpoint {0:?}")]
    UnknownEndpoint(String),
    /// There is no worker of this id, or it has ended.
    #[error("no worker {0} is running")]
    UnknownWorker(WorkerId),
    /// A signal could not be sent.
    #[error("worker can not be signalled: {0}")]
    Signal(#[source] io::Error),
    /// The directory for results of workers can not be made.
    #[error(
        "directory for results of workers can not be made: {0}\nhelp: let TMPDIR name a directory that can be written to"
    )]
    Outbox(#[source] io::Error),
    /// The directory for the logs of workers can not be made.
    #[error(
        "directory for logs of workers can not be made: {0}\nhelp: make room in the data directory, or let it be written to"
    )]
    Logs(#[source] io::Error),
    /// The data directory can not be used.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Data(#[from] crate::DataError),
    /// The control plane failed.
    #[cfg(feature = "control-plane")]
    #[error(transparent)]
    Control(#[from] crate::ControlError),
    /// The job store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
