use syn::{Path, parse_quote};

use crate::errors::Errors;

/// The path under which generated code finds `flash`; `crate = ::renamed` changes it.
pub(crate) fn flash(chosen: Option<Path>, errors: &mut Errors) -> Path {
    let Some(path) = chosen else { return parse_quote!(::flash) };
    let is_absolute = path.leading_colon.is_some()
        || path.segments.first().is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
    if !is_absolute {
        let text = crate::text::of(quote::quote!(#path));
        errors.help(
            &path,
            "the crate path must be absolute: generated code is used in other scopes than this one",
            format_args!("write `crate = ::{text}` or `crate = crate::{text}`"),
        );
    }
    path
}
