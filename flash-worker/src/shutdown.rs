use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells every part of a process that it is time to stop taking work.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Not yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops on SIGTERM and SIGINT. The second signal ends the process at once, because somebody means it.
    ///
    /// # Errors
    /// The signals cannot be listened to.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let token = self.token.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if token.is_cancelled() {
                    tracing::warn!("stopped before the running work was finished");
                    std::process::exit(i32::from(crate::exit::NOT_DRAINED));
                }
                tracing::info!("stopping: running work is finished first");
                token.cancel();
            }
        });
        Ok(())
    }

    /// Asks for the stop.
    pub fn start(&self) {
        self.token.cancel();
    }

    /// Whether the stop was asked for.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until the stop is asked for.
    pub async fn started(&self) {
        self.token.cancelled().await;
    }
}
