use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use crate::model::{Function, ParamKind};
use crate::span::hygienic;

/// The type that stands for the function. Its braces keep it out of the value namespace, where the function is.
pub(super) fn declaration(function: &Function) -> TokenStream {
    let Function { vis, handle, shared_attrs, .. } = function;
    let doc = format!(" Remote handle of {}.", link(function));
    hygienic! {
        #(#shared_attrs)*
        #[doc = #doc]
        #[allow(
            non_camel_case_types,
            unreachable_pub,
            missing_debug_implementations,
            missing_copy_implementations
        )]
        #[non_exhaustive]
        #vis struct #handle {}
    }
}

/// `Handle::remote`, with the parameters that travel.
pub(super) fn remote(function: &Function, body: &TokenStream) -> TokenStream {
    let Function { vis, handle, .. } = function;
    let doc = format!(" Calls {} where it is deployed, or in this process.", link(function));
    let params = params(function);
    hygienic! {
        impl #handle {
            #[doc = #doc]
            #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
            #vis fn remote(#params) -> __flash::Call<Self> {
                #body
            }
        }
    }
}

/// The parameters that a caller gives, with their types.
pub(super) fn params(function: &Function) -> TokenStream {
    let params = function.caller_params().map(|param| {
        let (ident, ty) = (&param.ident, &param.ty);
        match param.kind {
            ParamKind::Broken => hygienic!(#ident: impl ::core::marker::Sized),
            ParamKind::Wire { .. } | ParamKind::Injected | ParamKind::Init => hygienic!(#ident: #ty),
        }
    });
    hygienic!(#(#params),*)
}

fn link(function: &Function) -> String {
    let name = function.ident.unraw();
    format!("[`{name}()`](fn@{name})")
}
