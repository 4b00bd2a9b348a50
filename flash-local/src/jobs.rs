//! Where a platform keeps its jobs.

use std::sync::Arc;

use flash_queue::{MemoryStore, Store};

#[cfg(feature = "sqlite")]
use crate::SqliteStore;
use crate::{Builder, PlatformError};

/// In memory, or in the database of a data directory.
#[derive(Debug)]
pub(crate) enum Jobs {
    Memory(Arc<MemoryStore>),
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteStore),
}

impl Jobs {
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(clippy::unused_async, reason = "a database is opened on another thread")
    )]
    pub(crate) async fn open(builder: &Builder) -> Result<Self, PlatformError> {
        #[cfg(feature = "sqlite")]
        if let Some((dir, options)) = builder.data.clone() {
            // A large database takes a while to be checked.
            let opening = tokio::task::spawn_blocking(move || SqliteStore::open(dir, options));
            return match opening.await {
                Ok(store) => Ok(Self::Sqlite(store?)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            };
        }
        Ok(Self::Memory(Arc::new(MemoryStore::new(&builder.limits))))
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// Finishes what was sent, and gives the data directory free.
    pub(crate) async fn close(&self) {
        #[cfg(feature = "sqlite")]
        if let Self::Sqlite(store) = self {
            store.close().await;
        }
    }
}
