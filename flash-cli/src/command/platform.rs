use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flash_local::{Limits, limits};

use super::images;
use super::serve;
use crate::cli::PlatformCommand;
use crate::connect::{LocalRecord, state_dir};
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::report::{Number, Numbers, PlatformState, Repaired};

/// How long a platform may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// `flash platform`
pub(super) async fn run(command: PlatformCommand, output: Output) -> Result<u8, Failure> {
    match command {
        PlatformCommand::Start { port } => start(port, output).await,
        PlatformCommand::Stop => stop(output).await,
        PlatformCommand::Status => status(output),
        PlatformCommand::Image { name, source } => images::make(&name, &source, output),
        PlatformCommand::Images => images::list(output),
        PlatformCommand::Parity => {
            parity(output);
            Ok(0)
        }
        PlatformCommand::Repair { data_dir } => repair(data_dir.as_deref(), output),
        PlatformCommand::Serve { port } => serve::run(port).await,
    }
}

async fn start(port: u16, output: Output) -> Result<u8, Failure> {
    let (record, text) = match LocalRecord::running()? {
        Some(record) => (record, "it runs already"),
        None => (spawn(port).await?, "started"),
    };
    let text = format!("{text}: {}\n\nnext: flash deploy", record.base_url);
    output.result(&text, &running(record)?);
    Ok(0)
}

fn running(record: LocalRecord) -> Result<PlatformState, Failure> {
    let LocalRecord { pid, base_url, .. } = record;
    Ok(PlatformState { running: true, pid: Some(pid), url: Some(base_url), data: Some(state_dir()?) })
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
        output.result("it does not run", &PlatformState::default());
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
    let state = PlatformState { pid: Some(record.pid), ..PlatformState::default() };
    output.result("stopped, with its workers", &state);
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
            output.result(&text, &running(record)?);
        }
        None => {
            output.result("it does not run\n\nnext: flash platform start", &PlatformState::default());
        }
    }
    Ok(0)
}

fn parity(output: Output) {
    let known = Limits::default();
    let numbers = known.rows().into_iter().map(|row| Number {
        name: row.name.to_owned(),
        value: row.value.to_string(),
        grade: row.grade.to_string(),
        source: row.source.to_owned(),
        about: row.about.to_owned(),
    });
    output.result(limits::render(&known).trim_end(), &Numbers { numbers: numbers.collect() });
}

fn repair(data_dir: Option<&Path>, output: Output) -> Result<u8, Failure> {
    let dir = match data_dir {
        Some(dir) => dir.to_owned(),
        None => state_dir()?.join("data"),
    };
    // An empty directory would be repaired into an empty database.
    if !dir.is_dir() {
        return Err(Failure::new(format!("there is no data directory `{}`", dir.display()))
            .help("`flash platform status` shows where the data of the local platform is"));
    }
    let repaired = flash_local::repair(&dir).during("the data directory cannot be repaired")?;
    let text = format!(
        "{} jobs are whole, {} could not be read and are gone, {} acknowledged commits are lost\n\nnext: flash platform start",
        repaired.jobs,
        repaired.damaged.len(),
        repaired.lost_commits
    );
    let document = Repaired {
        data: dir,
        jobs: repaired.jobs,
        damaged: repaired.damaged,
        lost_commits: repaired.lost_commits,
    };
    output.result(&text, &document);
    Ok(0)
}
