//! The macros are functions from tokens to tokens, so their tests live here: a proc-macro crate exports nothing else.

mod errors;
mod expand;
mod hygiene;
mod survival;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, Meta};

use crate::entry;

/// Expands every `#[remote]` and every `#[derive(RemoteError)]` of a file, and leaves the rest as it is.
fn expand_file(source: &str) -> TokenStream {
    let file = syn::parse_file(source).expect("the input is a Rust file");
    file.items.into_iter().map(expand_item).collect()
}

fn expand_item(item: Item) -> TokenStream {
    match item {
        Item::Fn(mut function) => {
            if let Some(at) = function.attrs.iter().position(|attr| attr.path().is_ident("router")) {
                let arguments = match function.attrs.remove(at).meta {
                    Meta::List(list) => list.tokens,
                    _ => TokenStream::new(),
                };
                return entry::router(arguments, &function.into_token_stream());
            }
            let Some(at) = function.attrs.iter().position(|attr| attr.path().is_ident("remote")) else {
                return function.into_token_stream();
            };
            let arguments = match function.attrs.remove(at).meta {
                Meta::List(list) => list.tokens,
                _ => TokenStream::new(),
            };
            entry::remote(arguments, &function.into_token_stream())
        }
        Item::Impl(mut item) => {
            let Some(at) = item.attrs.iter().position(|attr| attr.path().is_ident("remote")) else {
                return item.into_token_stream();
            };
            let arguments = match item.attrs.remove(at).meta {
                Meta::List(list) => list.tokens,
                _ => TokenStream::new(),
            };
            entry::remote(arguments, &item.into_token_stream())
        }
        Item::Enum(item) if item.attrs.iter().any(|attr| attr.path().is_ident("derive")) => {
            let mut tokens = item.to_token_stream();
            tokens.extend(entry::derive_remote_error(item.into_token_stream()));
            tokens
        }
        item => item.into_token_stream(),
    }
}

fn tokens(source: &str) -> TokenStream {
    source.parse().expect("the source has balanced brackets")
}

/// Every identifier, in groups and out of them.
fn idents(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => idents(group.stream()),
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// The texts of all `compile_error!`s.
fn compile_errors(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_compile_error = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if after_compile_error => {
                let text: syn::LitStr = syn::parse2(group.stream()).expect("compile_error! has one string");
                found.push(text.value());
                after_compile_error = false;
            }
            TokenTree::Ident(ident) => after_compile_error = ident == "compile_error",
            TokenTree::Group(group) => found.extend(compile_errors(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}
