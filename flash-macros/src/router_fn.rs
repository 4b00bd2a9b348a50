use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Path, ReturnType};

use crate::attr::RemoteArgs;
use crate::errors::Errors;
use crate::item::FnItem;
use crate::span::{self, hygienic};
use crate::{calls, paths, text};

/// `#[flash::router]`: the function, a handle of its name, and its registration.
pub(crate) fn expand(attr: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let args = RemoteArgs::parse_router(attr, errors);
    let function = match syn::parse2::<FnItem>(item) {
        Ok(function) => function,
        Err(error) => {
            errors.help(
                &error.into_compile_error(),
                "`#[flash::router]` is for a function",
                "put it on a `fn` that returns an `axum::Router`",
            );
            return TokenStream::new();
        }
    };
    validate(&function, &args, errors);
    let krate = paths::flash(args.krate, errors);
    let (Some(resource), true) = (args.resource, errors.is_empty()) else { return TokenStream::new() };
    tokens(&function, &krate, &resource, &args.calls)
}

fn validate(function: &FnItem, args: &RemoteArgs, errors: &mut Errors) {
    let sig = &function.sig;
    if args.resource.is_none() && !args.resource_is_broken {
        errors.attribute(
            "missing `resource`: a router belongs to an endpoint",
            "name the endpoint's static, as in `#[flash::router(resource = API)]`",
        );
    }
    if let Some(asyncness) = &sig.asyncness {
        errors.help(
            asyncness,
            "a router is made when the worker starts, by a plain `fn`",
            "remove `async`; what takes time belongs into a handler",
        );
    }
    if !sig.inputs.is_empty() {
        errors.help(
            &sig.inputs,
            "the function of a router has no parameters",
            "give its handlers their state with `Router::with_state`",
        );
    }
    if !sig.generics.params.is_empty() {
        errors.at(&sig.generics, "the function of a router cannot be generic");
    }
    if matches!(sig.output, ReturnType::Default) {
        errors.help(&sig.ident, "the function of a router returns one", "write `-> axum::Router`");
    }
}

fn tokens(function: &FnItem, krate: &Path, resource: &Path, calls: &[Path]) -> TokenStream {
    let FnItem { attrs, vis, sig, body } = function;
    let ident = &sig.ident;
    let name = ident.unraw().to_string();
    let doc = format!(" Handle of the router [`{name}()`](fn@{name}).");
    let cfgs: Vec<_> = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let resource_text = text::of(resource.to_token_stream());
    let reference = quote_spanned!(resource.span()=> &#resource);
    let check = span::call_at(resource, "check_router", &hygienic!(__RESOURCE));
    let ReturnType::Type(_, output) = &sig.output else { return TokenStream::new() };
    // A wrong type is one error, at the type.
    let made = quote_spanned!(output.span()=> #ident());
    let router = quote_spanned!(output.span()=> __flash::Router);
    let seen = calls::seen(body.clone());
    let calls = calls.iter().map(|path| quote_spanned!(path.span()=> || <#path as __flash::Callee>::META));
    hygienic! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types, unreachable_pub)]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #[non_exhaustive]
        #vis struct #ident {}

        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            use #krate::__private as __flash;
            const __RESOURCE: &__flash::Endpoint = #reference;
            const _: () = #check;
            #[automatically_derived]
            impl __flash::Mounted for #ident {
                const MOUNT: &'static __flash::Mount =
                    &__flash::Mount::new(#name, __RESOURCE, #resource_text, || {
                        let router: #router = #made;
                        ::std::boxed::Box::new(router)
                    })
                        .at(::core::file!(), ::core::line!())
                        .calling(&[#(#seen),*], &[#(#calls),*]);
            }
            __flash::register_router!(#ident);
        };
    }
}
