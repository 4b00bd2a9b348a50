use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, GenericParam, ReturnType, Safety, Signature, Type};

use super::ownership::{self, Flaw};
use crate::errors::Errors;

pub(super) fn qualifiers(sig: &Signature, errors: &mut Errors) {
    let name = &sig.ident;
    if let Some(token) = &sig.constness {
        errors.help(token, format_args!("remote function `{name}` must not be `const`"), "remove `const`");
    }
    match &sig.safety {
        Safety::Default => {}
        safety => errors.help(
            safety,
            format_args!("remote function `{name}` must be safe: anyone may send it arguments"),
            "keep the unsafe code in a private function and check the arguments before calling it",
        ),
    }
    if let Some(abi) = &sig.abi {
        errors.help(
            abi,
            format_args!("remote function `{name}` must have the Rust ABI"),
            "call the `extern` function from a remote function",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.help(
            variadic,
            format_args!("remote function `{name}` must not be variadic"),
            "take a `Vec` of values",
        );
    }
}

/// Reports generic parameters and `where`; lifetimes too, because nothing that is sent can borrow.
pub(super) fn generics(sig: &Signature, errors: &mut Errors) -> bool {
    let name = &sig.ident;
    let generics = &sig.generics;
    let lifetimes_only = !generics.params.is_empty()
        && generics.params.iter().all(|param| matches!(param, GenericParam::Lifetime(_)));
    if lifetimes_only && borrows(sig) {
        // The type that borrows is the mistake, and is reported; without it nobody would write the lifetime.
    } else if lifetimes_only {
        let params = &generics.params;
        errors.help(
            params,
            format_args!(
                "remote function `{name}` must not have lifetimes: its arguments come from a request"
            ),
            "take and return owned values",
        );
    } else if !generics.params.is_empty() {
        let (lt, params, gt) = (generics.lt_token, &generics.params, generics.gt_token);
        errors.help(
            &quote::quote!(#lt #params #gt),
            format_args!("remote function `{name}` must not have generics"),
            "call a generic helper from a concrete remote function",
        );
    }
    if let Some(clause) = &generics.where_clause
        && generics.params.is_empty()
    {
        errors.help(
            clause,
            format_args!("remote function `{name}` must not have a `where` clause"),
            "remove it: every type of a remote function is concrete",
        );
    }
    !generics.params.is_empty()
}

fn borrows(sig: &Signature) -> bool {
    let is_borrowed = |ty: &Type| matches!(ownership::flaw(ty), Some(Flaw::Borrowed { .. }));
    let inputs =
        sig.inputs.iter().any(|input| matches!(input, FnArg::Typed(input) if is_borrowed(&input.ty)));
    inputs || matches!(&sig.output, ReturnType::Type(_, ty) if is_borrowed(ty))
}

/// The return type, where generated code can name it. Whether it is a `Result` is a question for the type checker, because
/// only it sees through aliases.
pub(super) fn output(sig: &Signature, is_generic: bool, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = &sig.output else {
        errors.help(
            &sig.ident,
            "remote functions must return a `Result`",
            "add a return type such as `-> Result<(), flash::Error>`",
        );
        return None;
    };
    match ownership::flaw(ty) {
        None if is_generic => None,
        None => Some((**ty).clone()),
        Some(flaw) => {
            match flaw {
                Flaw::Borrowed { tokens, owned } => {
                    let help = match owned {
                        Some((owned, borrowed)) => format!("use `{owned}` instead of `{borrowed}`"),
                        None => "use a type without lifetimes".to_owned(),
                    };
                    errors.help(&tokens, "the result must be owned: it is sent to the caller", help);
                }
                Flaw::ImplTrait(tokens) => errors.help(
                    &tokens,
                    "the result needs a type with a name: `impl Trait` cannot be sent to the caller",
                    "write the concrete type",
                ),
                Flaw::SelfType(tokens) => self_type(&tokens, errors),
                // The compiler itself reports `_` in a signature.
                Flaw::Inferred => {}
            }
            None
        }
    }
}

pub(super) fn self_type(tokens: &TokenStream, errors: &mut Errors) {
    errors.help(
        tokens,
        "`Self` is only known inside an `impl` block",
        "write the type's name, and put `#[remote]` on a free function",
    );
}

/// Whether the signature says `Self`, so that the function stands in an `impl` block or a trait.
pub(super) fn mentions_self(sig: &Signature) -> bool {
    fn mentions(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "Self",
            TokenTree::Group(group) => mentions(group.stream()),
            _ => false,
        })
    }
    mentions(sig.to_token_stream())
}

/// Whether there is certainly no body. Anything but `;` may be one that is still being typed.
pub(super) fn is_declaration(body: &TokenStream) -> bool {
    match body.clone().into_iter().next() {
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        Some(_) => false,
        None => true,
    }
}

pub(super) fn missing_body(sig: &Signature, errors: &mut Errors) {
    errors.help(
        &sig.ident,
        format_args!("remote function `{}` needs a body", sig.ident),
        "put `#[remote]` on a free function, not on a declaration in a trait",
    );
}
