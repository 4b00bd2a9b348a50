use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::ParseStream;
use syn::{Attribute, LitInt, LitStr, Meta, Path, Token};

use crate::attr::{Keyed, is_helper, path, read_arguments, text, value};
use crate::errors::Errors;

/// `#[remote(…)]` on an error or on one of its variants.
#[derive(Default)]
pub(super) struct ErrorArgs {
    pub(super) code: Option<LitStr>,
    pub(super) status: Option<Keyed<LitInt>>,
    pub(super) retryable: Option<Ident>,
    pub(super) terminal: Option<Ident>,
    pub(super) call: Option<Ident>,
    pub(super) opaque: Option<Ident>,
    pub(super) krate: Option<Path>,
}

/// Where the attribute stands decides what it may say.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Enum,
    Struct,
    Variant,
}

impl Place {
    fn supported(self) -> &'static [&'static str] {
        match self {
            Self::Enum => &["status", "retryable", "terminal", "crate"],
            Self::Struct => &["code", "status", "retryable", "terminal", "opaque", "crate"],
            Self::Variant => &["code", "status", "retryable", "terminal", "call", "opaque"],
        }
    }
}

impl ErrorArgs {
    pub(super) fn parse(attrs: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut tokens = TokenStream::new();
        for attr in attrs.iter().filter(|attr| is_helper(attr)) {
            match &attr.meta {
                Meta::List(list) => {
                    let arguments = &list.tokens;
                    tokens.extend(quote!(#arguments,));
                }
                meta => errors.help(
                    meta,
                    "`#[remote]` on an error needs an argument",
                    "write `#[remote(code = \"too_long\")]`, or leave it out",
                ),
            }
        }
        read_arguments(tokens, place.supported(), errors, |key, input| args.read(key, input));
        args
    }

    fn read(&mut self, key: Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match &*key.to_string() {
            "code" => self.code = Some(text(&key, input, "\"too_long\"")?),
            "status" => {
                let value = value(&key, input, |input| input.peek(LitInt), "a number", "422")?;
                self.status = Some(Keyed { key, value });
            }
            "crate" => self.krate = Some(path(&key, input, "a path", "::renamed")?),
            flag => {
                if input.peek(Token![=]) || input.peek(syn::token::Paren) {
                    let problem = format!("`{flag}` has no value\nhelp: write `{flag}`, or leave it out");
                    return Err(input.error(problem));
                }
                let place = match flag {
                    "retryable" => &mut self.retryable,
                    "terminal" => &mut self.terminal,
                    "call" => &mut self.call,
                    "opaque" => &mut self.opaque,
                    other => {
                        unreachable!("`{other}` is in the table of supported arguments and has no reader")
                    }
                };
                *place = Some(key);
            }
        }
        Ok(())
    }
}
