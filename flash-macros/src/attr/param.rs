use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Attribute, Expr, LitStr, Meta, Token};

use super::arguments::{Keyed, is_helper, read};
use crate::errors::Errors;

const SUPPORTED: &[&str] = &["default", "rename", "inject", "body"];

/// `#[remote(…)]` on a parameter.
#[derive(Default)]
pub(crate) struct ParamArgs {
    pub(crate) default: Option<Keyed<DefaultValue>>,
    pub(crate) rename: Option<Keyed<LitStr>>,
    pub(crate) inject: Option<Ident>,
    pub(crate) body: Option<Ident>,
}

/// What a missing argument becomes.
pub(crate) enum DefaultValue {
    /// `Default::default()` of its type.
    OfType,
    Expr(Box<Expr>),
}

impl ParamArgs {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut tokens = TokenStream::new();
        for attr in attrs.iter().filter(|attr| is_helper(attr)) {
            match &attr.meta {
                Meta::List(list) => {
                    tokens.extend(list.tokens.clone());
                    tokens.extend(quote::quote!(,));
                }
                meta => errors.help(
                    meta,
                    "`#[remote]` on a parameter needs an argument",
                    "write `#[remote(default)]`, `#[remote(rename = \"x\")]`, `#[remote(body)]` or `#[remote(inject)]`",
                ),
            }
        }
        read(tokens, SUPPORTED, errors, |key, input| args.read(key, input));
        args
    }

    fn read(&mut self, key: Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match &*key.to_string() {
            "default" => {
                let value = match input.parse::<Option<Token![=]>>()? {
                    Some(_) if input.is_empty() || input.peek(Token![,]) => {
                        let problem = "`default =` needs a value\nhelp: write `default = 3`, or `default` for the type's own";
                        return Err(syn::Error::new(key.span(), problem));
                    }
                    Some(_) => DefaultValue::Expr(input.parse()?),
                    None => DefaultValue::OfType,
                };
                self.default = Some(Keyed { key, value });
            }
            "rename" => {
                if !input.peek(Token![=]) || !input.peek2(LitStr) {
                    let problem = "`rename` needs the name on the wire\nhelp: write `rename = \"x\"`";
                    return Err(syn::Error::new(key.span(), problem));
                }
                input.parse::<Token![=]>()?;
                self.rename = Some(Keyed { key, value: input.parse()? });
            }
            "inject" => self.inject = Some(key),
            "body" => self.body = Some(key),
            other => unreachable!("`{other}` is in the table of supported arguments and has no reader"),
        }
        Ok(())
    }
}
