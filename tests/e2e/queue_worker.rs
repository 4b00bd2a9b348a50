use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use serde_json::Value;

/// A worker of the fixture's queue `faults`; killed when dropped.
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    pub(crate) fn start(queue: &str, directory: &Path, more: &[(&str, &str)]) -> Self {
        let log = directory.join(format!("log-{}", std::fs::read_dir(directory).unwrap().count()));
        let at = |operation: &str| format!("{queue}/v2/e/{operation}?gpu=x");
        let child = Command::new(env!("CARGO_BIN_EXE_fixture-app"))
            .env_clear()
            .env("FLASH_ENDPOINT_TYPE", "qb")
            .env("FLASH_RESOURCE_NAME", "faults")
            .env("FLASH_OUTBOX_DIR", directory.join("outbox"))
            .env("RUNPOD_ENDPOINT_ID", "e")
            .env("RUNPOD_POD_ID", "pod-1")
            .env("RUNPOD_AI_API_KEY", "fake-worker-key")
            .env("RUNPOD_WEBHOOK_GET_JOB", at("job-take/$ID"))
            .env("RUNPOD_WEBHOOK_POST_OUTPUT", at("job-done/$RUNPOD_POD_ID/$ID"))
            .env("RUNPOD_WEBHOOK_POST_STREAM", at("job-stream/$RUNPOD_POD_ID/$ID"))
            .env("RUNPOD_WEBHOOK_PING", at("ping/$RUNPOD_POD_ID"))
            .envs(more.iter().copied())
            .stdout(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end its work and go.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// The lines of its log, each an object as RunPod reads it.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
