use std::collections::BTreeMap;

use flash_core::manifest::{Manifest, ResourceEntry};

use crate::failure::{Failure, exit};

/// The image that starts artifacts for each kind of endpoint, where neither the resource nor a variable names one. Their
/// Dockerfiles are `flash-bootstrap/images`.
const IMAGES: [(&str, &str); 4] = [
    ("FLASH_GPU_IMAGE", "runpod/flash-rust-gpu:latest"),
    ("FLASH_CPU_IMAGE", "runpod/flash-rust-cpu:latest"),
    ("FLASH_LB_IMAGE", "runpod/flash-rust-gpu:latest"),
    ("FLASH_CPU_LB_IMAGE", "runpod/flash-rust-cpu:latest"),
];

/// The image that a worker of this endpoint starts from.
pub(super) fn image_of(entry: &ResourceEntry, lookup: impl Fn(&str) -> Option<String>) -> String {
    if let Some(image) = &entry.image_name {
        return image.clone();
    }
    let is_cpu = entry.instance_ids.is_some();
    let (variable, default) = match (entry.is_load_balanced, is_cpu) {
        (false, false) => IMAGES[0],
        (false, true) => IMAGES[1],
        (true, false) => IMAGES[2],
        (true, true) => IMAGES[3],
    };
    lookup(variable).filter(|image| !image.trim().is_empty()).unwrap_or_else(|| default.to_owned())
}

/// Writes into the manifest which image each endpoint starts from, so that the record of a deployment says so and another
/// default is a change. An endpoint of a template has that of the template.
pub(crate) fn record_images(manifest: &mut Manifest, lookup: impl Fn(&str) -> Option<String>) {
    for entry in manifest.resources.values_mut() {
        if entry.image_name.is_none() && entry.template_id.is_none() {
            entry.image_name = Some(image_of(entry, &lookup));
        }
    }
}

/// Gives endpoints the images of `--image`: `IMAGE` for all, `ENDPOINT=IMAGE` for one.
pub(crate) fn use_images(manifest: &mut Manifest, given: &[String]) -> Result<(), Failure> {
    let usage = |text: String| Failure::of(exit::USAGE, text);
    let mut for_all = None;
    let mut for_one: BTreeMap<&str, &str> = BTreeMap::new();
    for text in given {
        let (endpoint, image) = match text.split_once('=') {
            Some((endpoint, image)) => (Some(endpoint.trim()), image.trim()),
            None => (None, text.trim()),
        };
        if image.is_empty() || image.contains(char::is_whitespace) {
            return Err(usage(format!("`{text}` names no image")).help(
                "write `--image registry.example/shop:1`, or `--image ENDPOINT=IMAGE` for one endpoint",
            ));
        }
        let before = match endpoint {
            Some(endpoint) if !manifest.resources.contains_key(endpoint) => {
                let known: Vec<&str> = manifest.resources.keys().map(String::as_str).collect();
                return Err(usage(format!(
                    "the app has no endpoint `{endpoint}`; it has {}",
                    known.join(", ")
                )));
            }
            Some(endpoint) => for_one.insert(endpoint, image),
            None => for_all.replace(image),
        };
        if let Some(before) = before {
            return Err(usage(format!("both `{before}` and `{image}` are given for the same endpoints")));
        }
    }
    let mut without = Vec::new();
    for (name, entry) in &mut manifest.resources {
        match for_one.get(name.as_str()).copied().or(for_all) {
            Some(image) => entry.image_name = Some(image.to_owned()),
            None => without.push(name.as_str()),
        }
    }
    if without.is_empty() {
        return Ok(());
    }
    Err(usage(format!("no image is given for {}", without.join(", ")))
        .help("all endpoints of an environment run images, or none: add `--image ENDPOINT=IMAGE`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let json = "{\"resources\": {\"api\": {\"is_load_balanced\": true, \"instanceIds\": [\"cpu3c-2-4\"]}, \"words\": {\"gpuIds\": \"ADA_24\"}}}";
        Manifest::from_json(json).unwrap()
    }

    fn images(manifest: &Manifest) -> Vec<&str> {
        manifest.resources.values().map(|entry| entry.image_name.as_deref().unwrap_or("–")).collect()
    }

    #[test]
    fn one_image_for_all_and_another_one_for_some() {
        let with = |given: &[&str]| {
            let mut manifest = manifest();
            let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
            use_images(&mut manifest, &given).map(|()| manifest)
        };
        assert_eq!(images(&with(&["r/shop:1"]).unwrap()), ["r/shop:1", "r/shop:1"]);
        assert_eq!(
            images(&with(&["r/shop:1", "words=r/gpu@sha256:ab"]).unwrap()),
            ["r/shop:1", "r/gpu@sha256:ab"]
        );
        for (given, part) in [
            (&["words=r/gpu:1"][..], "api"),
            (&["other=r/gpu:1"], "api, words"),
            (&["r/a:1", "r/b:1"], "r/a:1"),
            (&["words="], "no image"),
            (&[" "], "no image"),
        ] {
            let failure = with(given).unwrap_err();
            assert!(failure.code == exit::USAGE && failure.text.contains(part), "{given:?}: {failure}");
        }
    }

    #[test]
    fn the_record_says_which_image_each_kind_starts_from() {
        let mut default = manifest();
        record_images(&mut default, |_| None);
        assert_eq!(images(&default), ["runpod/flash-rust-cpu:latest", "runpod/flash-rust-gpu:latest"]);
        let mut own = manifest();
        own.resources.get_mut("words").unwrap().template_id = Some("t".to_owned());
        record_images(&mut own, |name| (name == "FLASH_CPU_LB_IMAGE").then(|| "r/own:1".to_owned()));
        assert_eq!(images(&own), ["r/own:1", "–"]);
    }
}
