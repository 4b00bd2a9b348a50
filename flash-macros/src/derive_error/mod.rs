//! `#[derive(RemoteError)]`: an error whose variants cross the wire by code.

mod args;
mod code;
mod expand;
mod model;
mod validate;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::Errors;

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut output = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => {
            let error = validate::error(&input, &mut errors);
            expand::implementation(&error, errors.is_empty())
        }
        Err(error) => {
            errors.syntax(error);
            TokenStream::new()
        }
    };
    output.extend(errors.into_tokens());
    output
}
