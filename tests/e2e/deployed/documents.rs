use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::processes::root;

/// What commands have printed with `--json`. All of it is compared with the published schemas when this is dropped: one
/// interpreter for many documents.
#[derive(Default)]
pub(crate) struct Documents(Mutex<Vec<Value>>);

impl Documents {
    /// Remembers what `flash ARGS` has printed.
    pub(crate) fn add(&self, args: &[&str], document: &Value) {
        let schema = if document.get("error").is_some() && document["error"]["exit_code"].is_u64() {
            "error".to_owned()
        } else {
            schema_of(args)
        };
        self.0.lock().unwrap().push(json!([schema, document]));
    }

    fn check(&self) -> Result<(), String> {
        let python = root().join("target/tools/python/bin/python");
        assert!(python.is_file(), "{} is missing\nhelp: run cargo xtask setup", python.display());
        let mut child = Command::new(python)
            .arg(root().join("tests/foreign/documents.py"))
            .arg(schemas())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let documents = Value::Array(self.0.lock().unwrap().clone()).to_string();
        child.stdin.take().unwrap().write_all(documents.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        // A test that fails has something to say already.
        if !std::thread::panicking() && !self.0.get_mut().unwrap().is_empty() {
            self.check().unwrap_or_else(|problems| panic!("not as in schemas/cli:\n{problems}"));
        }
    }
}

fn schemas() -> PathBuf {
    root().join("schemas/cli")
}

/// The most words of a command line that a schema is named after.
fn schema_of(args: &[&str]) -> String {
    let words: Vec<&str> = args.iter().copied().take_while(|word| !word.starts_with('-')).collect();
    let preview = if args.contains(&"--preview") { "build-preview" } else { "" };
    let names = (1..=words.len()).rev().map(|count| words[..count].join("-"));
    let known = |name: &String| schemas().join(format!("{name}.schema.json")).exists();
    std::iter::once(preview.to_owned())
        .chain(names)
        .find(known)
        .unwrap_or_else(|| panic!("no schema: {args:?}"))
}

#[test]
fn a_document_with_another_key_or_without_one_is_found() {
    let fine = json!({"name": "x", "dir": "/x"});
    for document in
        [json!({"name": "x"}), json!({"name": "x", "dir": "/x", "more": 1}), json!({"name": 1, "dir": "/x"})]
    {
        let documents = Documents::default();
        documents.add(&["init", "x"], &document);
        documents.check().unwrap_err();
        documents.0.lock().unwrap().clear();
    }
    let documents = Documents::default();
    documents.add(&["init", "x"], &fine);
    documents.check().unwrap();
}
