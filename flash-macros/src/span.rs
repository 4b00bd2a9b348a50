use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// `quote!` for generated code: its local names are its own, so no expression of the user can see them.
macro_rules! hygienic {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned! {::proc_macro2::Span::mixed_site()=> $($tokens)*}
    };
}
pub(crate) use hygienic;

/// Where tokens begin and end. `Span::join` is not stable, but an expression between two tokens has a span of its own.
fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let tokens: Vec<TokenTree> = tokens.to_token_stream().into_iter().collect();
    let open = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    };
    let close = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    };
    let fallback = Span::mixed_site();
    (tokens.first().map_or(fallback, open), tokens.last().map_or(fallback, close))
}

/// `&__flash::name`, which the compiler shows as all of `tokens`.
pub(crate) fn reference_at(tokens: &impl ToTokens, name: &str) -> TokenStream {
    let (start, end) = ends(tokens);
    let name = Ident::new(name, end);
    quote_spanned!(start=> &__flash::#name)
}

/// `type name = ty;`, which the compiler shows as all of `tokens`.
pub(crate) fn type_at(tokens: &impl ToTokens, name: &str, ty: &impl ToTokens) -> TokenStream {
    let (start, end) = ends(tokens);
    let name = Ident::new(name, end);
    let head = quote_spanned!(start=> type #name);
    let semicolon = quote_spanned!(end=> ;);
    hygienic!(#head = #ty #semicolon)
}

/// `__flash::name(arguments)`, which the compiler shows as all of `tokens`.
pub(crate) fn call_at(tokens: &impl ToTokens, name: &str, arguments: &TokenStream) -> TokenStream {
    let (start, end) = ends(tokens);
    let name = Ident::new(name, end);
    let callee = quote_spanned!(start=> __flash::#name);
    let arguments = quote_spanned!(end=> (#arguments));
    hygienic!(#callee #arguments)
}
