use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Machine;
use super::load::{Load, Probe};
use crate::processes::root;

/// `flash run`, and what it says.
struct Running {
    child: Child,
    lines: Receiver<String>,
    base: String,
}

impl Running {
    fn start(machine: &Machine) -> Self {
        let mut command = machine.command(&["run", "--port", "0"]);
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
        let mut running = Self { child, lines, base: String::new() };
        let line = running.until("POST http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        running.base = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        running
    }

    /// Waits for a line that has this in it.
    fn until(&self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(600)) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => said.push(line),
                Err(error) => panic!("{error} before {text:?}:\n{}", said.join("\n")),
            }
        }
    }

    fn greet(&self) -> Probe {
        let url = format!("{}/lb/api/greet", self.base);
        Probe { method: "POST", url, key: String::new(), body: Some(json!({"name": "Ada"})) }
    }

    fn interrupt(&mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the answer has this in it.
fn served(probe: &Probe, text: &str) {
    let begun = Instant::now();
    loop {
        let answer = probe.send_now();
        if answer.as_ref().is_ok_and(|answer: &Value| answer.to_string().contains(text)) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{text:?} is not served: {answer:?}");
    }
}

/// A new app, from its template to an edit that is served while requests go on, and an edit that does not compile.
#[test]
fn an_edit_is_served_and_an_error_leaves_the_last_good_build() {
    // Always the same place, so that cargo has built what it depends on.
    let dir = root().join("target/e2e-init/my-app");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
    let machine = Machine::in_dir(dir.parent().unwrap().to_owned());
    let flash: PathBuf = root().join("flash");
    machine.flash(&["init", "my-app", "--flash", flash.to_str().unwrap()]);
    let again = machine.run(&["init", "my-app"]);
    assert_eq!(again.status.code(), Some(1), "an app was made over another one");

    // The versions that the tests were built with: nothing is asked of a registry, and most of it is built.
    std::fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let machine = Machine::in_dir(dir);
    let mut running = Running::start(&machine);
    let greet = running.greet();
    served(&greet, "Hello, Ada! Your name has 1 words.");

    let load = Load::start(greet.clone());
    machine.edit("src/lib.rs", "Hello, {name}!", "Good day, {name}!");
    running.until("serving release 2");
    served(&greet, "Good day, Ada!");
    assert!(load.stop() > 0);

    machine.edit("src/lib.rs", "Good day, {name}!", "Good day, {nobody}!");
    running.until("the last good build goes on serving");
    served(&greet, "Good day, Ada!");
    machine.edit("src/lib.rs", "Good day, {nobody}!", "Good evening, {name}!");
    served(&greet, "Good evening, Ada!");
    running.interrupt();
}
