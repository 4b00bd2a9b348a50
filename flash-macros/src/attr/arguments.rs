use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, LitStr, Path, Token};

use crate::errors::Errors;
use crate::suggest::{closest, did_you_mean, list};

/// A value with the key it was given under, so that a problem can point at either.
pub(crate) struct Keyed<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// Reads `key`, `key = value` and `key(…)`, separated by commas. A bad argument is reported and skipped.
///
/// `read` gets the stream behind a known key. Gives the keys that misspelled ones were likely meant to be.
pub(crate) fn read(
    tokens: TokenStream,
    supported: &[&'static str],
    errors: &mut Errors,
    mut read: impl FnMut(Ident, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<&'static str> {
    let mut meant = Vec::new();
    let parser = |input: ParseStream<'_>| {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            if let Err(error) = argument(input, supported, &mut seen, &mut meant, errors, &mut read) {
                errors.syntax(error);
                skip_argument(input);
            }
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.syntax(error);
    }
    meant
}

fn argument(
    input: ParseStream<'_>,
    supported: &[&'static str],
    seen: &mut Vec<String>,
    meant: &mut Vec<&'static str>,
    errors: &mut Errors,
    read: &mut impl FnMut(Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    if !input.peek(syn::Ident::peek_any) {
        return Err(
            input.error(format_args!("expected an argument\nhelp: supported are {}", list(supported)))
        );
    }
    let key = input.call(Ident::parse_any)?;
    let name = key.to_string();
    if !supported.contains(&&*name) {
        let guess = did_you_mean(&name, supported);
        meant.extend(closest(&name, supported));
        errors.help(
            &key,
            format_args!("unknown argument `{name}`{guess}"),
            format_args!("supported are {}", list(supported)),
        );
        skip_argument(input);
        return Ok(());
    }
    if seen.contains(&name) {
        errors.at(&key, format_args!("`{name}` specified more than once"));
        skip_argument(input);
        return Ok(());
    }
    seen.push(name);
    read(key, input)?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected `,`"));
    }
    Ok(())
}

/// Goes to the next comma, over everything that could not be understood.
fn skip_argument(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// The value behind `key =`, which begins as `is_value` says.
pub(crate) fn value<T: Parse>(
    key: &Ident,
    input: ParseStream<'_>,
    is_value: impl FnOnce(ParseStream<'_>) -> bool,
    kind: &str,
    example: &str,
) -> syn::Result<T> {
    let help = format_args!("help: write `{key} = {example}`");
    if input.parse::<Option<Token![=]>>()?.is_none() || input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(key.span(), format_args!("`{key}` needs a value\n{help}")));
    }
    if !is_value(input) {
        return Err(input.error(format_args!("`{key}` is {kind}\n{help}")));
    }
    input.parse()
}

pub(crate) fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<LitStr> {
    value(key, input, |input| input.peek(LitStr), "a string literal", example)
}

pub(crate) fn path(key: &Ident, input: ParseStream<'_>, kind: &str, example: &str) -> syn::Result<Path> {
    let is_path = |input: ParseStream<'_>| input.peek(Token![::]) || input.peek(syn::Ident::peek_any);
    let path = value::<ModPath>(key, input, is_path, kind, example)?.0;
    // `Endpoint::queue("gpu")` begins like a path.
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error(format_args!("`{key}` is {kind}\nhelp: write `{key} = {example}`")));
    }
    Ok(path)
}

/// A path without generic arguments.
struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}

/// Whether an attribute is `#[remote(…)]`, under whatever path.
pub(crate) fn is_helper(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "remote")
}
