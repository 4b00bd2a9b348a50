//! What can go wrong with a platform.

use std::io;

use flash_core::ids::WorkerId;
use flash_queue::StoreError;

/// An operation of the platform that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// No port could be opened on loopback.
    #[error("no port can be opened on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
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
    /// The data directory can not be used.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Data(#[from] crate::DataError),
    /// The job store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
