use std::path::Path;

use flash_bootstrap::{ArtifactError, Limits, install};
use proptest::prelude::*;

use crate::support::{Raw, archive, contents, index, indexed, tree, write_artifact};

const APP: &[u8] = b"the app";

fn limits() -> Limits {
    Limits::new(1 << 20, 1 << 20, 8, 4)
}

/// Installs these bytes into a directory of their own; nothing may be there afterwards, inside or outside.
fn refused(bytes: &[u8], limits: &Limits) -> ArtifactError {
    let dir = tempfile::tempdir().unwrap();
    let artifact = dir.path().join("artifact");
    std::fs::write(&artifact, bytes).unwrap();
    let error = install(&artifact, &dir.path().join("deep/app"), None, limits).unwrap_err();
    assert_eq!(tree(dir.path()), ["artifact", "deep", "deep/.app.flash-lock"], "{error}");
    error
}

/// An artifact whose second file is `entry`, listed truthfully under its name.
fn with(entry: Raw) -> Vec<u8> {
    let name = String::from_utf8_lossy(&entry.name).into_owned();
    let data = entry.data.clone();
    indexed(&[("app", APP, true), (&name, &data, false)], vec![Raw::file("app", APP), entry])
}

#[test]
fn links_devices_and_odd_entries_are_refused() {
    let of_kind = |kind: u8, link: &str| Raw { kind, link: link.into(), ..Raw::file("x", b"") };
    for (entry, word) in [
        (of_kind(b'2', "../../etc/passwd"), "symbolic link"),
        (of_kind(b'2', "app"), "symbolic link"),
        (of_kind(b'1', "/etc/passwd"), "hard link"),
        (of_kind(b'3', ""), "device"),
        (of_kind(b'4', ""), "device"),
        (of_kind(b'6', ""), "pipe"),
        (of_kind(b'5', ""), "directory"),
        (of_kind(b'7', ""), "extension"),
        (of_kind(b'L', ""), "extension"),
        (of_kind(b'K', ""), "extension"),
        (of_kind(b'x', ""), "extension"),
        (of_kind(b'g', ""), "extension"),
        (of_kind(b'S', ""), "extension"),
        (of_kind(b'Z', ""), "extension"),
    ] {
        let error = refused(&with(entry), &limits());
        assert!(matches!(&error, ArtifactError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(!error.may_pass());
    }
}

#[test]
fn a_long_name_is_refused_before_it_is_read() {
    // A header that announces 8 GiB of name: reading it would take the memory of the machine.
    let entry = Raw { kind: b'L', size: 8 << 30, ..Raw::file("././@LongLink", b"aaaa") };
    let error = refused(&archive(&[entry]), &limits());
    assert!(error.to_string().contains("extension"), "{error}");
}

#[test]
fn paths_that_leave_the_directory_are_refused() {
    for name in ["../x", "a/../../x", "/tmp/x", "a//b", "./x", "a/./b", "..", "a\\..\\b", "x\n"] {
        let error = refused(&with(Raw::file(name, b"evil")), &limits());
        assert!(matches!(&error, ArtifactError::Refused { .. }), "{name}: {error}");
    }
    let error = refused(&with(Raw { name: vec![b'a', 0xff], ..Raw::file("", b"") }), &limits());
    assert!(matches!(&error, ArtifactError::Refused { .. }), "{error}");
}

#[test]
fn special_bits_are_refused() {
    for mode in [0o4755, 0o2755, 0o1777] {
        let error = refused(&with(Raw { mode, ..Raw::file("x", b"") }), &limits());
        assert!(error.to_string().contains("setuid"), "{error}");
    }
}

#[test]
fn archive_and_index_must_agree() {
    let app = || Raw::file("app", APP);
    let listed: &[(&str, &[u8], bool)] = &[("app", APP, true)];
    // Another file, the same file twice, a file of another size, another order.
    for entries in [
        vec![app(), Raw::file("more", b"x")],
        vec![app(), app()],
        vec![Raw::file("app", b"other")],
        vec![Raw::file("more", b"x"), app()],
    ] {
        let error = refused(&indexed(listed, entries), &limits());
        assert!(matches!(&error, ArtifactError::Refused { .. }), "{error}");
    }
    let error = refused(&indexed(listed, vec![Raw::file("app", b"another")]), &limits());
    assert!(matches!(&error, ArtifactError::Corrupt { path } if path == "app"), "{error}");
    let error = refused(&indexed(listed, vec![]), &limits());
    assert!(matches!(&error, ArtifactError::Incomplete(_)), "{error}");
    // The same place twice, both listed.
    let twice = indexed(&[("app", APP, true), ("app", APP, true)], vec![app(), app()]);
    assert!(matches!(refused(&twice, &limits()), ArtifactError::Io { .. }));
    // No binary among the files, or one that cannot be started.
    for listed in [&[("more", APP, true)][..], &[("app", APP, false)]] {
        let error = refused(&indexed(listed, vec![app()]), &limits());
        assert!(matches!(&error, ArtifactError::Index(_)), "{error}");
    }
    assert!(matches!(refused(&archive(&[app()]), &limits()), ArtifactError::NoIndex));
    let newer = Raw::file("flash_artifact.json", br#"{"format": 2, "files": "a tree"}"#);
    assert!(matches!(refused(&archive(&[newer]), &limits()), ArtifactError::Format(2)));
}

#[test]
fn bombs_are_refused_before_they_are_written() {
    let bomb = |error: &ArtifactError| matches!(error, ArtifactError::Bomb { .. });
    // Too many files.
    let files: Vec<(String, bool)> = (0..9).map(|i| (format!("f{i}"), false)).collect();
    let mut listed: Vec<(&str, &[u8], bool)> =
        files.iter().map(|(name, _)| (name.as_str(), &b""[..], false)).collect();
    listed.push(("app", APP, true));
    let error = refused(&indexed(&listed, vec![]), &limits());
    assert!(bomb(&error) && error.to_string().contains("number of its files"), "{error}");
    // Too many bytes, as the index admits.
    let zeros = vec![0; 2 << 20];
    let error = refused(&indexed(&[("app", &zeros, true)], vec![Raw::file("app", &zeros)]), &limits());
    assert!(bomb(&error), "{error}");
    // Too many bytes for its own size: 100 MiB in 100 KiB.
    let zeros = vec![0; 100 << 20];
    let small = Limits::new(1 << 20, 1 << 30, 8, 4);
    let error = refused(&indexed(&[("app", &zeros, true)], vec![Raw::file("app", &zeros)]), &small);
    assert!(bomb(&error), "{error}");
    // Bytes behind the end.
    let mut padded = indexed(&[("app", APP, true)], vec![Raw::file("app", APP)]);
    padded.extend([0; 100]);
    let error = refused(&padded, &limits());
    assert!(matches!(&error, ArtifactError::Refused { .. }), "{error}");
    // The artifact itself.
    let error = refused(&vec![0; (1 << 20) + 1], &limits());
    assert!(bomb(&error) && error.to_string().contains("its size"), "{error}");
}

#[test]
fn a_half_written_artifact_is_not_whole_at_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = write_artifact(dir.path(), &contents(dir.path()));
    let whole = std::fs::read(path).unwrap();
    let step = (whole.len() / 40).max(1);
    for length in (0..whole.len()).step_by(step).chain(whole.len() - 9..whole.len()) {
        let error = refused(&whole[..length], &Limits::default());
        let waits = matches!(&error, ArtifactError::Incomplete(_) | ArtifactError::NoIndex);
        assert!(waits, "{length} of {}: {error}", whole.len());
        assert!(error.may_pass() || length == 0, "{length}: {error}");
    }
}

/// Installs and says what came of it; whatever that is, nothing may lie outside.
fn try_install(bytes: &[u8], dir: &Path) -> Result<(), ArtifactError> {
    let artifact = dir.join("artifact");
    std::fs::write(&artifact, bytes).unwrap();
    install(&artifact, &dir.join("deep/app"), None, &limits()).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the bytes of an archive are, unpacking ends in an error or in exactly the listed files.
    #[test]
    fn any_change_of_a_byte_is_found_or_harmless(at in 0usize..4096, value: u8, packed: bool) {
        let json = index(&[("app", APP, true)]).to_string();
        let entries = [Raw::file("flash_artifact.json", json.as_bytes()), Raw::file("app", APP)];
        let mut bytes = archive(&entries);
        if packed {
            let at = at % bytes.len();
            bytes[at] = value;
        } else {
            // Inside of the compression, where a checksum protects nothing.
            use std::io::{Read, Write};
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut plain).unwrap();
            let at = at % plain.len();
            plain[at] = value;
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&plain).unwrap();
            bytes = gzip.finish().unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let result = try_install(&bytes, dir.path());
        let found = tree(dir.path());
        let allowed = |path: &String| {
            ["artifact", "deep", "deep/.app.flash-lock"].contains(&path.as_str())
                || (result.is_ok() && (path == "deep/app" || path.starts_with("deep/app/")))
        };
        prop_assert!(found.iter().all(allowed), "{found:?} after {result:?}");
        if result.is_ok() {
            prop_assert_eq!(std::fs::read(dir.path().join("deep/app/app")).unwrap(), APP);
        }
    }

    /// Names made of the pieces that attacks are made of.
    #[test]
    fn no_name_leaves_the_directory(name in "([a./\\\\]|\\.\\./|/){1,12}") {
        let dir = tempfile::tempdir().unwrap();
        let result = try_install(&with(Raw::file(&name, b"evil")), dir.path());
        let outside = tree(dir.path()).into_iter().filter(|path| !path.starts_with("deep/app"));
        let outside: Vec<_> = outside.collect();
        prop_assert_eq!(outside, ["artifact", "deep", "deep/.app.flash-lock"], "{:?} {:?}", name, result);
    }
}
