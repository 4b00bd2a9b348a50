use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::Machine;

/// A command that goes on, and what it says.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(machine: &Machine, args: &[&str]) -> Self {
        Self::of(machine.command(args))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines }
    }

    /// Waits for a line that has this in it.
    pub(crate) fn until(&self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(600)) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => said.push(line),
                Err(error) => panic!("{error} before {text:?}:\n{}", said.join("\n")),
            }
        }
    }

    /// Scheme, host and port of the first address that is told.
    pub(crate) fn base(&self) -> String {
        let line = self.until(" http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    /// Ctrl-C, which it must take well.
    pub(crate) fn interrupt(mut self) {
        self.signal(rustix::process::Signal::INT);
        assert!(self.child.wait().unwrap().success());
    }

    /// It has nothing more to do, and ends well.
    pub(crate) fn ended(mut self) {
        assert!(self.child.wait().unwrap().success());
    }

    /// The end that no process hears of.
    pub(crate) fn kill(mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
