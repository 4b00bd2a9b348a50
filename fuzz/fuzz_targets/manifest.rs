//! Whatever lies in a `flash_manifest.json`: nothing panics, and what is read survives being written.

#![no_main]

use flash_core::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(manifest) = Manifest::from_json(text) else { return };
    let _ = manifest.validate();
    let written = manifest.to_json().expect("what was read can be written");
    assert!(Manifest::from_json(&written).as_ref() == Ok(&manifest), "writing changed it");
});
