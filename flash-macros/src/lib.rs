//! The `#[remote]` attribute and the `RemoteError` derive.
//!
//! Use them through the `flash` crate, which re-exports and documents them. The way of a function through this crate is
//! parse (`attr`, `item`), validate (`validate`), model (`model`), expand (`expand`); each step collects its
//! problems in `errors::Errors` and goes on, so that one run shows them all and the item always survives.

use proc_macro::TokenStream;

mod attr;
mod calls;
mod derive_error;
mod docs;
mod entry;
mod errors;
mod expand;
mod item;
mod main_fn;
mod model;
mod paths;
mod router_fn;
mod span;
mod strip;
mod suggest;
mod text;
mod validate;

#[cfg(test)]
mod tests;

// Documented where `flash` re-exports it, so that its examples compile against the real crate.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn remote(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::remote(attr.into(), &item.into()).into()
}

// Documented where `flash` re-exports it.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn main(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(attr.into(), item.into()).into()
}

// Documented where `flash` re-exports it.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn router(attr: TokenStream, item: TokenStream) -> TokenStream {
    entry::router(attr.into(), &item.into()).into()
}

// Documented where `flash` re-exports it.
#[allow(missing_docs)]
#[proc_macro_derive(RemoteError, attributes(remote))]
pub fn derive_remote_error(item: TokenStream) -> TokenStream {
    entry::derive_remote_error(item.into()).into()
}
