use std::path::PathBuf;
use std::time::Duration;

use crate::error::BootstrapError;

/// What `flash-worker` reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// `FLASH_BUILD_ARTIFACT_PATH`: where the platform puts the artifact. `/root/.runpod/artifact.tar.gz`.
    pub artifact: PathBuf,
    /// `FLASH_ARTIFACT_URL`: where to download it instead.
    pub url: Option<String>,
    /// `FLASH_ARTIFACT_SHA256`: the only artifact that may run.
    pub sha256: Option<String>,
    /// `FLASH_APP_DIR`: where the app goes. `/app`.
    pub app_dir: PathBuf,
    /// `FLASH_ARTIFACT_WAIT_SECS`: how long to wait for the artifact of that hash. 720 s.
    pub wait: Duration,
    /// `FLASH_DISABLE_UNPACK`: start what is in the app's directory.
    pub disable_unpack: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            artifact: PathBuf::from("/root/.runpod/artifact.tar.gz"),
            url: None,
            sha256: None,
            app_dir: PathBuf::from("/app"),
            wait: Duration::from_secs(720),
            disable_unpack: false,
        }
    }
}

impl Settings {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// See [`from_lookup`](Self::from_lookup).
    pub fn from_env() -> Result<Self, BootstrapError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`. Blank ones count as unset.
    ///
    /// # Errors
    /// A hash that is none, or a time that is no number.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BootstrapError> {
        let text =
            |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let mut settings = Self::default();
        if let Some(path) = text("FLASH_BUILD_ARTIFACT_PATH") {
            settings.artifact = PathBuf::from(path);
        }
        if let Some(path) = text("FLASH_APP_DIR") {
            settings.app_dir = PathBuf::from(path);
        }
        settings.url = text("FLASH_ARTIFACT_URL");
        if let Some(hash) = text("FLASH_ARTIFACT_SHA256") {
            if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(BootstrapError::Settings(format!(
                    "FLASH_ARTIFACT_SHA256=`{hash}` is no SHA-256\nhelp: it has 64 hexadecimal digits; `flash deploy` sets it"
                )));
            }
            settings.sha256 = Some(hash.to_ascii_lowercase());
        }
        if let Some(secs) = text("FLASH_ARTIFACT_WAIT_SECS") {
            let secs = secs.parse().map_err(|error| {
                BootstrapError::Settings(format!(
                    "FLASH_ARTIFACT_WAIT_SECS=`{secs}` is no number of seconds: {error}"
                ))
            })?;
            settings.wait = Duration::from_secs(secs);
        }
        // The spellings that the Python worker knows (platform contract D.6).
        settings.disable_unpack = text("FLASH_DISABLE_UNPACK")
            .is_some_and(|value| ["1", "true", "yes"].contains(&value.to_ascii_lowercase().as_str()));
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, BootstrapError> {
        Settings::from_lookup(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn blank_means_unset_and_nonsense_is_named() {
        assert_eq!(
            read(&[("FLASH_APP_DIR", " "), ("FLASH_ARTIFACT_SHA256", "")]).unwrap(),
            Settings::default()
        );
        for (name, value) in [("FLASH_ARTIFACT_SHA256", "abc"), ("FLASH_ARTIFACT_WAIT_SECS", "soon")] {
            let text = read(&[(name, value)]).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains(value), "{text}");
        }
        for (value, expected) in [("1", true), ("TRUE", true), ("yes", true), ("0", false), ("no", false)] {
            assert_eq!(read(&[("FLASH_DISABLE_UNPACK", value)]).unwrap().disable_unpack, expected, "{value}");
        }
    }
}
