use std::borrow::Cow;

use flash_core::{FieldError, Fields, Origin, WireError};

/// Adds the fields of a query, or of a form that is written like one. A name that occurs again becomes a list.
pub(super) fn add<'a>(fields: &mut Fields<'a>, origin: Origin, query: &'a [u8]) {
    for (name, value) in form_urlencoded::parse(query) {
        fields.add_text(origin, name, value);
    }
}

/// Adds the placeholders of `template` as `path` fills them in.
///
/// # Errors
/// `invalid_input` with each that is not UTF-8 or would leave its place: a function that makes a file name of it must not
/// be led out of its folder.
pub(super) fn add_path<'a>(
    fields: &mut Fields<'a>,
    template: &'static str,
    path: &'a str,
) -> Result<(), WireError> {
    let mut errors = Vec::new();
    for (pattern, segment) in template.split('/').zip(path.split('/')) {
        let Some(name) = pattern.strip_prefix('{').and_then(|pattern| pattern.strip_suffix('}')) else {
            continue;
        };
        match decode(segment) {
            Ok(text) => fields.add_text(Origin::Path, Cow::Borrowed(name), text),
            Err(message) => {
                errors.push(FieldError { path: format!("path.{name}"), message: message.to_owned() });
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(WireError::invalid_input(&errors)) }
}

fn decode(segment: &str) -> Result<Cow<'_, str>, &'static str> {
    let text =
        percent_encoding::percent_decode_str(segment).decode_utf8().map_err(|_| "expected UTF-8 text")?;
    if text.split(['/', '\\']).any(|part| part == "." || part == "..") {
        return Err("`.` and `..` are not allowed in a path");
    }
    if text.contains('\0') {
        return Err("a zero byte is not allowed in a path");
    }
    Ok(text)
}
