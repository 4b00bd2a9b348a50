use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::handle;
use crate::attr::DefaultValue;
use crate::model::{Door, Function, Owner, Param, ParamKind, Style};
use crate::span::{self, hygienic};
use crate::text;

/// The slots, the implementation of `Remote`, `Handle::remote` and the registration.
pub(super) fn body(function: &Function) -> TokenStream {
    let Function { handle, resource, .. } = function;
    let resource = resource_check(resource, matches!(function.door, Door::Http { .. }));
    let implementation = implementation(function);
    let idents = wire(function).map(|param| &param.ident);
    let remote = handle::remote(function, &hygienic!(__flash::Call::new((#(#idents,)*))));
    hygienic! {
        #resource
        #implementation
        #remote
        __flash::register!(#handle);
    }
}

/// The slots and the implementation of `Remote`.
pub(super) fn implementation(function: &Function) -> TokenStream {
    let Function { handle, output, .. } = function;
    let slots = slots(function);
    let meta = meta(function);
    let door = door(&function.door);
    let args = args_type(function);
    let returned = span::type_at(output, "Return", output);
    // The coercion behind this asks whether the type is a `Result` of what can be sent.
    let answer = span::reference_at(output, "Answer");
    let decode = decode(function);
    let encode = encode(function);
    let invoke = invoke(function);
    hygienic! {
        #slots
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __flash::Remote for #handle {
            const META: &'static __flash::Meta = &#meta;
            const RETURNS: &'static dyn __flash::Returns<Self::Return> = #answer;
            type Door = __flash::#door;
            #args
            #returned
            #decode
            #encode
            #invoke
        }
    }
}

/// The tuple of what travels. A type that is more private than the function is an error at this name, so it is spanned at
/// the types.
pub(super) fn args_type(function: &Function) -> TokenStream {
    let types: Vec<_> = wire(function).map(|param| &param.ty).collect();
    span::type_at(&hygienic!(#(#types)*), "Args", &hygienic!((#(#types,)*)))
}

/// Names the resource once, so that a wrong one is one error, and checks that its kind is the function's.
pub(super) fn resource_check(resource: &Option<Path>, is_http: bool) -> TokenStream {
    let check = if is_http { "check_http" } else { "check_queue" };
    let reference = quote_spanned!(resource.span()=> &#resource);
    let check = span::call_at(resource, check, &hygienic!(__RESOURCE));
    hygienic! {
        const __RESOURCE: &__flash::Endpoint = #reference;
        const _: () = #check;
    }
}

pub(super) fn door(door: &Door) -> TokenStream {
    match door {
        Door::Queue => hygienic!(Queue),
        Door::Http { .. } => hygienic!(Http),
    }
}

/// One slot for each parameter. Making it is the only place that asks whether the type can travel, or be injected, and is
/// spanned at the type: one error for one wrong type.
pub(super) fn slots(function: &Function) -> TokenStream {
    let mut consts = TokenStream::new();
    if wire(function).next().is_some() {
        let types = wire(function).map(|param| &param.ty);
        let slots = wire(function).map(|param| slot(function, param));
        consts.extend(hygienic!(const __SLOTS: (#(__flash::Slot<#types>,)*) = (#(#slots,)*);));
    }
    if injected(function).next().is_some() {
        let types = injected(function).map(|param| &param.ty);
        let injectors = injected(function).map(|param| span::reference_at(&param.ty, "Injector"));
        consts.extend(hygienic! {
            const __INJECTED: (#(__flash::Injected<#types>,)*) = (#(__flash::injected(#injectors),)*);
        });
    }
    if let Some(Owner { ty, .. }) = &function.method_of {
        let instances = match function.door {
            Door::Queue => hygienic!(by_arguments),
            Door::Http { .. } => hygienic!(shared),
        };
        consts.extend(
            hygienic!(const __INSTANCES: __flash::Instances<#ty> = __flash::Instances::#instances();),
        );
    }
    consts
}

fn slot(function: &Function, param: &Param) -> TokenStream {
    let (ty, name) = (&param.ty, param.wire_name());
    if matches!(param.kind, ParamKind::Init) {
        let owner = function.method_of.iter().map(|owner| &owner.ty);
        return hygienic!(__flash::init_slot::<#(#owner)*>());
    }
    let type_text = text::of(ty.to_token_stream());
    let defaulted = match param.kind {
        ParamKind::Wire { default: Some(_), .. } => hygienic!(.defaulted()),
        _ => TokenStream::new(),
    };
    let carrier = span::reference_at(ty, "Json");
    let body = param.is_body().then(|| hygienic!(.body()));
    hygienic!(__flash::slot(#name, #type_text, #carrier) #defaulted #body)
}

fn meta(function: &Function) -> TokenStream {
    let Function { name, resource, style, doc, calls, calls_seen, .. } = function;
    let resource_text = text::of(resource.to_token_stream());
    let is_async = *style == Style::Async;
    let mut meta = hygienic! {
        __flash::Meta::new(#name, __RESOURCE, #resource_text)
            .at(::core::module_path!(), ::core::file!(), ::core::line!(), ::core::column!())
            .is_async(#is_async)
            .returns(&__flash::Returned(Self::RETURNS))
    };
    // What stands before `::remote(` in the body of a caller.
    let handle = match &function.method_of {
        Some(owner) => owner.ident.clone(),
        None => function.handle.unraw().to_string(),
    };
    if handle != *name {
        meta.extend(hygienic!(.ident(#handle)));
    }
    if let Door::Http { method, path, status } = &function.door {
        meta.extend(hygienic!(.http(__flash::Method::#method, #path)));
        if let Some(status) = status {
            meta.extend(hygienic!(.status(#status)));
        }
    }
    if let Some(Owner { ty, key, .. }) = &function.method_of {
        meta.extend(hygienic!(.method_of(<#ty as __flash::Class>::META, #key)));
    }
    let params = indices(wire(function));
    if !params.is_empty() {
        meta.extend(hygienic!(.params(&[#(__SLOTS.#params.param()),*])));
    }
    let needs = indices(injected(function));
    let instances = function.method_of.iter().map(|_| hygienic!(&__INSTANCES,));
    if !needs.is_empty() || function.method_of.is_some() {
        meta.extend(hygienic!(.needs(&[#(#instances)* #(&__INJECTED.#needs),*])));
    }
    let (types, output) = (wire(function).map(|param| &param.ty), &function.output);
    meta.extend(hygienic!(.schemas(__flash::schemas!([#(#types),*] #output))));
    if !calls_seen.is_empty() {
        meta.extend(hygienic!(.calls_seen(&[#(#calls_seen),*])));
    }
    if !calls.is_empty() {
        let calls =
            calls.iter().map(|path| quote_spanned!(path.span()=> || <#path as __flash::Callee>::META));
        meta.extend(hygienic!(.calls(&[#(#calls),*])));
    }
    if !doc.is_empty() {
        meta.extend(hygienic!(.doc(#doc)));
    }
    meta
}

/// The parameters that travel.
pub(super) fn wire(function: &Function) -> impl Iterator<Item = &Param> {
    function.params.iter().filter(|param| matches!(param.kind, ParamKind::Wire { .. } | ParamKind::Init))
}

fn injected(function: &Function) -> impl Iterator<Item = &Param> {
    function.params.iter().filter(|param| matches!(param.kind, ParamKind::Injected))
}

/// The index of each parameter in its tuple.
pub(super) fn indices<'a>(params: impl Iterator<Item = &'a Param>) -> Vec<Literal> {
    params.enumerate().map(|(index, _)| Literal::usize_unsuffixed(index)).collect()
}

/// A name for each parameter that travels, `__a0`, `__a1`, …
fn arguments(function: &Function) -> Vec<Ident> {
    (0..wire(function).count()).map(|index| numbered("__a", index)).collect()
}

/// A name that the user's own expressions, such as those of `default = …`, cannot see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn numbered(prefix: &str, index: usize) -> Ident {
    format_ident!("{prefix}{index}", span = Span::mixed_site())
}

pub(super) fn decode(function: &Function) -> TokenStream {
    let arguments = arguments(function);
    let fields = local("fields");
    let mut numbered: Vec<_> = wire(function).zip(&arguments).enumerate().collect();
    // What is left for the body is known when all others have taken theirs.
    numbered.sort_by_key(|(_, (param, _))| param.is_body());
    let reads = numbered.into_iter().map(|(index, (param, argument))| {
        let (slot, ty) = (Literal::usize_unsuffixed(index), &param.ty);
        let read = match &param.kind {
            ParamKind::Wire { default: Some(DefaultValue::OfType), .. } => {
                let default = quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default);
                hygienic!(take_or(#fields, #default))
            }
            ParamKind::Wire { default: Some(DefaultValue::Expr(default)), .. } => {
                hygienic!(take_or(#fields, || #default))
            }
            _ => hygienic!(take(#fields)),
        };
        hygienic!(let #argument = __SLOTS.#slot.#read;)
    });
    let binding = if arguments.is_empty() { hygienic!(_) } else { hygienic!(#fields) };
    hygienic! {
        fn decode(#binding: &mut __flash::Fields<'_>) -> ::core::option::Option<Self::Args> {
            #(#reads)*
            ::core::option::Option::Some((#(#arguments?,)*))
        }
    }
}

pub(super) fn encode(function: &Function) -> TokenStream {
    let arguments = arguments(function);
    if arguments.is_empty() {
        return hygienic! {
            fn encode(_: &Self::Args, _: &mut __flash::FieldWriter) {}
        };
    }
    let slots = (0..arguments.len()).map(Literal::usize_unsuffixed);
    hygienic! {
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (#(#arguments,)*) = args;
            #(__SLOTS.#slots.put(fields, #arguments);)*
        }
    }
}

fn invoke(function: &Function) -> TokenStream {
    let ident = &function.ident;
    let (call, prepare, scope) = call(function, None);
    let returned = match function.style {
        Style::Async => hygienic!(#call.await),
        Style::Inline => call,
        Style::Blocking => hygienic!(__flash::blocking(move || #call).await?),
    };
    // Where a future is not `Send` the compiler points at what is boxed, which is so at the function's name.
    let boxed = hygienic! {
        async move {
            #prepare
            __flash::Returns::encode(Self::RETURNS, #returned, form)
        }
    };
    let boxed = quote_spanned!(ident.span()=> ::std::boxed::Box::pin(#boxed));
    hygienic! {
        fn invoke(args: Self::Args, #scope: __flash::Scope, form: __flash::ReplyForm) -> __flash::Invocation {
            #boxed
        }
    }
}

/// The call of the user's function, or of a constructor of a type; what it needs before; and the pattern of the parameter
/// `scope`.
pub(super) fn call(
    function: &Function,
    constructor: Option<&Type>,
) -> (TokenStream, TokenStream, TokenStream) {
    let ident = &function.ident;
    let arguments = arguments(function);
    let scope = local("scope");
    let places = indices(injected(function));
    let supplied: Vec<Ident> = (0..places.len()).map(|index| numbered("__i", index)).collect();
    let (mut next_argument, mut next_supplied) = (arguments.iter(), supplied.iter());
    let in_order: Vec<_> = function
        .params
        .iter()
        .filter_map(|param| match param.kind {
            ParamKind::Init => None,
            ParamKind::Injected => next_supplied.next(),
            ParamKind::Wire { .. } | ParamKind::Broken => next_argument.next(),
        })
        .collect();
    let args = local("args");
    let instance = local("instance");
    let mut prepare = hygienic! {
        let (#(#arguments,)*) = #args;
        #(let #supplied = __INJECTED.#places.get(&#scope).await?;)*
    };
    let call = match &function.method_of {
        None => {
            let of_type = constructor.map(|ty| hygienic!(<#ty>::));
            hygienic!(#of_type #ident(#(#in_order),*))
        }
        Some(Owner { ty, .. }) => {
            prepare.extend(match (&function.door, arguments.last()) {
                (Door::Queue, Some(init)) => {
                    hygienic!(let #instance = #init.instance::<#ty>(&#scope).await?;)
                }
                _ => hygienic!(let #instance = __INSTANCES.get(&#scope).await?;),
            });
            hygienic!(<#ty>::#ident(&#instance #(, #in_order)*))
        }
    };
    let uses_scope = !places.is_empty() || function.method_of.is_some();
    let binding = if uses_scope { hygienic!(#scope) } else { hygienic!(_) };
    (call, prepare, binding)
}
