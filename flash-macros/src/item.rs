use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Generics, Signature, Token, Type, Visibility, braced};

use crate::attr::is_helper;
use crate::errors::Errors;

/// What the attribute stands on.
pub(crate) enum Item {
    Function(Box<FnItem>),
    Class(Box<ImplItem>),
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

/// An `impl` block, parsed as far as the signatures of its functions.
pub(crate) struct ImplItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) self_ty: Type,
    /// The trait, where it is an implementation of one.
    pub(crate) of_trait: Option<Type>,
    pub(crate) functions: Vec<FnItem>,
    /// Attributes `#[remote(…)]` on something else than a function.
    pub(crate) misplaced: Vec<Attribute>,
}

impl Parse for ImplItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Option<Token![unsafe]>>()?;
        input.parse::<Token![impl]>()?;
        let mut generics: Generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
        input.parse::<Option<Token![!]>>()?;
        let first: Type = input.parse()?;
        let (self_ty, of_trait) = match input.parse::<Option<Token![for]>>()? {
            Some(_) => (input.parse()?, Some(first)),
            None => (first, None),
        };
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        let mut item =
            Self { attrs, generics, self_ty, of_trait, functions: Vec::new(), misplaced: Vec::new() };
        while !content.is_empty() {
            item.member(&content)?;
        }
        Ok(item)
    }
}

impl ImplItem {
    fn member(&mut self, content: ParseStream<'_>) -> syn::Result<()> {
        content.call(Attribute::parse_inner)?;
        let attrs = content.call(Attribute::parse_outer)?;
        let vis: Visibility = content.parse()?;
        if content.fork().parse::<Signature>().is_ok() || content.peek(Token![fn]) {
            let sig = content.parse()?;
            // A body that is still being typed has balanced braces, or the file would have no tokens.
            let body =
                if content.is_empty() { TokenStream::new() } else { content.parse::<TokenTree>()?.into() };
            self.functions.push(FnItem { attrs, vis, sig, body });
            return Ok(());
        }
        self.misplaced.extend(attrs.into_iter().filter(is_helper));
        while !content.is_empty() {
            match content.parse::<TokenTree>()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                TokenTree::Punct(punct) if punct.as_char() == ';' => break,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Item {
    pub(crate) fn parse(tokens: &TokenStream, errors: &mut Errors) -> Self {
        match syn::parse2::<FnItem>(tokens.clone()) {
            Ok(item) => Self::Function(Box::new(item)),
            Err(error) => {
                match keyword(tokens) {
                    Some(token) if token.to_string() == "fn" => errors.syntax(error),
                    Some(token) if token.to_string() == "impl" => {
                        match syn::parse2::<ImplItem>(tokens.clone()) {
                            Ok(item) => return Self::Class(Box::new(item)),
                            Err(error) => errors.syntax(error),
                        }
                    }
                    Some(token) => errors.help(
                        &token,
                        format_args!("`#[remote]` cannot be used on this `{token}`"),
                        "put it on a free function, or on an `impl` block",
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
