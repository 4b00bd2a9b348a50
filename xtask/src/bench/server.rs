//! A program that is measured: started alone on its core, stopped when the measurement is over.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{machine, probe, report};
use crate::Result;

/// How long a program may take until it serves, and until it has ended.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    name: String,
    log: PathBuf,
    started: Instant,
    started_unix_ns: u64,
}

impl Server {
    /// Starts a program on a core, with these arguments and variables and no others.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        program: &Path,
        core: Option<usize>,
        words: &[String],
        variables: &[(&str, String)],
    ) -> Result<Self> {
        Self::start_with_log(program, core, words, variables, program.with_extension("log"))
    }

    /// As [`start`](Self::start), with its log in another place than beside the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start_with_log(
        program: &Path,
        core: Option<usize>,
        words: &[String],
        variables: &[(&str, String)],
        log: PathBuf,
    ) -> Result<Self> {
        // What it writes costs it something, as it would elsewhere, and explains a failure.
        let mut command = machine::pinned(program, core);
        // Variables of this terminal, a proxy or an account for example, must not reach the program.
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command.args(words).envs(variables.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = Instant::now();
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let child = command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
        Ok(Self { child, name, log, started, started_unix_ns: u64::try_from(since.as_nanos())? })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// When it was started, in nanoseconds since the Unix epoch.
    pub(crate) fn started_unix_ns(&self) -> u64 {
        self.started_unix_ns
    }

    /// Waits until it answers 200 on a path. Returns the time since its start.
    ///
    /// # Errors
    /// When it ends, or does not serve within 20 s; the message holds the end of its log.
    pub(crate) fn wait_until_ready(&mut self, port: u16, path: &str) -> Result<Duration> {
        self.wait_until("serving", || Ok(matches!(probe::get(port, path, START_LIMIT), Ok((200, _)))))
    }

    /// Waits until something holds. Returns the time since its start.
    ///
    /// # Errors
    /// When the program ends, or it does not hold within 20 s; the message holds the end of the program's log.
    pub(crate) fn wait_until(
        &mut self,
        what: &str,
        mut holds: impl FnMut() -> Result<bool>,
    ) -> Result<Duration> {
        while !holds()? {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!(
                    "{} ended before it was {what} ({status})\n{}",
                    self.name,
                    self.last_words()
                )
                .into());
            }
            if self.started.elapsed() > START_LIMIT {
                return Err(format!(
                    "{} was not {what} within {START_LIMIT:?}\n{}",
                    self.name,
                    self.last_words()
                )
                .into());
            }
            // Short against a start of milliseconds, long enough to leave the core to others.
            std::thread::sleep(Duration::from_micros(50));
        }
        Ok(self.started.elapsed())
    }

    /// Asks it to end (SIGTERM) and waits until it has. Returns how long that took, the start of `kill` included.
    ///
    /// # Errors
    /// When it does not end within 20 s, or ends with another code than 0; the message holds the end of its log.
    pub(crate) fn terminate(mut self) -> Result<Duration> {
        let asked = Instant::now();
        let sent = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        if !sent.success() {
            return Err(format!("kill -TERM {} failed ({sent})", self.pid()).into());
        }
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(asked.elapsed()),
                Some(status) => {
                    let (name, words) = (&self.name, self.last_words());
                    return Err(format!("{name} did not end well ({status})\n{words}").into());
                }
                None if asked.elapsed() > START_LIMIT => {
                    let (name, words) = (&self.name, self.last_words());
                    return Err(format!("{name} did not end within {START_LIMIT:?}\n{words}").into());
                }
                None => std::thread::sleep(Duration::from_micros(50)),
            }
        }
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        report::last_lines(&log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
