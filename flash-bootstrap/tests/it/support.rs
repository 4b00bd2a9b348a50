use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use flash_bootstrap::{Asset, Contents, Limits, Packed, pack, sha256_of};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// A program of this machine that prints and exits; the artifacts carry it as their app.
pub(crate) const PROGRAM: &str = "/bin/echo";

/// What a real artifact holds: the program, a manifest, two assets.
pub(crate) fn contents(dir: &Path) -> Contents {
    let asset = |name: &str, text: &str| {
        let file = dir.join(name.replace('/', "-"));
        std::fs::write(&file, text).unwrap();
        Asset { path: name.to_owned(), file }
    };
    Contents {
        manifest: b"{\"version\":\"1.0\"}\n".to_vec(),
        binary: PathBuf::from(PROGRAM),
        triple: "x86_64-unknown-linux-gnu".to_owned(),
        worker_protocol: 1,
        assets: vec![asset("weights/model.bin", "weights"), asset("labels.txt", "a\nb\n")],
    }
}

pub(crate) fn write_artifact(dir: &Path, contents: &Contents) -> (PathBuf, Packed) {
    let path = dir.join("artifact.tar.gz");
    let packed = pack(contents, File::create(&path).unwrap(), &Limits::default()).unwrap();
    (path, packed)
}

/// An entry of an archive that nobody's tool would write.
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) mode: u32,
    pub(crate) link: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) data: Vec<u8>,
}

impl Raw {
    pub(crate) fn file(name: &str, data: &[u8]) -> Self {
        let (name, data) = (name.as_bytes().to_vec(), data.to_vec());
        Self { name, kind: b'0', mode: 0o644, link: Vec::new(), size: data.len() as u64, data }
    }

    /// The header block, with its checksum.
    fn header(&self) -> [u8; 512] {
        let mut block = [0u8; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name[..self.name.len().min(100)]);
        put(100, format!("{:07o}\0", self.mode).as_bytes());
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", self.size).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, &self.link[..self.link.len().min(100)]);
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// A gzipped archive of these entries.
pub(crate) fn archive(entries: &[Raw]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for entry in entries {
        gzip.write_all(&entry.header()).unwrap();
        gzip.write_all(&entry.data).unwrap();
        gzip.write_all(&vec![0; entry.data.len().next_multiple_of(512) - entry.data.len()]).unwrap();
    }
    gzip.write_all(&[0; 1024]).unwrap();
    gzip.finish().unwrap()
}

/// An index that lists these files as the truth.
pub(crate) fn index(files: &[(&str, &[u8], bool)]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|(path, data, executable)| {
            json!({"path": path, "size": data.len(), "sha256": sha256_of(data), "executable": executable})
        })
        .collect();
    json!({
        "format": 1,
        "binary": "app",
        "target": {"triple": "t", "arch": std::env::consts::ARCH, "worker_protocol": 1},
        "files": files,
    })
}

pub(crate) fn indexed(files: &[(&str, &[u8], bool)], entries: Vec<Raw>) -> Vec<u8> {
    let mut all = vec![Raw::file("flash_artifact.json", index(files).to_string().as_bytes())];
    all.extend(entries);
    archive(&all)
}

/// Every path below `dir`, its own temporary ones included.
pub(crate) fn tree(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(dir).unwrap().to_string_lossy().into_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}
