//! The published JSON Schema of the manifest.

use std::path::Path;

use flash_core::manifest::Manifest;
use serde_json::Value;

/// Set to `1` to write the file instead of comparing it.
const UPDATE: &str = "FLASH_UPDATE_SCHEMA";

#[test]
fn the_published_schema_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/flash_manifest.schema.json");
    let expected = serde_json::to_string_pretty(&Manifest::json_schema()).unwrap() + "\n";
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        std::fs::write(&file, &expected).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        published == expected,
        "schemas/flash_manifest.schema.json is not the schema of this version\n\
         help: `{UPDATE}=1 cargo test -p flash-core the_published_schema`, and commit the file"
    );
}

#[test]
fn the_schema_describes_every_key_that_is_written_and_requires_none() {
    let schema = Manifest::json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/python_deployed.json")).unwrap();
    let resource = &schema["$defs"]["ResourceEntry"];
    for (key, _) in fixture["resources"]["01_01_gpu_worker"].as_object().unwrap() {
        // Python's own; it survives as an unknown key.
        assert!(resource["properties"][key].is_object() || key == "handler_file", "{key}");
    }
    for object in [&schema, resource, &schema["$defs"]["FunctionEntry"], &schema["$defs"]["VolumeEntry"]] {
        assert!(object["required"].is_null(), "{object}");
        assert_ne!(object["additionalProperties"], false, "{object}");
    }
}
