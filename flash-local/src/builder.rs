//! How a platform differs from the default one.

use std::net::SocketAddr;
use std::path::Path;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;

use flash_core::clock::Clock;
use flash_queue::Limits;

#[cfg(feature = "sqlite")]
use crate::SqliteOptions;
use crate::{Faults, LocalPlatform, PlatformError};

/// Settings of a platform that is to be started.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) api_key: Option<String>,
    pub(crate) record_traffic: bool,
    pub(crate) address: Option<SocketAddr>,
    #[cfg(feature = "control-plane")]
    pub(crate) control_plane: bool,
    #[cfg(feature = "sqlite")]
    pub(crate) data: Option<(PathBuf, SqliteOptions)>,
    pub(crate) faults: Faults,
}

impl Builder {
    /// Sets the numbers of the platform.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the time that jobs and waiting requests live in. Processes live in real time in any case.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Asks callers for this key. Workers find it in `RUNPOD_API_KEY`. Without one everybody on this machine may call.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Keeps all requests and answers of the data plane and the gateway, for [`LocalPlatform::traffic`].
    pub const fn record_traffic(mut self, record: bool) -> Self {
        self.record_traffic = record;
        self
    }

    /// Keeps jobs and state in this directory, which is made if it is not there. A platform that starts on it later goes on where
    /// this one stopped, however it stopped. Without one everything is gone when the platform ends.
    #[cfg(feature = "sqlite")]
    pub fn data_dir(self, dir: impl Into<PathBuf>) -> Self {
        self.data(dir, SqliteOptions::new())
    }

    /// As [`data_dir`](Self::data_dir), with other settings.
    #[cfg(feature = "sqlite")]
    pub fn data(mut self, dir: impl Into<PathBuf>, options: SqliteOptions) -> Self {
        self.data = Some((dir.into(), options));
        self
    }

    /// What goes wrong, and when. More can be scripted while the platform runs: keep a clone.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets where the platform listens. Without it that is a free port of 127.0.0.1, which only this machine can reach.
    pub const fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Serves the control plane: the GraphQL API and REST v2, with a key in any case. Without
    /// [`api_key`](Self::api_key) it makes one, which [`LocalPlatform::api_key`] tells.
    #[cfg(feature = "control-plane")]
    pub const fn control_plane(mut self, serve: bool) -> Self {
        self.control_plane = serve;
        self
    }

    /// Where state is kept.
    pub(crate) fn directory(&self) -> Option<&Path> {
        #[cfg(feature = "sqlite")]
        return self.data.as_ref().map(|(dir, _)| dir.as_path());
        #[cfg(not(feature = "sqlite"))]
        None
    }

    /// Starts the platform on a free loopback port.
    ///
    /// # Errors
    /// When no port can be opened, or the data directory can not be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<LocalPlatform, PlatformError> {
        LocalPlatform::from_builder(self).await
    }
}
