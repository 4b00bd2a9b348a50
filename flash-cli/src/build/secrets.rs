use std::path::Path;

use flash_core::manifest::Manifest;

use crate::failure::{During, Failure, exit};

/// Shorter values are found everywhere by chance.
const SHORTEST: usize = 8;

/// Refuses to pack a file that holds the value of a declared secret or of the platform's key, as this environment knows them.
pub(crate) fn refuse_secrets<'a>(
    manifest: &Manifest,
    files: impl IntoIterator<Item = &'a Path>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    let declared =
        manifest.resources.values().flat_map(|entry| entry.secrets.iter().map(|secret| secret.name.as_str()));
    let mut names: Vec<&str> = declared.chain(["RUNPOD_API_KEY"]).collect();
    names.sort_unstable();
    names.dedup();
    let known: Vec<(&str, String)> = names
        .into_iter()
        .filter_map(|name| Some((name, lookup(name)?)))
        .filter(|(_, value)| value.len() >= SHORTEST)
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    for file in files {
        let bytes = std::fs::read(file).during(format!("`{}` cannot be read", file.display()))?;
        if let Some((name, _)) =
            known.iter().find(|(_, value)| memchr::memmem::find(&bytes, value.as_bytes()).is_some())
        {
            return Err(Failure::of(
                exit::INVALID_APP,
                format!("`{}` holds the value of the secret {name}, and would carry it into the artifact", file.display()),
            )
            .help("read it from the environment at run time: declare it with `.secret(…)`, and deploy passes it on"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_known_secret_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        std::fs::write(&file, "{\"token\": \"fake-token-for-tests\"}").unwrap();
        let manifest =
            Manifest::from_json("{\"resources\": {\"r\": {\"secrets\": [{\"name\": \"HF_TOKEN\"}]}}}")
                .unwrap();
        let with = |value: &'static str| move |name: &str| (name == "HF_TOKEN").then(|| value.to_owned());
        let failure = refuse_secrets(&manifest, [file.as_path()], with("fake-token-for-tests")).unwrap_err();
        assert!(failure.text.contains("HF_TOKEN") && !failure.text.contains("fake-token"), "{failure}");
        refuse_secrets(&manifest, [file.as_path()], with("another-token")).unwrap();
        refuse_secrets(&manifest, [file.as_path()], with("token")).unwrap();
    }
}
