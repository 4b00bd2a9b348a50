//! One worker process and its group.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal as Number, kill_process, kill_process_group};
use tokio::process::Child;

use super::{Signal, shim};

/// What to start.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) dir: Option<PathBuf>,
    pub(super) unset: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
}

impl Launch {
    pub(super) fn start(self) -> io::Result<Child> {
        // Behind a shim the error would be one of the shell, in the worker's log.
        if self.program.components().count() > 1 {
            let path = self.dir.as_deref().unwrap_or(Path::new("")).join(&self.program);
            std::fs::metadata(path)?;
        }
        let mut command = shim::command(self.program, self.args, self.env);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: a signal reaches the worker's children too, and Ctrl-C at the platform does not.
            .process_group(0)
            .kill_on_drop(true);
        for name in self.unset {
            command.env_remove(name);
        }
        if let Some(dir) = self.dir {
            command.current_dir(dir);
        }
        command.spawn()
    }
}

/// The group that a worker process leads. When it is dropped, whatever is left of the group is killed.
#[derive(Debug)]
pub(super) struct Group {
    /// `None` when the group has ended: its number may be somebody else's by now.
    leader: Mutex<Option<Pid>>,
}

impl Group {
    pub(super) fn of(pid: u32) -> Self {
        let leader = i32::try_from(pid).ok().and_then(Pid::from_raw);
        Self { leader: Mutex::new(leader) }
    }

    /// One of a process that has ended long ago.
    pub(super) fn gone() -> Self {
        Self { leader: Mutex::new(None) }
    }

    /// Sends a signal. `false`: the group has ended.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<bool> {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pid) = *leader else { return Ok(false) };
        let sent = match signal {
            Signal::Terminate => kill_process(pid, Number::TERM),
            Signal::Kill => kill_process_group(pid, Number::KILL),
            Signal::Freeze => kill_process_group(pid, Number::STOP),
            Signal::Thaw => kill_process_group(pid, Number::CONT),
        };
        match sent {
            Ok(()) => Ok(true),
            // It has just ended, and nobody has noticed yet.
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The leader has ended: kills what it left behind.
    pub(super) fn ended(&self) {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pid) = leader {
            // Mostly there is nobody left, which is an error here and no news.
            let _ = kill_process_group(pid, Number::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.ended();
    }
}
