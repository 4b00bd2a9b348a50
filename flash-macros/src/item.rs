use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility};

use crate::errors::Errors;

/// What the attribute stands on.
pub(crate) enum Item {
    Function(Box<FnItem>),
    /// Something that cannot be made remote; the reason has been reported.
    Other,
}

/// A function whose signature is parsed and whose body is not: an editor expands macros while a body is being typed, and
/// half a statement must not take the function's handle away.
pub(crate) struct FnItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for FnItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl Item {
    pub(crate) fn parse(tokens: &TokenStream, errors: &mut Errors) -> Self {
        match syn::parse2::<FnItem>(tokens.clone()) {
            Ok(item) => Self::Function(Box::new(item)),
            Err(error) => {
                match keyword(tokens) {
                    Some(token) if token.to_string() == "fn" => errors.syntax(error),
                    Some(token) if token.to_string() == "impl" => errors.help(
                        &token,
                        "`#[remote]` on an `impl` block is not supported yet",
                        "put `#[remote]` on a free function, and what it shares in a `State<T>` parameter",
                    ),
                    Some(token) => errors.help(
                        &token,
                        format_args!("`#[remote]` cannot be used on this `{token}`"),
                        "put it on a free function",
                    ),
                    None => errors.syntax(error),
                }
                Self::Other
            }
        }
    }
}

/// The keyword that says what kind of item these tokens are.
fn keyword(tokens: &TokenStream) -> Option<TokenTree> {
    const ITEMS: &[&str] =
        &["fn", "impl", "trait", "struct", "enum", "union", "mod", "static", "type", "use", "macro_rules"];
    let is_item =
        |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ITEMS.contains(&&*ident.to_string()));
    let is_const = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "const");
    // `const fn` is a function, so `const` counts only where nothing else is there.
    tokens.clone().into_iter().find(is_item).or_else(|| tokens.clone().into_iter().find(is_const))
}
