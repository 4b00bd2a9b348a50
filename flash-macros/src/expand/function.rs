use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::handle;
use crate::attr::DefaultValue;
use crate::model::{Door, Function, Param, ParamKind, Style};
use crate::text;

/// The slots, the implementation of `Remote`, `Handle::remote` and the registration.
pub(super) fn body(function: &Function) -> TokenStream {
    let Function { handle, resource, output, .. } = function;
    let resource = resource_check(function, resource.as_ref());
    let slots = slots(function);
    let meta = meta(function);
    let door = door(&function.door);
    let types = function.wire_params().map(|param| &param.ty);
    // Spanned at the return type: that is where the type checker asks whether it is a `Result`.
    let returned = quote_spanned!(output.span()=> type Return = #output;);
    let decode = decode(function);
    let encode = encode(function);
    let invoke = invoke(function);
    let idents = function.wire_params().map(|param| &param.ident);
    let remote = handle::remote(function, &quote!(__flash::Call::new((#(#idents,)*))));
    quote_spanned! {Span::mixed_site()=>
        #resource
        #slots
        #[automatically_derived]
        impl __flash::Remote for #handle {
            const META: &'static __flash::Meta = &#meta;
            type Door = __flash::#door;
            type Args = (#(#types,)*);
            #returned
            #decode
            #encode
            #invoke
        }
        #remote
        __flash::register!(#handle);
    }
}

/// Names the resource once, so that a wrong one is one error, and checks that its kind is the function's.
fn resource_check(function: &Function, resource: Option<&syn::Path>) -> TokenStream {
    let check = match function.door {
        Door::Queue => quote!(check_queue),
        Door::Http { .. } => quote!(check_http),
    };
    quote_spanned! {resource.span()=>
        const __RESOURCE: &__flash::Endpoint = &#resource;
        const _: () = __flash::#check(__RESOURCE);
    }
}

pub(super) fn door(door: &Door) -> TokenStream {
    match door {
        Door::Queue => quote!(Queue),
        Door::Http { .. } => quote!(Http),
    }
}

/// One slot for each parameter that travels. Each type is named here and nowhere else with a bound, so that a type that
/// cannot travel is one error.
fn slots(function: &Function) -> TokenStream {
    if function.wire_params().next().is_none() {
        return TokenStream::new();
    }
    let types = function.wire_params().map(|param| &param.ty);
    let slots = function.wire_params().map(|param| {
        let (ty, name) = (&param.ty, param.wire_name());
        let type_text = text::of(ty.to_token_stream());
        let defaulted = match param.kind {
            ParamKind::Wire { default: Some(_), .. } => quote!(.defaulted()),
            _ => TokenStream::new(),
        };
        let slot = quote_spanned!(ty.span()=> __flash::slot::<#ty>);
        quote!(#slot(#name, #type_text) #defaulted)
    });
    quote_spanned! {Span::mixed_site()=>
        const __SLOTS: (#(__flash::Slot<#types>,)*) = (#(#slots,)*);
    }
}

fn meta(function: &Function) -> TokenStream {
    let Function { name, resource, style, doc, calls, calls_seen, .. } = function;
    let resource_text = text::of(resource.to_token_stream());
    let is_async = *style == Style::Async;
    let mut meta = quote! {
        __flash::Meta::new(#name, __RESOURCE, #resource_text)
            .at(::core::module_path!(), ::core::file!(), ::core::line!(), ::core::column!())
            .is_async(#is_async)
    };
    let handle = function.handle.unraw().to_string();
    if handle != *name {
        meta.extend(quote!(.ident(#handle)));
    }
    if let Door::Http { method, path, status } = &function.door {
        meta.extend(quote!(.http(__flash::Method::#method, #path)));
        if let Some(status) = status {
            meta.extend(quote!(.status(#status)));
        }
    }
    let params: Vec<_> =
        function.wire_params().enumerate().map(|(index, _)| Literal::usize_unsuffixed(index)).collect();
    if !params.is_empty() {
        meta.extend(quote!(.params(&[#(__SLOTS.#params.param()),*])));
    }
    let needs: Vec<_> = injected(function).map(|param| &param.ty).collect();
    if !needs.is_empty() {
        meta.extend(quote!(.needs(&[#(__flash::need::<#needs>),*])));
    }
    if !calls_seen.is_empty() {
        meta.extend(quote!(.calls_seen(&[#(#calls_seen),*])));
    }
    if !calls.is_empty() {
        let calls =
            calls.iter().map(|path| quote_spanned!(path.span()=> || <#path as __flash::Remote>::META));
        meta.extend(quote!(.calls(&[#(#calls),*])));
    }
    if !doc.is_empty() {
        meta.extend(quote!(.doc(#doc)));
    }
    meta
}

fn injected(function: &Function) -> impl Iterator<Item = &Param> {
    function.params.iter().filter(|param| matches!(param.kind, ParamKind::Injected))
}

/// A name for each parameter that travels, `__a0`, `__a1`, …
fn arguments(function: &Function) -> Vec<Ident> {
    (0..function.wire_params().count()).map(|index| local("a", index)).collect()
}

fn local(prefix: &str, index: usize) -> Ident {
    format_ident!("__{prefix}{index}", span = Span::mixed_site())
}

fn decode(function: &Function) -> TokenStream {
    let arguments = arguments(function);
    let reads = function.wire_params().zip(&arguments).enumerate().map(|(index, (param, argument))| {
        let slot = Literal::usize_unsuffixed(index);
        let ty = &param.ty;
        let read = match &param.kind {
            ParamKind::Wire { default: Some(DefaultValue::OfType), .. } => {
                let default = quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default);
                quote!(take_or(fields, #default))
            }
            ParamKind::Wire { default: Some(DefaultValue::Expr(default)), .. } => {
                quote!(take_or(fields, || #default))
            }
            _ => quote!(take(fields)),
        };
        quote_spanned!(Span::mixed_site()=> let #argument = __SLOTS.#slot.#read;)
    });
    let fields = if arguments.is_empty() { quote!(_) } else { quote!(fields) };
    quote_spanned! {Span::mixed_site()=>
        fn decode(#fields: &mut __flash::Fields<'_>) -> ::core::option::Option<Self::Args> {
            #(#reads)*
            ::core::option::Option::Some((#(#arguments?,)*))
        }
    }
}

fn encode(function: &Function) -> TokenStream {
    let arguments = arguments(function);
    if arguments.is_empty() {
        return quote_spanned! {Span::mixed_site()=>
            fn encode(_: &Self::Args, _: &mut __flash::FieldWriter) {}
        };
    }
    let slots = (0..arguments.len()).map(Literal::usize_unsuffixed);
    quote_spanned! {Span::mixed_site()=>
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (#(#arguments,)*) = args;
            #(__SLOTS.#slots.put(fields, #arguments);)*
        }
    }
}

fn invoke(function: &Function) -> TokenStream {
    let ident = &function.ident;
    let arguments = arguments(function);
    let injections = injected(function).enumerate().map(|(index, param)| {
        let (injected, ty) = (local("i", index), &param.ty);
        let value = quote_spanned!(ty.span()=> __flash::inject::<#ty>);
        quote_spanned!(Span::mixed_site()=> let #injected = #value(&scope).await?;)
    });
    let (mut wire, mut injected) = (arguments.iter().cloned(), 0..);
    let in_order: Vec<Ident> = function
        .params
        .iter()
        .filter_map(|param| match param.kind {
            ParamKind::Injected => injected.next().map(|index| local("i", index)),
            ParamKind::Wire { .. } | ParamKind::Broken => wire.next(),
        })
        .collect();
    let call = match function.style {
        Style::Async => quote!(::core::result::Result::Ok(#ident(#(#in_order),*).await)),
        Style::Inline => quote!(::core::result::Result::Ok(#ident(#(#in_order),*))),
        Style::Blocking => quote!(__flash::blocking(move || #ident(#(#in_order),*)).await),
    };
    let needs_scope = function.params.iter().any(|param| matches!(param.kind, ParamKind::Injected));
    let scope = if needs_scope { quote_spanned!(Span::mixed_site()=> scope) } else { quote!(_) };
    quote_spanned! {Span::mixed_site()=>
        async fn invoke(args: Self::Args, #scope: __flash::Scope)
            -> ::core::result::Result<Self::Return, __flash::Error>
        {
            let (#(#arguments,)*) = args;
            #(#injections)*
            #call
        }
    }
}
