use proc_macro2::Ident;
use quote::ToTokens;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::errors::Errors;

const PRIMITIVES: &[&str] = &[
    "bool", "char", "f16", "f32", "f64", "f128", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8",
    "u16", "u32", "u64", "u128", "usize",
];

/// Letters of a name on the wire.
const MAX_NAME: usize = 63;

/// Keys that mean something else inside of a job's input.
const RESERVED: &[&str] = &["__empty", "__flash"];

/// The handle has the function's name unless it is given one, and a type of this name hides a primitive in its module.
/// Gives whether a handle may have the name.
pub(super) fn function(ident: &Ident, handle: Option<&Ident>, errors: &mut Errors) -> bool {
    match handle {
        Some(handle) if is_primitive(handle) => errors.help(
            handle,
            format_args!("a handle cannot be named `{handle}`: it would hide the primitive type"),
            "choose another name",
        ),
        None if is_primitive(ident) => errors.help(
            ident,
            format_args!(
                "a remote function cannot be named `{ident}`: its handle would hide the primitive type"
            ),
            "rename the function, or name its handle with `handle = Name`",
        ),
        _ => return true,
    }
    false
}

/// The function's name on the wire. The manifest checks names too, all of an app at once; here it is at the user's tokens.
pub(super) fn wire(ident: &Ident, chosen: Option<&LitStr>, errors: &mut Errors) -> String {
    let name = chosen.map_or_else(|| ident.unraw().to_string(), LitStr::value);
    let is_known = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let is_valid = name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(is_known);
    if !is_valid {
        let problem = format!(
            "`{name}` cannot be a name on the wire: a name has 1 to {MAX_NAME} letters, digits, `-` or `_`, and begins \
             with a letter or a digit"
        );
        match chosen {
            Some(literal) => errors.at(literal, problem),
            None => errors.help(ident, problem, "give it another one with `name = \"…\"`"),
        }
    }
    name
}

fn is_primitive(ident: &Ident) -> bool {
    PRIMITIVES.contains(&&*ident.unraw().to_string())
}

pub(super) fn parameter(tokens: &impl ToTokens, name: &str, errors: &mut Errors) {
    if RESERVED.contains(&name) {
        errors.help(
            tokens,
            format_args!("a parameter cannot be sent as `{name}`: the key is reserved in a job's input"),
            "choose another name",
        );
    } else if name.is_empty() {
        errors.at(tokens, "a parameter's name on the wire must not be empty");
    }
}
