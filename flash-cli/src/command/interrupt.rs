use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, from the moment that this is made: one that comes while nobody waits for it is heard at the next wait, and does
/// not end the process with its work half done.
#[derive(Debug)]
pub(super) struct Interrupt(Option<Signal>);

impl Interrupt {
    pub(super) fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok())
    }

    /// Waits for it.
    pub(super) async fn came(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            // Then the kernel's own way of ending a process is in force.
            None => std::future::pending().await,
        }
    }
}
