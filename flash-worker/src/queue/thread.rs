use std::time::Duration;

use tokio::runtime::Handle;

/// A thread with a runtime of its own for everything that must go on while user functions block the others.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) handle: Handle,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Thread {
    pub(crate) fn start() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("the intake cannot start: {error}"))?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("flash-intake".to_owned())
            .spawn(move || {
                // Ends when the worker is done, or gone.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_timeout(Duration::from_millis(100));
            })
            .map_err(|error| format!("the intake cannot start: {error}"))?;
        Ok(Self { handle, stop })
    }

    pub(crate) fn stop(self) {
        let _ = self.stop.send(());
    }
}
