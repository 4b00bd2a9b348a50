use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use flash_bootstrap::{Asset, Contents, Installed, Limits, PackError, install, pack, sha256_of_file};

use crate::support::{contents, tree, write_artifact};

#[test]
fn what_was_packed_is_installed_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (path, packed) = write_artifact(dir.path(), &contents(dir.path()));
    assert_eq!(sha256_of_file(&path).unwrap(), packed.sha256);
    let app = dir.path().join("run/app");
    let installed = install(&path, &app, Some(&packed.sha256), &Limits::default()).unwrap();
    assert_eq!(installed.index, packed.index);
    assert_eq!(std::fs::read_to_string(app.join("weights/model.bin")).unwrap(), "weights");
    assert_eq!(std::fs::read(app.join("flash_manifest.json")).unwrap(), b"{\"version\":\"1.0\"}\n");
    let printed = Command::new(&installed.binary).arg("hello").output().unwrap();
    assert_eq!(printed.stdout, b"hello\n");
    // Only what was asked for, with two modes; nothing temporary is left.
    let mode = |name: &str| app.join(name).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("echo"), mode("labels.txt"), mode("")), (0o755, 0o644, 0o755));
    let beside: Vec<_> =
        tree(&dir.path().join("run")).into_iter().filter(|path| !path.starts_with("app")).collect();
    assert_eq!(beside, [".app.flash-lock"]);
    assert_eq!(Installed::at(&app), Some(installed));
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut contents = contents(dir.path());
    let bytes = |contents: &Contents| {
        let mut out = Vec::new();
        pack(contents, &mut out, &Limits::default()).unwrap();
        out
    };
    let first = bytes(&contents);
    // Neither the order in which files were found nor their times and places count.
    contents.assets.reverse();
    let other = tempfile::tempdir().unwrap();
    for asset in &mut contents.assets {
        let copy = other.path().join(asset.file.file_name().unwrap());
        std::fs::write(&copy, std::fs::read(&asset.file).unwrap()).unwrap();
        File::open(&copy).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        asset.file = copy;
    }
    assert_eq!(bytes(&contents), first);
}

#[test]
fn the_binary_says_what_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let (_, packed) = write_artifact(dir.path(), &contents(dir.path()));
    let target = &packed.index.target;
    assert_eq!(target.arch, std::env::consts::ARCH);
    // A program of a glibc distribution; on another one it has no floor.
    if let Some(floor) = target.glibc {
        assert!(floor >= "2.2".parse().unwrap() && target.interpreter.is_some(), "{target:?}");
        let machine = flash_bootstrap::Machine::this();
        assert!(machine.glibc.is_some_and(|here| here >= floor), "{machine:?}");
    }
}

#[test]
fn another_build_replaces_the_first_and_the_same_one_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut contents = contents(dir.path());
    let (path, first) = write_artifact(dir.path(), &contents);
    let app = dir.path().join("app");
    install(&path, &app, None, &Limits::default()).unwrap();
    std::fs::write(app.join("left-by-the-app"), "x").unwrap();
    install(&path, &app, Some(&first.sha256), &Limits::default()).unwrap();
    assert!(app.join("left-by-the-app").exists(), "the same build was unpacked again");

    contents.manifest = b"{}".to_vec();
    let (path, second) = write_artifact(dir.path(), &contents);
    assert_ne!(first.sha256, second.sha256);
    // The wrong one changes nothing.
    install(&path, &app, Some(&first.sha256), &Limits::default()).unwrap_err();
    assert_eq!(Installed::at(&app).unwrap().sha256, first.sha256);
    install(&path, &app, Some(&second.sha256), &Limits::default()).unwrap();
    assert_eq!(Installed::at(&app).unwrap().sha256, second.sha256);
    assert!(!app.join("left-by-the-app").exists());
}

#[test]
fn many_starts_at_once_install_once() {
    let dir = tempfile::tempdir().unwrap();
    let (path, packed) = write_artifact(dir.path(), &contents(dir.path()));
    let app = dir.path().join("app");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let installed = install(&path, &app, Some(&packed.sha256), &Limits::default()).unwrap();
                assert!(installed.binary.exists());
            });
        }
    });
    let left: Vec<_> = tree(dir.path()).into_iter().filter(|path| path.starts_with(".app.")).collect();
    assert_eq!(left, [".app.flash-lock"]);
}

#[test]
fn what_no_worker_could_start_is_not_packed() {
    let dir = tempfile::tempdir().unwrap();
    let good = contents(dir.path());
    let file = dir.path().join("script");
    std::fs::write(&file, "#!/bin/sh\n").unwrap();
    let refuse = |contents: &Contents, limits: &Limits| pack(contents, std::io::sink(), limits).unwrap_err();
    let error = refuse(&Contents { binary: file.clone(), ..good.clone() }, &Limits::default());
    assert!(matches!(&error, PackError::Binary { .. }), "{error}");
    for path in ["../up", "/etc/x", "flash_manifest.json", "echo", "labels.txt"] {
        let mut contents = good.clone();
        contents.assets.push(Asset { path: path.to_owned(), file: file.clone() });
        let error = refuse(&contents, &Limits::default());
        assert!(matches!(&error, PackError::Path { .. }), "{path}: {error}");
    }
    for limits in [Limits::new(1 << 30, 100, 10, 10), Limits::new(100, 1 << 30, 10, 10)] {
        let error = refuse(&good, &limits);
        assert!(matches!(&error, PackError::TooLarge { limit: 100, .. }), "{error}");
    }
}
