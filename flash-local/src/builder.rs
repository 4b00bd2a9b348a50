//! How a platform differs from the default one.

use flash_core::clock::Clock;
use flash_queue::Limits;

use crate::{LocalPlatform, PlatformError};

/// Settings of a platform that is to be started.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) api_key: Option<String>,
    pub(crate) record_traffic: bool,
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

    /// Starts the platform on a free loopback port.
    ///
    /// # Errors
    /// When no port can be opened.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<LocalPlatform, PlatformError> {
        LocalPlatform::from_builder(self).await
    }
}
