use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::build::FORMAT;
use super::document::Manifest;

impl Manifest {
    /// The JSON Schema (2020-12) of the manifest, as published in `schemas/flash_manifest.schema.json`.
    ///
    /// It describes what is read: no key is required, and unknown keys are allowed.
    #[must_use]
    pub fn json_schema() -> Value {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = generator.into_root_schema_for::<Self>().to_value();
        schema["title"] = json!("Flash manifest");
        schema["description"] = json!(format!("`flash_manifest.json`, format {FORMAT}."));
        schema
    }
}
