use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The problems of one run. Nothing returns early on a problem: what can still be checked is checked.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Reports a problem at the user's own tokens.
    pub(crate) fn at(&mut self, tokens: &impl ToTokens, problem: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, problem));
    }

    /// Reports a problem and what to do about it.
    pub(crate) fn help(&mut self, tokens: &impl ToTokens, problem: impl Display, help: impl Display) {
        self.at(tokens, format_args!("{problem}\nhelp: {help}"));
    }

    /// Reports a problem of the attribute as a whole.
    pub(crate) fn attribute(&mut self, problem: impl Display, help: impl Display) {
        self.0.push(syn::Error::new(Span::call_site(), format_args!("{problem}\nhelp: {help}")));
    }

    /// Reports what the parser found.
    pub(crate) fn syntax(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` for each problem.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.into_iter().map(syn::Error::into_compile_error).collect()
    }
}

/// Runs a macro so that a bug in it costs a message and never the user's item.
pub(crate) fn guard(name: &str, fallback: TokenStream, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    catch_unwind(AssertUnwindSafe(expand)).unwrap_or_else(|panic| {
        let cause = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let mut errors = Errors::default();
        errors.attribute(
            format_args!("bug in `{name}`: {cause}"),
            "please report it together with the item; until then, write the item in another way",
        );
        let mut tokens = fallback;
        tokens.extend(errors.into_tokens());
        tokens
    })
}
