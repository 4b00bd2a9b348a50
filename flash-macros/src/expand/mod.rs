//! What follows the item: the handle, and one `const _` block with everything else. All behaviour is library code; the
//! block only names types, because every line of it is compiled once for each function.

mod class;
mod function;
mod handle;
mod stub;

use proc_macro2::TokenStream;

pub(crate) use class::{class, marker};

use crate::model::Function;
use crate::span::hygienic;

/// Expands a function, or, where its errors were reported, a stub that keeps the function's callers compiling.
pub(crate) fn function(function: &Function, is_valid: bool) -> TokenStream {
    if !function.has_handle {
        return TokenStream::new();
    }
    let declaration = handle::declaration(function);
    let body = if is_valid { function::body(function) } else { stub::body(function) };
    let krate = &function.krate;
    let cfgs = function.shared_attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    hygienic! {
        #declaration

        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            use #krate::__private as __flash;
            #body
        };
    }
}
