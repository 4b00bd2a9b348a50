use std::path::{Path, PathBuf};

use flash_core::Secret;
use flash_platform::control::{ApiKey, KeySource};

/// The account's key: the environment, then the closest `.env`, then the login file (platform contract D.10).
pub(crate) fn find_key(
    dir: &Path,
    home: Option<&Path>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Option<ApiKey> {
    if let Some(secret) = lookup("RUNPOD_API_KEY").and_then(Secret::new) {
        return Some(ApiKey { secret, source: KeySource::Environment });
    }
    for above in dir.ancestors() {
        let path = above.join(".env");
        if let Ok(text) = std::fs::read_to_string(&path) {
            // The closest one counts, even without a key in it.
            if let Some(secret) = variable(&text, "RUNPOD_API_KEY").and_then(Secret::new) {
                return Some(ApiKey { secret, source: KeySource::DotEnv(path) });
            }
            break;
        }
    }
    let path: PathBuf = home?.join(".runpod/config.toml");
    let text = std::fs::read_to_string(&path).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let secret = Secret::new(table.get("default")?.get("api_key")?.as_str()?)?;
    Some(ApiKey { secret, source: KeySource::Login(path) })
}

/// The value of a variable in the text of a `.env` file.
fn variable(text: &str, name: &str) -> Option<String> {
    text.lines().rev().find_map(|line| {
        let line = line.trim();
        let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let value = value.trim();
        let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
        (key.trim() == name).then(|| quoted('"').or_else(|| quoted('\'')).unwrap_or(value).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_then_dot_env_then_the_login() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let deep = dir.path().join("project/src");
        std::fs::create_dir_all(home.join(".runpod")).unwrap();
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(home.join(".runpod/config.toml"), "[default]\napi_key = \"fake-login-key\"\n")
            .unwrap();
        let find = |value: Option<&'static str>| {
            find_key(&deep, Some(&home), |_| value.map(ToOwned::to_owned))
                .map(|key| (key.secret.expose().to_owned(), key.source))
        };
        assert_eq!(find(None).unwrap().0, "fake-login-key");
        std::fs::write(dir.path().join("project/.env"), "A=1\nexport RUNPOD_API_KEY=\"fake-file-key\"\n")
            .unwrap();
        let (key, source) = find(Some(" ")).unwrap();
        assert_eq!(
            (key.as_str(), source),
            ("fake-file-key", KeySource::DotEnv(dir.path().join("project/.env")))
        );
        assert_eq!(find(Some("fake-env-key")).unwrap().1, KeySource::Environment);
    }
}
