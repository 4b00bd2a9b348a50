use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{During, Failure};

/// What a running local platform tells the commands of this user. The file is readable by nobody else, because the key is
/// in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalRecord {
    /// Its process.
    pub(crate) pid: u32,
    /// `http://127.0.0.1:PORT`
    pub(crate) base_url: String,
    /// The key that it asks for.
    pub(crate) api_key: String,
}

/// Where the local platform keeps its data, and commands find it: `FLASH_PLATFORM_DIR`, else below the user's state.
pub(crate) fn state_dir() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("FLASH_PLATFORM_DIR")
        .or_else(|| Some(variable("XDG_STATE_HOME")?.join("flash/platform")))
        .or_else(|| Some(variable("HOME")?.join(".local/state/flash/platform")))
        .ok_or_else(|| {
            Failure::new("there is no home directory").help("set FLASH_PLATFORM_DIR to a directory")
        })
}

impl LocalRecord {
    fn path() -> Result<PathBuf, Failure> {
        Ok(state_dir()?.join("platform.json"))
    }

    /// The platform that runs now. Its process holds a lock for as long as it lives, so a record that was left behind by a
    /// killed one does not count.
    pub(crate) fn running() -> Result<Option<Self>, Failure> {
        let dir = state_dir()?;
        let Ok(lock) = std::fs::File::open(dir.join("platform.lock")) else { return Ok(None) };
        match lock.try_lock() {
            // Nobody holds it.
            Ok(()) => return Ok(None),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(error).during(format!("`{}` cannot be locked", dir.display()));
            }
        }
        // Without one it is still starting.
        let Ok(text) = std::fs::read(Self::path()?) else { return Ok(None) };
        Ok(serde_json::from_slice(&text).ok())
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        let path = Self::path()?;
        let dir = state_dir()?;
        let what = || format!("`{}` cannot be written", path.display());
        // Temporary files are readable by their owner only, and stay so.
        let mut file = tempfile::NamedTempFile::new_in(&dir).during(what())?;
        serde_json::to_writer(&mut file, self).during(what())?;
        file.persist(&path).during(what())?;
        Ok(())
    }

    pub(crate) fn remove() {
        if let Ok(path) = Self::path() {
            // It is only a hint; the lock decides.
            let _ = std::fs::remove_file(path);
        }
    }
}
