use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Attribute;
use syn::ext::IdentExt;

use super::{function, handle, stub};
use crate::model::{Class, Function, Style};
use crate::span::{self, hygienic};

/// Expands a stateful worker: the client, and one `const _` block with the constructor and each method, or, where errors
/// were reported, stubs that keep the callers compiling.
pub(crate) fn class(class: &Class, is_valid: bool) -> TokenStream {
    let Class { ident, client, krate, shared_attrs, resource, is_http, .. } = class;
    let Some(init) = &class.init else { return TokenStream::new() };
    let vis = &init.vis;
    let doc = format!(" Remote client of [`{}`].", ident.unraw());
    let cfgs = cfgs(shared_attrs);
    let resource = match is_valid {
        true => function::resource_check(resource, *is_http),
        false => TokenStream::new(),
    };
    let field = (is_valid && !is_http).then(|| hygienic!(init: #krate::__private::InitArgs));
    let constructor = if is_valid { constructor(class, init) } else { TokenStream::new() };
    let remote = remote(class, init, is_valid);
    let methods = class.methods.iter().map(|function| method(class, function, is_valid));
    hygienic! {
        #(#shared_attrs)*
        #[doc = #doc]
        #[allow(unreachable_pub)]
        #[derive(::core::fmt::Debug, ::core::clone::Clone)]
        #vis struct #client { #field }

        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            use #krate::__private as __flash;
            #resource
            #constructor
            #remote
            #(#methods)*
        };
    }
}

fn cfgs(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}

/// The implementation of `Class`.
fn constructor(class: &Class, init: &Function) -> TokenStream {
    let Class { ty, name, .. } = class;
    let slots = function::slots(init);
    let args = function::args_type(init);
    let decode = function::decode(init);
    let encode = function::encode(init);
    let params = function::indices(function::wire(init));
    let types = function::wire(init).map(|param| &param.ty);
    let params = (!params.is_empty()).then(|| {
        hygienic! {
            .params(&[#(__SLOTS.#params.param()),*])
            .schemas(__flash::schemas!([#(#types),*]))
        }
    });
    let (call, prepare, scope) = function::call(init, Some(ty));
    let call = match init.style {
        Style::Async => hygienic!(#call.await),
        Style::Inline => call,
        Style::Blocking => hygienic!(__flash::blocking(move || #call).await?),
    };
    let output = &init.output;
    // The coercion behind this asks whether the constructor returns what it must.
    let constructor = span::reference_at(output, "Constructor");
    let exit = exit(class);
    // A method that is there in every build.
    let mut lasting = class.methods.iter().filter(|method| cfgs(&method.shared_attrs).is_empty());
    let callee = lasting.next().map(|first| {
        let handle = &first.handle;
        hygienic! {
            #[automatically_derived]
            impl __flash::Callee for #ty {
                const META: &'static __flash::Meta = <#handle as __flash::Remote>::META;
            }
        }
    });
    hygienic! {
        const _: () = {
            #slots
            const __CONSTRUCTOR: &dyn __flash::Constructs<#output, #ty> = #constructor;
            #[automatically_derived]
            impl __flash::Class for #ty {
                const META: &'static __flash::ClassMeta = &__flash::ClassMeta::new(#name) #params;
                #args
                #decode
                #encode
                async fn init(args: Self::Args, #scope: __flash::Scope)
                    -> ::core::result::Result<Self, __flash::Error>
                {
                    #prepare
                    __CONSTRUCTOR.instance(#call)
                }
                #exit
            }
            #callee
        };
    }
}

fn exit(class: &Class) -> Option<TokenStream> {
    let (ty, exit) = (&class.ty, class.exit.as_ref()?);
    let (ident, cfgs) = (&exit.ident, cfgs(&exit.shared_attrs));
    let call = match exit.is_async {
        true => hygienic!(<#ty>::#ident(&instance).await),
        false => hygienic!(__flash::exit_blocking(move || <#ty>::#ident(&instance)).await),
    };
    let exited = quote_spanned!(ident.span()=> exited);
    Some(hygienic! {
        #(#cfgs)*
        async fn exit(instance: ::std::sync::Arc<Self>) {
            __flash::#exited::<Self>(#call);
        }
    })
}

/// `Type::remote`, with the constructor's parameters. All requests of an HTTP endpoint share one instance, so there nobody
/// chooses arguments.
fn remote(class: &Class, init: &Function, is_valid: bool) -> TokenStream {
    let Class { ident, ty, client, is_http, .. } = class;
    let vis = &init.vis;
    let doc = format!(" The workers of [`{}`] where they are deployed, or in this process.", ident.unraw());
    let names: Vec<&Ident> = init.caller_params().map(|param| &param.ident).collect();
    let params = if *is_http { TokenStream::new() } else { handle::params(init) };
    let body = match (is_valid, is_http) {
        (true, false) => hygienic!(#client { init: __flash::InitArgs::of::<#ty>(&(#(#names,)*)) }),
        (_, true) => hygienic!(#client {}),
        (false, false) => hygienic!({ let _ = (#(&#names,)*); #client {} }),
    };
    hygienic! {
        impl #ty {
            #[doc = #doc]
            #[allow(dead_code, unreachable_pub, clippy::too_many_arguments)]
            #[must_use]
            #vis fn remote(#params) -> #client {
                #body
            }
        }
    }
}

/// The function behind a method, and the client's method that calls it.
fn method(class: &Class, function: &Function, is_valid: bool) -> TokenStream {
    let Class { client, .. } = class;
    let Function { ident, vis, handle, shared_attrs, output, .. } = function;
    let Some(output) = output else { return TokenStream::new() };
    let cfgs = cfgs(shared_attrs);
    let doc = format!(" Calls [`{0}::{1}()`]({0}::{1}).", class.ident.unraw(), ident.unraw());
    let params = handle::params(function);
    let names: Vec<&Ident> = function.caller_params().map(|param| &param.ident).collect();
    let implementation =
        if is_valid { function::implementation(function) } else { stub::implementation(function, output) };
    let register = is_valid.then(|| hygienic!(__flash::register!(#handle);));
    let init = (!class.is_http).then(|| hygienic!(::core::clone::Clone::clone(&self.init),));
    let body = match is_valid {
        true => hygienic!(__flash::Call::new((#(#names,)* #init))),
        false => hygienic!({ let _ = (#(&#names,)*); ::core::panic!() }),
    };
    hygienic! {
        #(#cfgs)*
        #[allow(non_camel_case_types, unreachable_pub, missing_docs, missing_debug_implementations)]
        #vis struct #handle {}
        #(#cfgs)*
        const _: () = {
            #implementation
            #register
        };
        impl #client {
            #(#shared_attrs)*
            #[doc = #doc]
            #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
            #vis fn #ident(&self, #params) -> __flash::Call<#handle> {
                #body
            }
        }
    }
}

/// The type that stands for a method. Nobody can name it: the client's method gives a `Call` of it.
pub(crate) fn marker(class: &Ident, method: &Ident) -> Ident {
    format_ident!("__{}_{}", class.unraw(), method.unraw(), span = method.span())
}
