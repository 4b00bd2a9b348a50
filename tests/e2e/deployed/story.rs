use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{Load, Probe};
use super::{Machine, Page};

/// What is particular about an example.
pub(crate) struct Story {
    pub(crate) example: &'static str,
    /// The endpoint that is asked while the workers roll.
    pub(crate) resource: &'static str,
    /// Verb and path of an HTTP endpoint; a queue has none.
    pub(crate) route: Option<(&'static str, &'static str)>,
    pub(crate) input: Value,
    /// Where the answer shows which release gave it, a part of what stands there, and one that stands there only after the edit.
    pub(crate) shows: (&'static str, &'static str, &'static str),
    /// The line that is changed: file, before, after.
    pub(crate) edit: (&'static str, &'static str, &'static str),
}

impl Story {
    /// From nothing to nothing: the commands of the page, and before the last ones a change of one line under load.
    /// `check` sees what each `flash call` of the page prints.
    pub(crate) fn tell(&self, mut check: impl FnMut(&Machine, &str, &Value)) {
        let machine = Machine::at(self.example);
        let mut deployed = 0;
        for command in Page::read(machine.dir()).commands() {
            if command[0] == "undeploy" {
                self.change_a_line(&machine);
            }
            let before = if command[0] == "deploy" && deployed > 0 { machine.workers() } else { Vec::new() };
            let printed = machine.flash(&command);
            match command[0] {
                "deploy" if deployed == 0 => {
                    assert!(printed.contains("deployed and verified"), "{printed}");
                    deployed += 1;
                }
                "deploy" => {
                    assert!(printed.contains("no changes"), "{printed}");
                    // Workers may have gone for want of work; none may have come instead.
                    assert!(machine.workers().iter().all(|worker| before.contains(worker)));
                }
                "call" => check(&machine, command[1], &serde_json::from_str(&printed).unwrap()),
                "undeploy" => {
                    assert_eq!(machine.json(&["ps"])["endpoints"], json!([]));
                    assert_eq!(machine.json(&["gc", "--dry-run"])["orphans"], json!([]));
                }
                _ => {}
            }
        }
        assert_eq!(deployed, 1);
        assert_eq!(machine.processes(), [] as [PathBuf; 0]);
    }

    fn probe(&self, machine: &Machine) -> Probe {
        let info = machine.json(&["deploy", "info", "staging"]);
        let endpoints = info["endpoints"].as_array().unwrap();
        let endpoint = endpoints.iter().find(|endpoint| endpoint["resource"] == self.resource).unwrap();
        let address = endpoint["address"].as_str().unwrap();
        let (_, key) = machine.access();
        match self.route {
            Some((method, path)) => {
                let body = (method != "GET").then(|| self.input.clone());
                Probe { method, url: format!("{address}{path}"), key, body }
            }
            None => {
                let body = Some(json!({"input": self.input}));
                Probe { method: "POST", url: format!("{address}/runsync"), key, body }
            }
        }
    }

    /// Whether the code after the edit gave this answer.
    fn is_new(&self, answer: &Value) -> bool {
        let (place, always, new) = self.shows;
        let text = answer.pointer(place).and_then(Value::as_str).unwrap_or_default();
        assert!(text.contains(always), "{answer}");
        text.contains(new)
    }

    /// Every request is answered while the workers roll, and in the end by the new code.
    fn change_a_line(&self, machine: &Machine) {
        let probe = self.probe(machine);
        assert!(!self.is_new(&probe.send_now().unwrap()));
        let load = Load::start(probe.clone());
        let (file, from, to) = self.edit;
        machine.edit(file, from, to);
        let applied = machine.json(&["deploy", "--env", "staging"]);
        assert_eq!(applied["changed"], true, "{applied}");
        for step in applied["plan"].as_array().unwrap() {
            let changed: Vec<&Value> =
                step["changes"].as_array().unwrap().iter().map(|change| &change["field"]).collect();
            assert_eq!(
                (&step["action"], changed),
                (&json!("update"), vec![&json!("env FLASH_ARTIFACT_SHA256")]),
                "{applied}"
            );
        }
        // The deployment is verified; the last of the old workers may still finish what it has.
        let begun = Instant::now();
        while !self.is_new(&probe.send_now().unwrap()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "old workers go on answering");
        }
        assert!(load.stop() > 0);
    }
}
