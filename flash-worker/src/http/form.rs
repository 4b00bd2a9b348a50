use std::borrow::Cow;

use bytes::Bytes;
use flash_core::{Fields, Meta, Origin, WireError, code};
use http_body_util::{BodyDataStream, Full};

/// Adds the parts of a `multipart/form-data` body (RFC 7578): files as bytes, everything else as text.
///
/// # Errors
/// `invalid_request` for a body that is no such form.
pub(super) async fn add(
    fields: &mut Fields<'_>,
    meta: &'static Meta,
    content_type: &str,
    body: &Bytes,
) -> Result<(), WireError> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| broken(&error))?;
    let stream = BodyDataStream::new(Full::<Bytes>::new(body.clone()));
    let mut parts = multer::Multipart::new(stream, boundary);
    while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(ToOwned::to_owned);
        let kind = part.content_type().map(ToString::to_string);
        let bytes = part.bytes().await.map_err(|error| broken(&error))?;
        let takes_bytes = meta.params.iter().any(|param| param.name == name && param.is_bytes());
        if file_name.is_none() && !takes_bytes {
            let text = String::from_utf8(bytes.into()).map_err(|_| {
                WireError::new(code::INVALID_REQUEST, format!("body.{name}: expected UTF-8 text")).terminal()
            })?;
            fields.add_text(Origin::Body, Cow::Owned(name), Cow::Owned(text));
            continue;
        }
        let mut file = flash_core::Bytes::new(bytes);
        if let Some(kind) = kind {
            file = file.with_content_type(kind);
        }
        if let Some(file_name) = file_name {
            file = file.with_file_name(file_name);
        }
        fields.put_bytes(Cow::Owned(name), file);
    }
    Ok(())
}

#[cold]
fn broken(error: &multer::Error) -> WireError {
    WireError::new(code::INVALID_REQUEST, format!("the body is no multipart form: {error}")).terminal()
}
