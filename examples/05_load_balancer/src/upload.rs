//! Takes a file.

use std::fmt::Write as _;

use flash::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::CPU;
use crate::error::UserError;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uploaded {
    /// The name that the client gave the file.
    pub file_name: Option<String>,
    /// What the client says that it is.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: usize,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// What the client wrote beside it.
    pub comment: Option<String>,
}

/// Takes a file: of a form, or as the whole body.
///
/// # Errors
/// A file without content.
#[remote(resource = CPU, method = "POST", path = "/upload")]
pub async fn upload(file: flash::Bytes, comment: Option<String>) -> Result<Uploaded, UserError> {
    if file.is_empty() {
        return Err(UserError::EmptyFile);
    }
    let sha256 = Sha256::digest(&file).iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok(Uploaded {
        file_name: file.file_name().map(ToOwned::to_owned),
        content_type: file.content_type().map(ToOwned::to_owned),
        size: file.len(),
        sha256,
        comment,
    })
}
