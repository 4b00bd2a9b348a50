use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::PlatformCommand;
use crate::connect::{LocalRecord, state_dir};
use crate::failure::{During, Failure};
use crate::output::Output;

/// How long a platform may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// `flash platform`
pub(super) async fn run(command: PlatformCommand, output: Output) -> Result<u8, Failure> {
    match command {
        PlatformCommand::Start { port } => start(port, output).await,
        PlatformCommand::Stop => stop(output).await,
        PlatformCommand::Status => status(output),
        PlatformCommand::Serve { port } => serve::run(port).await,
    }
}

async fn start(port: u16, output: Output) -> Result<u8, Failure> {
    let (record, text) = match LocalRecord::running()? {
        Some(record) => (record, "it runs already"),
        None => (spawn(port).await?, "started"),
    };
    let text = format!("{text}: {}\n\nnext: flash deploy", record.base_url);
    output.result(&text, &json!({"running": true, "pid": record.pid, "url": record.base_url}));
    Ok(0)
}

/// Starts this program again as the platform, detached from the terminal, and waits until it answers.
async fn spawn(port: u16) -> Result<LocalRecord, Failure> {
    use std::os::unix::process::CommandExt;
    let dir = state_dir()?;
    std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
    let log = dir.join("platform.log");
    let file = std::fs::File::create(&log).during(format!("`{}` cannot be written", log.display()))?;
    let program = std::env::current_exe().during("this program cannot find itself")?;
    let mut child = Command::new(program)
        .args(["platform", "serve", "--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        // Ctrl-C in this terminal is not meant for it.
        .process_group(0)
        .spawn()
        .during("the platform cannot be started")?;
    let begun = Instant::now();
    loop {
        if let Some(record) = LocalRecord::running()?.filter(|record| record.pid == child.id()) {
            return Ok(record);
        }
        let ended = child.try_wait().during("the platform cannot be waited for")?;
        if ended.is_some() || begun.elapsed() > PATIENCE {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Failure::new(format!("the platform did not start\n{}", said.trim()))
                .help(format_args!("its log is {}", log.display())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn stop(output: Output) -> Result<u8, Failure> {
    let Some(record) = LocalRecord::running()? else {
        output.result("it does not run", &json!({"running": false}));
        return Ok(0);
    };
    let pid = i32::try_from(record.pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::new("the platform's process is unknown"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .during("the platform cannot be stopped")?;
    let begun = Instant::now();
    while LocalRecord::running()?.is_some_and(|now| now.pid == record.pid) {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!(
                "the platform (process {}) did not stop within {} s",
                record.pid,
                PATIENCE.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    output.result("stopped, with its workers", &json!({"running": false, "pid": record.pid}));
    Ok(0)
}

fn status(output: Output) -> Result<u8, Failure> {
    match LocalRecord::running()? {
        Some(record) => {
            let text = format!(
                "runs at {} (process {}), data in {}",
                record.base_url,
                record.pid,
                state_dir()?.display()
            );
            output.result(
                &text,
                &json!({"running": true, "pid": record.pid, "url": record.base_url, "data": state_dir()?}),
            );
        }
        None => output.result("it does not run\n\nnext: flash platform start", &json!({"running": false})),
    }
    Ok(0)
}

#[path = "serve.rs"]
mod serve;
