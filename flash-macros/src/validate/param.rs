use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{FnArg, Pat, PatType, PathArguments, Signature, Type};

use super::ownership::{self, Flaw};
use super::{name, signature};
use crate::attr::ParamArgs;
use crate::errors::Errors;
use crate::model::{Param, ParamKind};

pub(super) fn params(sig: &Signature, is_generic: bool, errors: &mut Errors) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    for (index, input) in sig.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(receiver) => errors.help(
                receiver,
                "`self` is only allowed inside of an `impl` block that is remote itself",
                "put `#[remote(resource = …)]` on the `impl` block, and a bare `#[remote]` on its methods",
            ),
            FnArg::Typed(input) => {
                let param = param(input, index, is_generic, errors);
                if let Some(name) = param.wire_name()
                    && params.iter().any(|other| other.wire_name() == Some(name))
                {
                    errors.help(
                        &input.pat,
                        format_args!("two parameters are sent as `{name}`"),
                        "give one of them another name with `#[remote(rename = \"…\")]`",
                    );
                }
                if let ParamKind::Wire { body: Some(body), .. } = &param.kind
                    && params.iter().any(Param::is_body)
                {
                    let help = "make one type of both";
                    errors.help(body, "only one parameter can be the whole body", help);
                }
                params.push(param);
            }
        }
    }
    params
}

fn param(input: &PatType, index: usize, is_generic: bool, errors: &mut Errors) -> Param {
    for attr in
        input.attrs.iter().filter(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
    {
        errors.help(
            attr,
            "a remote function has the same parameters in every build, so `cfg` is not allowed here",
            "put `cfg` on the function, and write it once for each case",
        );
    }
    let args = ParamArgs::parse(&input.attrs, errors);
    let ident = ident(&input.pat, errors);
    let is_injected = args.inject.is_some() || is_injected(&input.ty);
    let flaw = ownership::flaw(&input.ty);
    let is_broken = ident.is_none() || flaw.is_some() || is_generic;
    let name_in_text = ident.as_ref().map_or_else(|| "_".to_owned(), ToString::to_string);
    if let Some(flaw) = flaw {
        report(flaw, &name_in_text, errors);
    }
    let ident = ident.unwrap_or_else(|| format_ident!("__p{index}"));
    let kind = if is_broken {
        ParamKind::Broken
    } else if is_injected {
        let needless = args
            .default
            .as_ref()
            .map(|arg| &arg.key)
            .or(args.rename.as_ref().map(|arg| &arg.key))
            .or(args.body.as_ref());
        if let Some(key) = needless {
            errors.help(
                key,
                format_args!("parameter `{ident}` is injected, so `{key}` has no meaning for it"),
                format_args!("remove `{key}`"),
            );
        }
        ParamKind::Injected
    } else {
        wire(&ident, args, errors)
    };
    Param { ident, ty: (*input.ty).clone(), kind }
}

fn wire(ident: &Ident, args: ParamArgs, errors: &mut Errors) -> ParamKind {
    let name = match &args.rename {
        Some(rename) => {
            let name = rename.value.value();
            name::parameter(&rename.value, &name, errors);
            name
        }
        None => {
            let name = ident.unraw().to_string();
            name::parameter(ident, &name, errors);
            name
        }
    };
    if args.body.is_some() {
        if let Some(rename) = &args.rename {
            let help = "remove `rename`";
            errors.help(&rename.key, "a parameter that is the whole body has no name on the wire", help);
        }
        if let Some(default) = &args.default {
            errors.help(
                &default.key,
                "a parameter that is the whole body has no default of its own",
                "write `Option<T>`, or give the fields of `T` defaults",
            );
        }
    }
    ParamKind::Wire { name, default: args.default.map(|default| default.value), body: args.body }
}

/// The name of a parameter; a pattern has none.
fn ident(pat: &Pat, errors: &mut Errors) -> Option<Ident> {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident.clone()),
        pat => {
            errors.help(
                pat,
                "remote parameters are sent by name, so a pattern is not allowed here",
                "bind a name and destructure in the body",
            );
            None
        }
    }
}

fn report(flaw: Flaw, name: &str, errors: &mut Errors) {
    match flaw {
        Flaw::Borrowed { tokens, owned } => {
            let help = match owned {
                Some((owned, borrowed)) => format!("use `{owned}` instead of `{borrowed}`"),
                None => "use a type without lifetimes".to_owned(),
            };
            errors.help(
                &tokens,
                format_args!("parameter `{name}` must be owned: it is deserialized from the request"),
                help,
            );
        }
        Flaw::ImplTrait(tokens) => errors.help(
            &tokens,
            format_args!("parameter `{name}` needs a concrete type: it is deserialized from the request"),
            "call a generic helper from a concrete remote function",
        ),
        Flaw::SelfType(tokens) => signature::self_type(&tokens, errors),
        // The compiler itself reports `_` in a signature.
        Flaw::Inferred => {}
    }
}

/// Whether a type is injected by its name: `State<T>` and `Context`. A user's own `State` without arguments, or `Context`
/// with some, is an argument like any other.
fn is_injected(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_injected(&group.elem),
        Type::Paren(paren) => is_injected(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match last.arguments {
            PathArguments::AngleBracketed(_) => last.ident == "State",
            PathArguments::None => last.ident == "Context",
            PathArguments::Parenthesized(_) => false,
        }),
        _ => false,
    }
}
