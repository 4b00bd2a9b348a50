use proc_macro2::{Ident, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitInt, LitStr, Meta, Path, Token, parenthesized};

use super::arguments::{Keyed, path, read, text, value};
use crate::errors::Errors;

const SUPPORTED: &[&str] =
    &["resource", "method", "path", "name", "handle", "status", "calls", "inline", "crate"];

const SUPPORTED_ON_CLASS: &[&str] = &["resource", "name", "handle", "calls", "crate"];
const SUPPORTED_ON_ROUTER: &[&str] = &["resource", "calls", "crate"];
const SUPPORTED_ON_METHOD: &[&str] = &["init", "exit", "method", "path", "name", "status", "calls", "inline"];

/// `#[remote(…)]` on a function, an `impl` block or a method.
#[derive(Default)]
pub(crate) struct RemoteArgs {
    pub(crate) resource: Option<Path>,
    /// `resource` was there, misspelled or not as a path, which has been reported.
    pub(crate) resource_is_broken: bool,
    pub(crate) method: Option<Keyed<LitStr>>,
    pub(crate) path: Option<Keyed<LitStr>>,
    pub(crate) status: Option<Keyed<LitInt>>,
    pub(crate) name: Option<LitStr>,
    pub(crate) handle: Option<Ident>,
    pub(crate) calls: Vec<Path>,
    pub(crate) inline: Option<Ident>,
    pub(crate) krate: Option<Path>,
    pub(crate) init: Option<Ident>,
    pub(crate) exit: Option<Ident>,
}

impl RemoteArgs {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::parse_supported(tokens, SUPPORTED, errors)
    }

    pub(crate) fn parse_class(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::parse_supported(tokens, SUPPORTED_ON_CLASS, errors)
    }

    pub(crate) fn parse_router(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::parse_supported(tokens, SUPPORTED_ON_ROUTER, errors)
    }

    pub(crate) fn parse_method(attr: &Attribute, errors: &mut Errors) -> Self {
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
        };
        Self::parse_supported(tokens, SUPPORTED_ON_METHOD, errors)
    }

    fn parse_supported(tokens: TokenStream, supported: &[&'static str], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let meant = read(tokens, supported, errors, |key, input| args.read(key, input));
        args.resource_is_broken |= meant.contains(&"resource");
        args
    }

    fn read(&mut self, key: Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match &*key.to_string() {
            "resource" => {
                self.resource_is_broken = true;
                self.resource = Some(path(&key, input, "the path of a `static`, such as `GPU`", "GPU")?);
            }
            "method" => self.method = Some(Keyed { value: text(&key, input, "\"POST\"")?, key }),
            "path" => self.path = Some(Keyed { value: text(&key, input, "\"/classify\"")?, key }),
            "status" => {
                let value = value(&key, input, |input| input.peek(LitInt), "a number", "201")?;
                self.status = Some(Keyed { value, key });
            }
            "name" => self.name = Some(text(&key, input, "\"classify\"")?),
            "handle" => {
                let is_ident = |input: ParseStream<'_>| input.peek(syn::Ident);
                self.handle = Some(value(&key, input, is_ident, "the name of a type", "ClassifyFn")?);
            }
            "calls" => self.calls = calls(&key, input)?,
            "inline" => self.inline = Some(flag(key, input)?),
            "init" => self.init = Some(flag(key, input)?),
            "exit" => self.exit = Some(flag(key, input)?),
            "crate" => self.krate = Some(path(&key, input, "a path", "::renamed")?),
            other => unreachable!("`{other}` is in the table of supported arguments and has no reader"),
        }
        Ok(())
    }
}

fn flag(key: Ident, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(Token![=]) || input.peek(syn::token::Paren) {
        return Err(input.error(format_args!("`{key}` has no value\nhelp: write `{key}`, or leave it out")));
    }
    Ok(key)
}

fn calls(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(
            key.span(),
            "`calls` lists remote functions\nhelp: write `calls(embed, other::classify)`",
        ));
    }
    let list;
    parenthesized!(list in input);
    // As tokens first, so that a bad path is one error and not also a list that does not end.
    let tokens: TokenStream = list.parse()?;
    let parser = |input: ParseStream<'_>| {
        Punctuated::<Path, Token![,]>::parse_terminated_with(input, Path::parse_mod_style)
    };
    Ok(parser.parse2(tokens)?.into_iter().collect())
}
