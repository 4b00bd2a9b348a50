use proc_macro2::TokenStream;
use syn::Type;

use super::{function, handle};
use crate::model::Function;
use crate::span::hygienic;

/// What keeps `f::remote(…).await?` elsewhere compiling while `f` itself has errors: types only, nothing registered.
pub(super) fn body(function: &Function) -> TokenStream {
    // Named, so that its import is used and a second mistake in it is shown at once.
    let resource = function.resource.as_ref().map(|path| hygienic!(const _: &__flash::Endpoint = &#path;));
    let Some(output) = &function.output else {
        return hygienic!(#resource);
    };
    let names = function.caller_params().map(|param| &param.ident);
    // The parameters are used, so that no warning about them joins the error.
    let remote = handle::remote(function, &hygienic!({ let _ = (#(&#names,)*); ::core::panic!() }));
    let implementation = implementation(function, output);
    hygienic! {
        #resource
        #implementation
        #remote
    }
}

/// An implementation that types need and nobody runs.
pub(super) fn implementation(function: &Function, output: &Type) -> TokenStream {
    let ident = &function.handle;
    let door = function::door(&function.door);
    hygienic! {
        #[automatically_derived]
        impl __flash::Remote for #ident {
            const META: &'static __flash::Meta = ::core::panic!();
            type Door = __flash::#door;
            type Args = ();
            type Return = #output;
            const RETURNS: &'static dyn __flash::Returns<Self::Return> = ::core::panic!();
            fn decode(_: &mut __flash::Fields<'_>) -> ::core::option::Option<Self::Args> {
                ::core::panic!()
            }
            fn encode(_: &Self::Args, _: &mut __flash::FieldWriter) {}
            fn invoke(_: Self::Args, _: __flash::Scope, _: __flash::ReplyForm) -> __flash::Invocation {
                ::core::panic!()
            }
        }
    }
}
