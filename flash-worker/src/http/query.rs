use std::borrow::Cow;

use flash_core::{Fields, Origin, WireError, code};

/// Adds the fields of a query. A name that occurs again becomes a list.
pub(crate) fn add<'a>(fields: &mut Fields<'a>, query: &'a str) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        fields.add_text(Origin::Query, name, value);
    }
}

/// Adds the placeholders of `template` as `path` fills them in.
pub(crate) fn add_path<'a>(
    fields: &mut Fields<'a>,
    template: &'static str,
    path: &'a str,
) -> Result<(), WireError> {
    for (pattern, segment) in template.split('/').zip(path.split('/')) {
        let Some(name) = pattern.strip_prefix('{').and_then(|pattern| pattern.strip_suffix('}')) else {
            continue;
        };
        let text = percent_encoding::percent_decode_str(segment).decode_utf8().map_err(|_| {
            WireError::new(code::INVALID_REQUEST, format!("path.{name}: not UTF-8")).terminal()
        })?;
        fields.add_text(Origin::Path, Cow::Borrowed(name), text);
    }
    Ok(())
}
