use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::desired::Identity;
use crate::failure::{During, Failure};

/// The format that is written.
const VERSION: u32 = 1;
/// How long a command waits for another one that holds the lock.
const PATIENCE: Duration = Duration::from_secs(120);

/// `.flash/state.json`: what this checkout knows of its deployments. The platform's own lists decide; this makes an
/// interrupted deployment cheap to continue and its remains easy to find.
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    document: Document,
    /// Held for as long as this lives.
    _lock: File,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    version: u32,
    environments: BTreeMap<String, Scope>,
    #[serde(flatten)]
    extra: BTreeMap<String, Value>,
}

/// What is known of one environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Scope {
    /// Endpoints by resource, from the moment they have an id.
    pub(crate) resources: BTreeMap<String, Tracked>,
    /// Endpoints that are about to be created, written before.
    pub(crate) intents: BTreeMap<String, String>,
    /// Builds by the artifact they hold, so that none is uploaded twice.
    pub(crate) uploads: BTreeMap<String, String>,
    /// The step that was begun last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    #[serde(flatten)]
    pub(crate) extra: BTreeMap<String, Value>,
}

/// A known endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Tracked {
    pub(crate) endpoint_id: String,
    pub(crate) kind: String,
    pub(crate) config_hash: String,
}

impl State {
    /// Opens the state below `dir` for this process alone. Another command that holds it is waited for, and named.
    pub(crate) fn open(dir: &Path) -> Result<Self, Failure> {
        Self::open_within(dir, PATIENCE)
    }

    fn open_within(dir: &Path, patience: Duration) -> Result<Self, Failure> {
        std::fs::create_dir_all(dir).during(format!("`{}` cannot be made", dir.display()))?;
        let lock = lock(&dir.join("state.lock"), patience)?;
        let path = dir.join("state.json");
        let document = match std::fs::read_to_string(&path) {
            Ok(text) => read(&text).map_err(|error| {
                Failure::new(format!("`{}` {error}", path.display())).help(
                    "update flash, or remove the file: endpoints are found again by asking the platform",
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Document::default(),
            Err(error) => return Err(error).during(format!("`{}` cannot be read", path.display())),
        };
        Ok(Self { path, document, _lock: lock })
    }

    /// What is known of an environment on a platform.
    pub(crate) fn scope(&mut self, platform: &str, id: &Identity) -> &mut Scope {
        self.document.environments.entry(format!("{platform} {}/{}", id.app, id.env)).or_default()
    }

    /// Forgets an environment.
    pub(crate) fn forget(&mut self, platform: &str, id: &Identity) {
        self.document.environments.remove(&format!("{platform} {}/{}", id.app, id.env));
    }

    /// Writes it, all or nothing.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        self.document.version = VERSION;
        let what = format!("`{}` cannot be written", self.path.display());
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(dir).during(&what)?;
        serde_json::to_writer_pretty(&mut file, &self.document).during(&what)?;
        file.write_all(b"\n").during(&what)?;
        file.as_file().sync_all().during(&what)?;
        file.persist(&self.path).during(&what)?;
        Ok(())
    }
}

fn read(text: &str) -> Result<Document, String> {
    let document: Document =
        serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
    if document.version > VERSION {
        return Err(format!(
            "has format {}, and this version of flash reads up to {VERSION}",
            document.version
        ));
    }
    Ok(document)
}

/// Deployments of one environment take turns on a machine, whatever checkout they are started from. Those of other machines
/// are found out when the build is activated.
pub(crate) fn lock_deployment(platform: &str, id: &Identity) -> Result<File, Failure> {
    let dir = crate::connect::state_dir()?.join("locks");
    std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
    let name = format!("{platform} {} {}", id.app, id.env);
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    lock(&dir.join(format!("{name}.lock")), PATIENCE)
}

/// Takes the lock; its file names the holder.
fn lock(path: &Path, patience: Duration) -> Result<File, Failure> {
    let what = format!("`{}` cannot be locked", path.display());
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(path).during(&what)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever holds it may be writing its name right now.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(Failure::new(format!(
                    "another command works on this project: {}",
                    if holder.is_empty() { "unknown" } else { holder }
                ))
                .help("wait until it has ended, or end it"));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error).during(what),
        }
    }
    let command = std::env::args().nth(1).unwrap_or_default();
    let name = format!("flash {command} (process {})\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(name.as_bytes()))
        .during(&what)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> Identity {
        Identity { app: "app".to_owned(), env: "prod".to_owned() }
    }

    #[test]
    fn what_is_saved_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::open(dir.path()).unwrap();
        let tracked =
            Tracked { endpoint_id: "e".to_owned(), kind: "QB".to_owned(), config_hash: "h".to_owned() };
        state.scope("local", &id()).resources.insert("words".to_owned(), tracked.clone());
        state.save().unwrap();
        drop(state);
        let mut state = State::open(dir.path()).unwrap();
        assert_eq!(state.scope("local", &id()).resources["words"], tracked);
        assert!(state.scope("runpod", &id()).resources.is_empty());
    }

    /// The first format, as it was released; later versions must go on reading it.
    #[test]
    fn the_first_format_is_read_and_keys_of_others_survive() {
        let dir = tempfile::tempdir().unwrap();
        let text = include_str!("state_v1.json");
        std::fs::write(dir.path().join("state.json"), text).unwrap();
        let mut state = State::open(dir.path()).unwrap();
        let scope = state.scope("local", &id());
        assert_eq!(scope.resources["words"].endpoint_id, "ep-1");
        assert_eq!(scope.intents["api"], "app-prod-api");
        state.save().unwrap();
        let written: Value =
            serde_json::from_str(&std::fs::read_to_string(dir.path().join("state.json")).unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_newer_or_broken_file_is_refused_with_a_way_out() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["{\"version\": 99}", "{", "[]"] {
            std::fs::write(dir.path().join("state.json"), text).unwrap();
            let failure = State::open(dir.path()).unwrap_err();
            assert!(failure.text.contains("state.json") && failure.text.contains("help: "), "{failure}");
        }
    }

    #[test]
    fn the_holder_of_the_lock_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let held = State::open(dir.path()).unwrap();
        let failure = State::open_within(dir.path(), Duration::ZERO).unwrap_err();
        assert!(failure.text.contains(&format!("process {}", std::process::id())), "{failure}");
        drop(held);
        State::open_within(dir.path(), Duration::ZERO).unwrap();
    }
}
