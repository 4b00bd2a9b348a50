use proc_macro2::Ident;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Fields};

use super::args::{ErrorArgs, Place};
use super::code;
use super::model::{ErrorType, Shape, Variant};
use crate::attr::is_helper;
use crate::errors::Errors;
use crate::paths;

pub(super) fn error(input: &DeriveInput, errors: &mut Errors) -> ErrorType {
    let ident = &input.ident;
    if !input.generics.params.is_empty() {
        errors.help(
            &input.generics.params,
            format_args!("remote error `{ident}` must not have generics: the caller decodes a concrete type"),
            "name the types",
        );
    }
    let place = if matches!(input.data, Data::Enum(_)) { Place::Enum } else { Place::Struct };
    let mut args = ErrorArgs::parse(&input.attrs, place, errors);
    let krate = paths::flash(args.krate.take(), errors);
    let variants = match &input.data {
        Data::Enum(data) => {
            let defaults = Defaults::new(&args, errors);
            data.variants
                .iter()
                .map(|variant| {
                    let name = &variant.ident;
                    let args = ErrorArgs::parse(&variant.attrs, Place::Variant, errors);
                    self::variant(quote!(Self::#name), name, &args, &defaults, &variant.fields, errors)
                })
                .collect()
        }
        Data::Struct(data) => {
            vec![variant(quote!(Self), ident, &args, &Defaults::default(), &data.fields, errors)]
        }
        Data::Union(data) => {
            errors.help(&data.union_token, "a union cannot be a remote error", "use an enum");
            Vec::new()
        }
    };
    unique_codes(input, &variants, errors);
    unique_calls(&variants, errors);
    ErrorType { ident: ident.clone(), krate, is_generic: !input.generics.params.is_empty(), variants }
}

/// What holds for every variant that says nothing else.
#[derive(Default)]
struct Defaults {
    status: Option<u16>,
    retryable: bool,
    terminal: bool,
}

impl Defaults {
    fn new(args: &ErrorArgs, errors: &mut Errors) -> Self {
        let (retryable, terminal) = retry(args, &Self::default(), errors);
        Self { status: status(args, errors), retryable, terminal }
    }
}

fn variant(
    path: proc_macro2::TokenStream,
    name: &Ident,
    args: &ErrorArgs,
    defaults: &Defaults,
    fields: &Fields,
    errors: &mut Errors,
) -> Variant {
    for attr in fields.iter().flat_map(|field| &field.attrs).filter(|attr| is_helper(attr)) {
        errors.help(attr, "`#[remote]` goes on the variant, not on its field", "move it up to the variant");
    }
    let (retryable, terminal) = retry(args, defaults, errors);
    Variant {
        path,
        code: code(name, args, errors),
        status: status(args, errors).or(defaults.status),
        retryable,
        terminal,
        shape: shape(name, args, fields, errors),
    }
}

fn code(name: &Ident, args: &ErrorArgs, errors: &mut Errors) -> String {
    let Some(literal) = &args.code else {
        let code = code::default(name);
        if !code::is_valid(&code) {
            errors.help(
                name,
                format_args!("`{name}` makes no code: a code has lower-case ASCII letters, digits and `_`"),
                "give it one with `#[remote(code = \"…\")]`",
            );
        }
        reserved(name, &code, errors);
        return code;
    };
    let code = literal.value();
    if !code::is_valid(&code) {
        errors.help(
            literal,
            format_args!("`{code}` is not a code: a code has lower-case ASCII letters, digits and `_`"),
            format_args!("write \"{}\"", code::default(name)),
        );
    }
    reserved(literal, &code, errors);
    code
}

/// A caller tells the function's failures from the platform's by their codes.
fn reserved(tokens: &impl ToTokens, code: &str, errors: &mut Errors) {
    if code::RESERVED.contains(&code) {
        errors.help(
            tokens,
            format_args!(
                "the code `{code}` is the platform's own: callers could not tell this error from its"
            ),
            "give it another one with `#[remote(code = \"…\")]`",
        );
    }
}

fn status(args: &ErrorArgs, errors: &mut Errors) -> Option<u16> {
    let status = args.status.as_ref()?;
    match status.value.base10_parse::<u16>() {
        Ok(code) if (400..600).contains(&code) => Some(code),
        _ => {
            errors.help(
                &status.value,
                "`status` is the status of a failure, from 400 to 599",
                "a success has its own: `status = 201` on the function",
            );
            None
        }
    }
}

fn retry(args: &ErrorArgs, defaults: &Defaults, errors: &mut Errors) -> (bool, bool) {
    match (&args.retryable, &args.terminal) {
        (Some(_), Some(terminal)) => {
            errors.help(
                terminal,
                "an error is `retryable` or `terminal`, not both",
                "`retryable`: the same call may succeed later; `terminal`: it never will",
            );
            (false, false)
        }
        (Some(_), None) => (true, false),
        (None, Some(_)) => (false, true),
        (None, None) => (defaults.retryable, defaults.terminal),
    }
}

fn shape(name: &Ident, args: &ErrorArgs, fields: &Fields, errors: &mut Errors) -> Shape {
    if let (Some(_), Some(opaque)) = (&args.call, &args.opaque) {
        errors.help(
            opaque,
            "`call` and `opaque` exclude each other: of a failed call only its code is sent anyway",
            "remove `opaque`",
        );
    }
    if let Some(call) = &args.call {
        return call_shape(call, fields, errors);
    }
    if args.opaque.is_some() {
        return Shape::Opaque;
    }
    match fields {
        Fields::Unit => Shape::Unit,
        Fields::Unnamed(fields) if fields.unnamed.is_empty() => Shape::Named(Vec::new()),
        Fields::Unnamed(fields) => {
            Shape::Tuple(fields.unnamed.iter().map(|field| field.ty.clone()).collect())
        }
        Fields::Named(fields) => Shape::Named(
            fields
                .named
                .iter()
                .map(|field| (field.ident.clone().unwrap_or_else(|| name.clone()), field.ty.clone()))
                .collect(),
        ),
    }
}

fn call_shape(call: &Ident, fields: &Fields, errors: &mut Errors) -> Shape {
    let Fields::Unnamed(list) = fields else {
        errors.help(
            call,
            "`call` is for a variant with one unnamed field",
            "write `Upstream(CallError<UpstreamError>)`",
        );
        return Shape::Unit;
    };
    let Some((field, 1)) = list.unnamed.first().map(|field| (field, list.unnamed.len())) else {
        errors.help(
            call,
            "`call` is for a variant with one unnamed field",
            "write `Upstream(CallError<UpstreamError>)`",
        );
        return Shape::Unit;
    };
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("from")) {
        errors.help(attr, "`#[remote(call)]` implements `From` already", "remove `#[from]`");
    }
    Shape::Call(Box::new(field.ty.clone()))
}

/// The caller finds the variant by its code.
fn unique_codes(input: &DeriveInput, variants: &[Variant], errors: &mut Errors) {
    let Data::Enum(data) = &input.data else { return };
    for (at, (variant, declared)) in variants.iter().zip(&data.variants).enumerate() {
        if let Some(first) = variants[..at].iter().position(|other| other.code == variant.code) {
            let first = &data.variants[first].ident;
            errors.help(
                &declared.ident,
                format_args!("`{first}` and `{}` have the same code `{}`", declared.ident, variant.code),
                "give one of them another code with `#[remote(code = \"…\")]`",
            );
        }
    }
}

/// `?` finds the variant by the type of the failed call.
fn unique_calls(variants: &[Variant], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for variant in variants {
        let Shape::Call(ty) = &variant.shape else { continue };
        let text = ty.to_token_stream().to_string();
        if seen.contains(&text) {
            errors.help(
                ty,
                "two variants take the same failed call, so `?` could not choose",
                "keep one of them, or leave `call` out and convert by hand",
            );
        }
        seen.push(text);
    }
}
