//! Servers that the platform is compared with, each fresh in a folder of its own on a free port.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::probe;
use super::server::Server;
use crate::setup::debian;
use crate::{Result, tool};

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one among the temporary files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("flash-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path as text, for a command line.
    pub(crate) fn text(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Temporary files that stay are no reason to lose the figures.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server with its folder.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where its clients find it.
    pub(crate) url: String,
    _server: Server,
    _folder: Folder,
}

impl Peer {
    /// Redis with its append-only file synced `always` or `everysec`, and no snapshots.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn redis(core: Option<usize>, sync: &str) -> Result<Self> {
        let (folder, port) = (Folder::new()?, probe::free_port()?);
        let words = [
            "--port".to_owned(),
            port.to_string(),
            "--bind".to_owned(),
            "127.0.0.1".to_owned(),
            "--dir".to_owned(),
            folder.text(),
            "--appendonly".to_owned(),
            "yes".to_owned(),
            "--appendfsync".to_owned(),
            sync.to_owned(),
            "--save".to_owned(),
            String::new(),
        ];
        let log = folder.path().join("log");
        let mut server = Server::start_with_log(Path::new("redis-server"), core, &words, &[], log)?;
        server.wait_until("serving", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()))?;
        Ok(Self { url: format!("redis://127.0.0.1:{port}"), _server: server, _folder: folder })
    }

    /// PostgreSQL with its default settings.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn postgres(core: Option<usize>) -> Result<Self> {
        let bin = debian::postgres_bin().ok_or("PostgreSQL is not installed")?;
        let (folder, port) = (Folder::new()?, probe::free_port()?);
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        // It refuses to be root.
        let user: &[&str] = if debian::is_root() {
            let owned = Command::new("chown").arg("-R").arg("postgres").arg(folder.path()).status()?;
            if !owned.success() {
                return Err("the user `postgres` is missing, which the package makes".into());
            }
            &["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        } else {
            &["--no-new-privs"]
        };
        let mut initdb = Command::new("setpriv");
        initdb.args(user).arg(bin.join("initdb")).arg("-D").arg(&data).args(["-U", "bench", "--auth=trust"]);
        // Somebody else may not look into the folder that this was started from.
        let made = initdb.current_dir("/").stdin(Stdio::null()).output()?;
        if !made.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let mut words: Vec<String> = user.iter().map(|word| (*word).to_owned()).collect();
        words.push(bin.join("postgres").to_string_lossy().into_owned());
        let settings =
            ["-D", &data.to_string_lossy(), "-p", &port.to_string(), "-k", &folder.text()].map(str::to_owned);
        words.extend(settings);
        words.extend(["-c", "listen_addresses=127.0.0.1"].map(str::to_owned));
        let log = folder.path().join("log");
        let mut server = Server::start_with_log(Path::new("setpriv"), core, &words, &[], log)?;
        let ready = bin.join("pg_isready");
        server.wait_until("serving", || {
            Ok(tool::answers(Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])))
        })?;
        let url = format!("postgresql://bench@127.0.0.1:{port}/postgres");
        Ok(Self { url, _server: server, _folder: folder })
    }
}
