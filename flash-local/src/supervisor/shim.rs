//! What stands between the platform and a worker, so that nothing outlives a platform that was killed.
//!
//! The shim is eight lines of shell that every Unix can run, so it works the same from a test, from the `flash` command and
//! from a program that embeds this library; no binary has to be found. It starts a guard that holds the read end of a pipe
//! whose write end only the platform has, and becomes the worker: the worker keeps the process id that the platform knows,
//! leads its own group, and ends with its own exit status. When the platform ends in whatever way, the kernel closes the
//! pipe, and the guard kills the group, itself included.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

/// `trap`: a group that loses its parent while it is frozen gets a `SIGHUP`, which must not end the guard before its work.
/// The guard's outputs are closed, because whoever reads the worker's logs waits for their end.
const SCRIPT: &str = "exec 3<&0 </dev/null
( trap '' HUP INT TERM
  exec >/dev/null 2>&1
  read -r _ <&3
  kill -s KILL -- \"-$$\"
) &
exec 3<&-
exec \"$@\"
";

/// A command that runs `program` behind a shim. Its standard input must stay open for as long as the worker may live.
pub(super) fn command(program: PathBuf, args: Vec<OsString>, env: Vec<(OsString, OsString)>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).arg("flash-shim");
    // A shell passes on only variables that it could have set itself; the others go around it.
    let (plain, odd): (Vec<_>, Vec<_>) = env.into_iter().partition(|(name, _)| is_plain(name));
    if !odd.is_empty() {
        command.arg("/usr/bin/env");
        command.args(odd.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        }));
    }
    command.arg(program).args(args).envs(plain).stdin(Stdio::piped());
    command
}

fn is_plain(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && bytes.first().is_some_and(|byte| !byte.is_ascii_digit())
}
