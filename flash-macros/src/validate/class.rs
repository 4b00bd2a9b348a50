use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, ReceiverKind, Signature, Type, parse_quote};

use super::{http, is_shared, name, param, signature, style};
use crate::attr::{RemoteArgs, is_helper};
use crate::errors::Errors;
use crate::expand::marker;
use crate::item::{FnItem, ImplItem};
use crate::model::{Class, Door, Exit, Function, Owner, Param, ParamKind};
use crate::{calls, docs, paths};

/// A stateful worker. `None` where there is no name for a client; that has been reported.
pub(crate) fn class(args: RemoteArgs, item: ImplItem, errors: &mut Errors) -> Option<Class> {
    for attr in &item.misplaced {
        errors.help(attr, "`#[remote]` inside of an `impl` block is for functions", "remove it");
    }
    if let Some(path) = &item.of_trait {
        errors.help(
            path,
            "`#[remote]` is for a type's own methods, not for those of a trait",
            "put it on an `impl` block without `for`, and call the trait's methods from there",
        );
        return None;
    }
    if !item.generics.params.is_empty() {
        let generics = &item.generics;
        errors.help(
            generics,
            "a stateful worker must not have generics",
            "write the types it is deployed with",
        );
        return None;
    }
    let ident = type_name(&item.self_ty, errors)?;
    if args.resource.is_none() && !args.resource_is_broken {
        errors.attribute(
            "missing `resource`: a stateful worker belongs to an endpoint",
            "name the endpoint's static, as in `#[remote(resource = GPU)]`",
        );
    }
    let krate = paths::flash(args.krate, errors);
    let mut class = Class {
        client: args.handle.unwrap_or_else(|| format_ident!("{}Client", ident.unraw(), span = ident.span())),
        name: name::wire(&ident, args.name.as_ref(), errors),
        shared_attrs: item.attrs.iter().filter(|attr| is_shared(attr)).cloned().collect(),
        ty: item.self_ty,
        krate,
        resource: args.resource,
        is_http: false,
        init: None,
        exit: None,
        methods: Vec::new(),
        ident,
    };
    for function in item.functions {
        member(&mut class, &args.calls, function, errors);
    }
    complete(&mut class, errors);
    Some(class)
}

/// The last name of the type, after which its client is called.
fn type_name(ty: &Type, errors: &mut Errors) -> Option<Ident> {
    if let Type::Path(path) = ty
        && path.qself.is_none()
        && let Some(last) = path.path.segments.last()
        && path.path.segments.iter().all(|segment| segment.arguments.is_none())
    {
        return Some(last.ident.clone());
    }
    errors.help(
        ty,
        "a stateful worker is a type with a name and without arguments",
        "write `struct Worker(…);` around it",
    );
    None
}

fn member(class: &mut Class, calls: &[syn::Path], item: FnItem, errors: &mut Errors) {
    let mut helpers = item.attrs.iter().filter(|attr| is_helper(attr));
    let Some(attr) = helpers.next() else {
        if item.sig.ident.unraw() == "remote" {
            taken(&item.sig.ident, errors);
        }
        return;
    };
    for attr in helpers {
        errors.help(attr, "a function has only one `#[remote]`", "write all arguments into the first one");
    }
    if item.sig.ident.unraw() == "remote" {
        taken(&item.sig.ident, errors);
        return;
    }
    let mut args = RemoteArgs::parse_method(attr, errors);
    args.calls.extend(calls.iter().cloned());
    match (args.init.clone(), args.exit.clone()) {
        (Some(_), Some(exit)) => {
            errors.help(&exit, "a function is `init` or `exit`, not both", "write two functions");
        }
        (Some(key), None) if class.init.is_some() => {
            errors.help(&key, "a stateful worker has one constructor", "remove one `#[remote(init)]`");
        }
        (Some(_), None) => init(class, args, item, errors),
        (None, Some(key)) if class.exit.is_some() => {
            errors.help(&key, "a stateful worker has one exit method", "remove one `#[remote(exit)]`");
        }
        (None, Some(_)) => exit(class, &args, &item, errors),
        (None, None) => method(class, args, item, errors),
    }
}

fn taken(ident: &Ident, errors: &mut Errors) {
    errors.help(ident, "the name `remote` is taken: it gives the type's client", "rename the function");
}

fn no_route(args: &RemoteArgs, what: &str, errors: &mut Errors) {
    let keys = [
        args.method.as_ref().map(|arg| &arg.key),
        args.path.as_ref().map(|arg| &arg.key),
        args.status.as_ref().map(|arg| &arg.key),
    ];
    if let Some(key) = keys.into_iter().flatten().next() {
        errors.help(key, format_args!("{what} is no route, so `{key}` has no meaning for it"), "remove it");
    }
}

fn init(class: &mut Class, mut args: RemoteArgs, item: FnItem, errors: &mut Errors) {
    no_route(&args, "a constructor", errors);
    (args.method, args.path, args.status) = (None, None, None);
    if let Some(receiver) = item.sig.receiver() {
        errors.help(receiver, "a constructor has no `self`: it makes it", "return `Result<Self, E>`");
    }
    let mut function = function(class, args, item, None, errors);
    function.method_of = None;
    for param in &function.params {
        if let ParamKind::Wire { body: Some(body), .. } = &param.kind {
            errors.help(
                body,
                "constructor arguments stand side by side in `init`, so none of them is the whole body",
                "remove `body`",
            );
        }
    }
    class.init = Some(function);
}

