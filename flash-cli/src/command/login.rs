use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flash_platform::control::{Backoff, LoginRequest, RunPod, Urls};

use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::report::LoggedIn;

/// Between two looks, and how long somebody may take to approve (platform contract D.10).
const POLL: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(600);

/// `flash login`: a key of the account, approved in the console and kept in `~/.runpod/config.toml`.
pub(super) async fn run(output: Output) -> Result<u8, Failure> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let home =
        home.ok_or_else(|| Failure::new("there is no home directory").help("set HOME, or RUNPOD_API_KEY"))?;
    let urls = Urls::from_lookup(|name| std::env::var(name).ok())?.unwrap_or_default();
    // Nobody is logged in yet, so there is no key to show.
    let platform = RunPod::new(urls.clone(), None, Backoff::default());
    let request = platform.create_login().await?;
    output.note(format_args!(
        "approve this request in a browser:\n\n  {}/flash/login?request={}\n",
        urls.console, request.id
    ));
    let key = wait(&platform, &request).await?;
    let path = home.join(".runpod/config.toml");
    keep(&path, &key)?;
    output.result(&format!("logged in; the key is in {}", path.display()), &LoggedIn { file: path });
    Ok(0)
}

/// The key, as soon as somebody has approved.
async fn wait(platform: &RunPod, request: &LoginRequest) -> Result<String, Failure> {
    let refused =
        |what: &str| Failure::of(exit::AUTH, format!("the login was {what}")).help("run `flash login` again");
    let begun = Instant::now();
    // The first look comes at once: a request that is wrong in itself is not worth a wait.
    loop {
        let now = platform.login(&request.id).await?;
        match (now.status.as_str(), now.api_key) {
            ("APPROVED" | "CONSUMED", Some(key)) if !key.trim().is_empty() => return Ok(key),
            ("DENIED", _) => return Err(refused("denied")),
            ("EXPIRED", _) => return Err(refused("not approved in its time")),
            ("CONSUMED", _) => return Err(refused("used already")),
            _ if begun.elapsed() > PATIENCE => return Err(refused("not approved within 10 minutes")),
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

/// Writes the key as the default profile; other profiles and keys stay. Nobody else can read the file.
fn keep(path: &Path, key: &str) -> Result<(), Failure> {
    let what = || format!("`{}` cannot be written", path.display());
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).during(what())?;
    let mut table: toml::Table = match std::fs::read_to_string(path) {
        Ok(text) => text.parse().during(format!("`{}` is no TOML, and is left as it is", path.display()))?,
        Err(_) => toml::Table::new(),
    };
    let profile = table.entry("default").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let profile = profile
        .as_table_mut()
        .ok_or_else(|| Failure::new(format!("`default` in `{}` is no table", path.display())))?;
    profile.insert("api_key".to_owned(), toml::Value::String(key.to_owned()));
    // Temporary files are readable by their owner alone, and stay so.
    let mut file = tempfile::NamedTempFile::new_in(dir).during(what())?;
    std::io::Write::write_all(&mut file, table.to_string().as_bytes()).during(what())?;
    file.persist(path).during(what())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_kept_beside_other_profiles_and_from_other_eyes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".runpod/config.toml");
        keep(&path, "fake-first").unwrap();
        std::fs::write(
            &path,
            "[default]\napi_key = \"fake-first\"\nregion = \"x\"\n[work]\napi_key = \"fake-work\"\n",
        )
        .unwrap();
        keep(&path, "fake-second").unwrap();
        let table: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(table["default"]["api_key"].as_str(), Some("fake-second"));
        assert_eq!(table["default"]["region"].as_str(), Some("x"));
        assert_eq!(table["work"]["api_key"].as_str(), Some("fake-work"));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "no toml [").unwrap();
        keep(&path, "fake-third").unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "no toml [");
    }
}
