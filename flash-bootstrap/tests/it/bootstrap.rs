use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::rc::Rc;
use std::time::Duration;

use flash_bootstrap::{ArtifactError, Bootstrap, BootstrapError, Limits, Machine, Settings};

use crate::support::{contents, write_artifact};

fn settings(dir: &Path, sha256: Option<&str>) -> Settings {
    let mut pairs: BTreeMap<&str, String> = BTreeMap::new();
    pairs.insert("FLASH_BUILD_ARTIFACT_PATH", dir.join("there/artifact.tar.gz").display().to_string());
    pairs.insert("FLASH_APP_DIR", dir.join("app").display().to_string());
    pairs.extend(sha256.map(|hash| ("FLASH_ARTIFACT_SHA256", hash.to_owned())));
    Settings::from_lookup(|name| pairs.get(name).cloned()).unwrap()
}

/// A bootstrap whose waits do what `on_wait` does, and add up.
fn waiting(settings: Settings, mut on_wait: impl FnMut(u32) + 'static) -> (Bootstrap, Rc<Cell<Duration>>) {
    let waited = Rc::new(Cell::new(Duration::ZERO));
    let mut times = 0;
    let sum = waited.clone();
    let bootstrap = Bootstrap::new(settings).with_sleep(move |pause| {
        sum.set(sum.get() + pause);
        times += 1;
        on_wait(times);
    });
    (bootstrap, waited)
}

#[test]
fn the_right_artifact_is_waited_for_through_all_the_wrong_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut contents = contents(dir.path());
    let (path, right) = write_artifact(dir.path(), &contents);
    let right_bytes = std::fs::read(path).unwrap();
    contents.manifest = b"{\"another\": \"build\"}".to_vec();
    let (path, _) = write_artifact(dir.path(), &contents);
    let wrong_bytes = std::fs::read(path).unwrap();

    let there = dir.path().join("there");
    let app = dir.path().join("app");
    let (mut bootstrap, waited) = waiting(settings(dir.path(), Some(&right.sha256)), move |times| {
        assert!(!app.exists(), "something was unpacked before the right artifact was there");
        std::fs::create_dir_all(&there).unwrap();
        let half = &right_bytes[..right_bytes.len() / 2];
        let now = match times {
            1 => &wrong_bytes[..],
            2 => half,
            3 => b"no archive at all",
            _ => &right_bytes,
        };
        std::fs::write(there.join("artifact.tar.gz"), now).unwrap();
    });
    let ready = bootstrap.prepare().unwrap();
    assert_eq!(ready.installed.sha256, right.sha256);
    assert_eq!(waited.get(), Duration::from_secs(8));
}

#[test]
fn the_wait_ends_after_its_time_and_says_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let hash = "0".repeat(64);
    let (mut bootstrap, waited) = waiting(settings(dir.path(), Some(&hash)), |_| {});
    let error = bootstrap.prepare().unwrap_err();
    assert_eq!(waited.get(), Duration::from_secs(720));
    assert!(matches!(&error, BootstrapError::Waited { last: ArtifactError::Missing(_), .. }), "{error}");
    assert!(error.to_string().contains("help: "), "{error}");

    // Another build is there all the time: it is never run.
    std::fs::create_dir(dir.path().join("there")).unwrap();
    let (path, other) = write_artifact(dir.path(), &contents(dir.path()));
    std::fs::rename(path, dir.path().join("there/artifact.tar.gz")).unwrap();
    let (mut bootstrap, _) = waiting(settings(dir.path(), Some(&hash)), |_| {});
    let text = bootstrap.prepare().unwrap_err().to_string();
    assert!(text.contains(&other.sha256) && text.contains(&hash), "{text}");
    assert!(!dir.path().join("app").exists());
}

#[test]
fn without_a_hash_there_are_three_looks() {
    let dir = tempfile::tempdir().unwrap();
    let looks = Rc::new(RefCell::new(0));
    let count = looks.clone();
    let (mut bootstrap, waited) = waiting(settings(dir.path(), None), move |_| *count.borrow_mut() += 1);
    bootstrap.prepare().unwrap_err();
    assert_eq!((*looks.borrow(), waited.get()), (2, Duration::from_secs(60)));
}