fn exit(class: &mut Class, args: &RemoteArgs, item: &FnItem, errors: &mut Errors) {
    no_route(args, "an exit method", errors);
    receiver(&item.sig, errors);
    signature::generics(&item.sig, errors);
    for input in &item.sig.inputs {
        if let FnArg::Typed(input) = input {
            errors.help(input, "an exit method has no parameters: nobody calls it", "keep it in the worker");
        }
    }
    class.exit = Some(Exit {
        ident: item.sig.ident.clone(),
        is_async: item.sig.asyncness.is_some(),
        shared_attrs: shared(&item.attrs),
    });
}

fn shared(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| is_shared(attr)).cloned().collect()
}

/// Reports every receiver but `&self`.
fn receiver(sig: &Signature, errors: &mut Errors) {
    let problem = "the worker is shared between concurrent jobs, so methods take `&self`";
    match sig.receiver() {
        None => errors.help(
            &sig.ident,
            format_args!("method `{}` needs `&self`", sig.ident),
            "add it, or make it a free function",
        ),
        Some(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => {}
            ReceiverKind::Reference(..) => {
                errors.help(receiver, problem, "use a `Mutex` or an atomic for what changes");
            }
            _ => errors.help(receiver, problem, "write `&self`"),
        },
    }
}

fn method(class: &mut Class, args: RemoteArgs, item: FnItem, errors: &mut Errors) {
    receiver(&item.sig, errors);
    let chosen = args.name.clone();
    let key = name::wire(&item.sig.ident, chosen.as_ref(), errors);
    let owner = Owner { ty: class.ty.clone(), ident: class.ident.unraw().to_string(), key };
    let mut function = function(class, args, item, Some(owner), errors);
    if matches!(function.door, Door::Queue) {
        for param in &function.params {
            if param.wire_name() == Some("init") {
                errors.help(
                    &param.ident,
                    "a parameter of a method cannot be sent as `init`: the key holds the constructor arguments",
                    "choose another name",
                );
            }
        }
        function.params.push(Param {
            ident: Ident::new("init", proc_macro2::Span::mixed_site()),
            ty: parse_quote!(__flash::InitArgs),
            kind: ParamKind::Init,
        });
    }
    class.methods.push(function);
}

/// What a function and a method have in common.
fn function(
    class: &Class,
    args: RemoteArgs,
    item: FnItem,
    method_of: Option<Owner>,
    errors: &mut Errors,
) -> Function {
    let FnItem { attrs, vis, sig, body } = item;
    let sig = plain(sig, &class.ty);
    signature::qualifiers(&sig, errors);
    let is_generic = signature::generics(&sig, errors);
    let params = param::params(&sig, is_generic, errors);
    let output = signature::output(&sig, is_generic, errors);
    let door = http::door(&args, &sig.ident, &params, errors);
    let name = match &method_of {
        Some(owner) => format!("{}-{}", class.name, owner.key),
        None => class.name.clone(),
    };
    Function {
        handle: marker(&class.ident, &sig.ident),
        name,
        shared_attrs: shared(&attrs),
        doc: docs::first_paragraph(&attrs),
        krate: class.krate.clone(),
        resource: class.resource.clone(),
        door,
        style: style(&sig, args.inline.as_ref(), errors),
        params,
        output,
        calls: args.calls,
        calls_seen: calls::seen(body),
        has_handle: true,
        method_of,
        vis,
        ident: sig.ident,
    }
}

/// The signature without its receiver, and with the type in place of `Self`, which means something else in the client.
fn plain(mut sig: Signature, ty: &Type) -> Signature {
    sig.inputs = sig.inputs.into_iter().filter(|input| matches!(input, FnArg::Typed(_))).collect();
    let replaced = replace_self(sig.to_token_stream(), ty);
    syn::parse2(replaced).unwrap_or(sig)
}

fn replace_self(tokens: TokenStream, ty: &Type) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let span = ident.span();
                let at_self = ty.to_token_stream().into_iter().map(|mut token| {
                    token.set_span(span);
                    token
                });
                at_self.collect()
            }
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), replace_self(group.stream(), ty));
                replaced.set_span(group.span());
                TokenStream::from(TokenTree::from(replaced))
            }
            token => TokenStream::from(token),
        })
        .collect()
}

/// The rules that need all members.
fn complete(class: &mut Class, errors: &mut Errors) {
    let is_route = |function: &Function| matches!(function.door, Door::Http { .. });
    class.is_http = class.methods.iter().any(is_route);
    let ty = &class.ty;
    if class.init.is_none() {
        errors.help(
            ty,
            format_args!("stateful worker `{}` has no constructor", class.ident),
            "mark the function that makes it with `#[remote(init)]`",
        );
    }
    if class.methods.is_empty() {
        errors.help(
            ty,
            format_args!("stateful worker `{}` has no remote method", class.ident),
            "mark the methods that callers may call with `#[remote]`",
        );
    }
    if class.is_http {
        for function in class.methods.iter().filter(|function| !is_route(function)) {
            errors.help(
                &function.ident,
                format_args!("method `{}` needs a route, as the other methods have", function.ident),
                "add `#[remote(method = \"POST\", path = \"/…\")]`",
            );
        }
    } else if class.methods.len() > 1 {
        for param in class.methods.iter().flat_map(|function| &function.params) {
            if param.wire_name() == Some("method") {
                errors.help(
                    &param.ident,
                    "a parameter cannot be sent as `method` where a worker has several methods: the key selects one",
                    "choose another name",
                );
            }
        }
    }
    for (at, function) in class.methods.iter().enumerate() {
        if class.methods[..at].iter().any(|other| other.name == function.name) {
            errors.help(
                &function.ident,
                format_args!("two methods have the name `{}` on the wire", function.name),
                "give one of them another with `name = \"…\"`",
            );
        }
    }
}
