//! One rule, one message. Every rule is checked, whatever the others found.

mod class;
mod http;
mod name;
mod ownership;
mod param;
mod signature;

use proc_macro2::Ident;
use syn::{Attribute, Meta};

pub(crate) use class::class;

use crate::attr::{RemoteArgs, is_helper};
use crate::errors::Errors;
use crate::item::FnItem;
use crate::model::{Function, Style};
use crate::{calls, docs, paths};

pub(crate) fn function(args: RemoteArgs, item: FnItem, errors: &mut Errors) -> Function {
    let FnItem { attrs, vis, sig, body } = item;
    for attr in attrs.iter().filter(|attr| is_helper(attr)) {
        errors.help(attr, "a function has only one `#[remote]`", "write all arguments into the first one");
    }
    let is_free =
        sig.receiver().is_none() && !signature::mentions_self(&sig) && !signature::is_declaration(&body);
    signature::qualifiers(&sig, errors);
    let is_nameable = name::function(&sig.ident, args.handle.as_ref(), errors);
    let is_generic = signature::generics(&sig, errors);
    let params = param::params(&sig, is_generic, errors);
    let output = signature::output(&sig, is_generic, errors);
    if signature::is_declaration(&body) {
        signature::missing_body(&sig, errors);
    }
    if args.resource.is_none() && !args.resource_is_broken {
        errors.attribute(
            "missing `resource`: a remote function belongs to an endpoint",
            "name the endpoint's static, as in `#[remote(resource = GPU)]`",
        );
    }
    let door = http::door(&args, &sig.ident, &params, errors);
    Function {
        name: name::wire(&sig.ident, args.name.as_ref(), errors),
        handle: args.handle.unwrap_or_else(|| sig.ident.clone()),
        shared_attrs: attrs.iter().filter(|attr| is_shared(attr)).cloned().collect(),
        doc: docs::first_paragraph(&attrs),
        krate: paths::flash(args.krate, errors),
        resource: args.resource,
        door,
        style: style(&sig, args.inline.as_ref(), errors),
        params,
        output,
        calls: args.calls,
        calls_seen: calls::seen(body),
        has_handle: is_free && is_nameable,
        method_of: None,
        vis,
        ident: sig.ident,
    }
}

fn style(sig: &syn::Signature, inline: Option<&Ident>, errors: &mut Errors) -> Style {
    match (sig.asyncness, inline) {
        (Some(_), Some(inline)) => {
            errors.help(
                inline,
                "`inline` is for sync functions: an async function runs in place anyway",
                "remove `inline`",
            );
            Style::Async
        }
        (Some(_), None) => Style::Async,
        (None, Some(_)) => Style::Inline,
        (None, None) => Style::Blocking,
    }
}

/// Whether the handle must carry the attribute too: it exists only where the function does, and is hidden or deprecated
/// with it.
fn is_shared(attr: &Attribute) -> bool {
    let path = attr.path();
    let is_hidden = || match &attr.meta {
        Meta::List(list) => path.is_ident("doc") && list.tokens.to_string() == "hidden",
        _ => false,
    };
    path.is_ident("cfg") || path.is_ident("cfg_attr") || path.is_ident("deprecated") || is_hidden()
}