#[test]
fn a_hostile_artifact_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("there")).unwrap();
    let link = crate::support::Raw { kind: b'2', ..crate::support::Raw::file("x", b"") };
    std::fs::write(dir.path().join("there/artifact.tar.gz"), crate::support::archive(&[link])).unwrap();
    let (mut bootstrap, waited) = waiting(settings(dir.path(), None), |_| {});
    let error = bootstrap.prepare().unwrap_err();
    assert!(matches!(error, BootstrapError::Artifact(ArtifactError::Refused { .. })));
    assert_eq!(waited.get(), Duration::ZERO);
}

#[test]
fn a_machine_that_cannot_run_the_app_is_told_before_the_loader_fails() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("there")).unwrap();
    let (path, _) = write_artifact(dir.path(), &contents(dir.path()));
    std::fs::rename(path, dir.path().join("there/artifact.tar.gz")).unwrap();
    let (bootstrap, _) = waiting(settings(dir.path(), None), |_| {});
    let error =
        bootstrap.with_machine(Machine::new("riscv64", None), Limits::default()).prepare().unwrap_err();
    assert!(error.to_string().contains("this machine is riscv64"), "{error}");
    assert_eq!(error.exit_code(), 72);
}

/// The real program, in an environment of its own.
fn flash_worker(variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flash-worker"))
        .args(["one", "two"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn the_program_becomes_the_app() {
    let dir = tempfile::tempdir().unwrap();
    let (path, packed) = write_artifact(dir.path(), &contents(dir.path()));
    let app = dir.path().join("app").display().to_string();
    let path = path.display().to_string();
    let base = [("FLASH_BUILD_ARTIFACT_PATH", path.as_str()), ("FLASH_APP_DIR", &app)];
    let output = flash_worker(&base);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"one two\n");
    // Unpacked is unpacked: without the artifact the app in its directory starts.
    std::fs::remove_file(&path).unwrap();
    let output = flash_worker(&[("FLASH_APP_DIR", &app), ("FLASH_DISABLE_UNPACK", "1")]);
    assert_eq!(output.stdout, b"one two\n", "{output:?}");
    let output = flash_worker(&[("FLASH_APP_DIR", &app), ("FLASH_ARTIFACT_SHA256", &packed.sha256)]);
    assert_eq!(output.stdout, b"one two\n", "{output:?}");
    let empty = dir.path().join("empty").display().to_string();
    let output = flash_worker(&[("FLASH_APP_DIR", &empty), ("FLASH_DISABLE_UNPACK", "yes")]);
    assert_eq!(output.status.code(), Some(73), "{output:?}");
    let hash = "0".repeat(64);
    let output = flash_worker(&[
        ("FLASH_APP_DIR", &empty),
        ("FLASH_ARTIFACT_SHA256", &hash),
        ("FLASH_ARTIFACT_WAIT_SECS", "0"),
        ("FLASH_BUILD_ARTIFACT_PATH", &empty),
    ]);
    assert_eq!(output.status.code(), Some(70), "{output:?}");
}

/// Answers one connection after the other with these answers, and then none.
fn server(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    format!("http://{address}/artifact.tar.gz?signature=fake-secret")
}

#[test]
fn an_artifact_is_downloaded_and_its_address_stays_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (path, packed) = write_artifact(dir.path(), &contents(dir.path()));
    let bytes = std::fs::read(path).unwrap();
    let answer = |status: &str, body: &[u8], length: usize| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    // Not there yet, broken off, and at last whole.
    let url = server(vec![
        answer("404 Not Found", b"", 0),
        answer("200 OK", &bytes[..bytes.len() / 2], bytes.len()),
        answer("200 OK", &bytes, bytes.len()),
    ]);
    let app = dir.path().join("app").display().to_string();
    let output = flash_worker(&[
        ("FLASH_ARTIFACT_URL", &url),
        ("FLASH_ARTIFACT_SHA256", &packed.sha256),
        ("FLASH_ARTIFACT_WAIT_SECS", "60"),
        ("FLASH_APP_DIR", &app),
    ]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"one two\n", "{log}");
    assert!(log.contains("404") && log.contains("broke off"), "{log}");
    assert!(!log.contains("fake-secret"), "{log}");
}
