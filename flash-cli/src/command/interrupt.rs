use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, the polite signal of another program, or a terminal that was closed, from the moment that this is made: one that
/// comes while nobody waits for it is heard at the next wait, and does not end the process with its work half done.
#[derive(Debug)]
pub(super) struct Interrupt(Vec<Signal>);

impl Interrupt {
    /// Where signals cannot be heard, the kernel's own way of ending a process is in force.
    pub(super) fn listen() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for it.
    pub(super) async fn came(&mut self) {
        std::future::poll_fn(|cx| {
            if self.0.iter_mut().any(|signal| signal.poll_recv(cx).is_ready()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
