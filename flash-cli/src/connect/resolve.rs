use std::path::PathBuf;
use std::time::Duration;

use flash_core::Secret;
use flash_platform::control::{ApiKey, Backoff, KeySource, RunPod, Urls};

use super::keys::find_key;
use super::local::LocalRecord;
use crate::cli::Where;
use crate::failure::{Failure, exit};

/// A platform to talk to.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) platform: RunPod,
    pub(crate) key: Option<ApiKey>,
    /// What the user calls it.
    pub(crate) name: String,
    pub(crate) is_local: bool,
}

/// Chooses the platform: the option, the variables that redirect its hosts, the local one while it runs, RunPod.
pub(crate) fn connect(asked: Option<Where>) -> Result<Connection, Failure> {
    let lookup = |name: &str| std::env::var(name).ok();
    let from_environment = Urls::from_lookup(lookup)?;
    let local = match asked {
        Some(Where::Runpod) => None,
        Some(Where::Local) => Some(LocalRecord::running()?.ok_or_else(|| {
            Failure::new("the local platform does not run").help("run `flash platform start`")
        })?),
        None if from_environment.is_some() => None,
        None => LocalRecord::running()?,
    };
    let backoff = backoff(lookup);
    if let Some(record) = local {
        let key = Secret::new(record.api_key).map(|secret| ApiKey { secret, source: KeySource::Local });
        let platform = RunPod::new(Urls::at(&record.base_url), key.clone(), backoff);
        let name = format!("the local platform at {}", record.base_url);
        return Ok(Connection { platform, key, name, is_local: true });
    }
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let key = find_key(&dir, home.as_deref(), lookup);
    let redirected = from_environment.is_some();
    let urls = from_environment.unwrap_or_default();
    let name = if redirected { format!("the platform at {}", urls.api) } else { "RunPod".to_owned() };
    // A redirected platform may be one that asks for nothing.
    if key.is_none() && !redirected {
        return Err(Failure::of(exit::AUTH, "RunPod asks for a key, and there is none").help(
            "set RUNPOD_API_KEY (the console makes one under Settings, API Keys), or run `flash platform start` to stay on this machine",
        ));
    }
    Ok(Connection { platform: RunPod::new(urls, key.clone(), backoff), key, name, is_local: false })
}

/// `FLASH_RETRY_FIRST_MS` makes the pauses between tries shorter or longer.
fn backoff(lookup: impl Fn(&str) -> Option<String>) -> Backoff {
    let first = lookup("FLASH_RETRY_FIRST_MS").and_then(|text| text.trim().parse().ok());
    first.map_or_else(Backoff::default, |millis| Backoff::default().with_first(Duration::from_millis(millis)))
}
