use std::borrow::Cow;

use bytes::Bytes;
use flash_core::{Fields, Meta, Method, Origin, Param, WireError, code};
use http::{HeaderMap, Uri, header};

#[cfg(feature = "multipart")]
use super::form;
use super::query;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A JSON object of fields.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Anything else, for a parameter that takes bytes.
    Raw,
}

/// The fields of a request, wherever they stand: in the path, the query and the body.
///
/// # Errors
/// A body that is not read here, or not what its content type says; a path parameter that no function should see.
pub(super) async fn fields<'a>(
    meta: &'static Meta,
    headers: &HeaderMap,
    uri: &'a Uri,
    prefix: usize,
    body: &'a Bytes,
) -> Result<Fields<'a>, WireError> {
    let mut fields = Fields::empty(Origin::Body);
    let Some(route) = meta.http else {
        return Err(WireError::new(code::INTERNAL, "the function has no route"));
    };
    if route.path.contains('{') {
        query::add_path(&mut fields, route.path, &uri.path()[prefix..])?;
    }
    if let Some(text) = uri.query() {
        query::add(&mut fields, Origin::Query, text.as_bytes());
    }
    if body.is_empty() {
        if matches!(route.method, Method::GET | Method::DELETE) {
            fields.expect_in(Origin::Query);
        }
        return Ok(fields);
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match format(meta, content_type)? {
        Format::Json => {
            fields.add_arguments(body, meta.params)?;
            check_shape(&fields, meta)?;
        }
        Format::Form => query::add(&mut fields, Origin::Body, body),
        Format::Multipart => {
            #[cfg(feature = "multipart")]
            form::add(&mut fields, meta, content_type.unwrap_or_default(), body).await?;
            #[cfg(not(feature = "multipart"))]
            return Err(unsupported("multipart/form-data"));
        }
        Format::Raw => {
            let mut bytes = flash_core::Bytes::new(body.clone());
            if let Some(content_type) = content_type {
                bytes = bytes.with_content_type(content_type.to_owned());
            }
            let name = raw_parameter(meta).map_or("", |param| param.name);
            fields.put_bytes(Cow::Borrowed(name), bytes);
        }
    }
    Ok(fields)
}

/// The parameter that takes a body as it is.
fn raw_parameter(meta: &'static Meta) -> Option<&'static Param> {
    let route = meta.http?;
    meta.params.iter().find(|param| param.is_bytes() && !route.placeholders().any(|name| name == param.name))
}

fn format(meta: &'static Meta, content_type: Option<&str>) -> Result<Format, WireError> {
    let Some(content_type) = content_type else {
        return Ok(if raw_parameter(meta).is_some() { Format::Raw } else { Format::Json });
    };
    if content_type == "application/json" {
        return Ok(Format::Json);
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Ok(Format::Json),
        "multipart/form-data" => Ok(Format::Multipart),
        "application/x-www-form-urlencoded" => Ok(Format::Form),
        _ if raw_parameter(meta).is_some() => Ok(Format::Raw),
        _ if kind.ends_with("+json") => Ok(Format::Json),
        _ => Err(unsupported(&kind)),
    }
}

#[cold]
fn unsupported(kind: &str) -> WireError {
    WireError::new(
        code::UNSUPPORTED_MEDIA_TYPE,
        format!(
            "content type `{kind}` is not read here\nhelp: send JSON with `content-type: application/json`"
        ),
    )
    .terminal()
}

/// `{"input": {…}}` is the shape of a queue endpoint; the message shows the one of this endpoint.
fn check_shape(fields: &Fields<'_>, meta: &'static Meta) -> Result<(), WireError> {
    if !fields.contains("input") || meta.params.iter().any(|param| param.name == "input" || param.is_body) {
        return Ok(());
    }
    let shape =
        meta.params.iter().map(|param| format!("\"{}\": …", param.name)).collect::<Vec<_>>().join(", ");
    Err(WireError::new(
        code::INVALID_REQUEST,
        format!(
            "`input` is the wrapper of a queue endpoint, and `{}` is an HTTP endpoint\nhelp: send the fields \
             themselves: {{{shape}}}",
            meta.resource.name()
        ),
    )
    .terminal())
}

/// Whether the client asks for JSON and nothing else, as the caller of a remote function does. Then bytes come as base64,
/// and a stream as an array.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    accept.split(',').all(|range| {
        range.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    })
}
