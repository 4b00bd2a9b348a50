use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::text;

/// Why a type cannot travel, as far as its tokens show.
pub(super) enum Flaw {
    /// A reference, or a type with a lifetime. With what to write instead of what, where that is known.
    Borrowed {
        tokens: TokenStream,
        owned: Option<(String, String)>,
    },
    ImplTrait(TokenStream),
    SelfType(TokenStream),
    /// `_`
    Inferred,
}

/// The first flaw of a type, from the outside in.
pub(super) fn flaw(ty: &Type) -> Option<Flaw> {
    match ty {
        Type::Reference(reference) => {
            let owned = (text::of(owned(&reference.elem)), text::of(ty.to_token_stream()));
            Some(Flaw::Borrowed { tokens: ty.to_token_stream(), owned: Some(owned) })
        }
        Type::ImplTrait(_) => Some(Flaw::ImplTrait(ty.to_token_stream())),
        Type::Infer(_) => Some(Flaw::Inferred),
        Type::Array(array) => flaw(&array.elem),
        Type::Group(group) => flaw(&group.elem),
        Type::Paren(paren) => flaw(&paren.elem),
        Type::Slice(slice) => flaw(&slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(flaw),
        Type::Path(path) => {
            let first = path.path.segments.first()?;
            if first.ident == "Self" && path.qself.is_none() {
                return Some(Flaw::SelfType(first.ident.to_token_stream()));
            }
            path.qself
                .iter()
                .find_map(|qself| flaw(&qself.ty))
                .or_else(|| path.path.segments.iter().find_map(|segment| arguments(&segment.arguments)))
        }
        // Function pointers, trait objects and raw pointers are refused as payload, with the type's name.
        _ => None,
    }
}

fn arguments(arguments: &PathArguments) -> Option<Flaw> {
    match arguments {
        PathArguments::None => None,
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            // `Cow<'static, str>` owns what it is deserialized into.
            GenericArgument::Lifetime(lifetime) if lifetime.ident == "static" => None,
            GenericArgument::Lifetime(lifetime) => {
                Some(Flaw::Borrowed { tokens: lifetime.to_token_stream(), owned: None })
            }
            GenericArgument::Type(ty) => flaw(ty),
            GenericArgument::AssocType(assoc) => flaw(&assoc.ty),
            _ => None,
        }),
        PathArguments::Parenthesized(list) => match &list.output {
            ReturnType::Type(_, ty) => flaw(ty),
            ReturnType::Default => None,
        },
    }
}

/// The owned type that stands in for a borrowed one.
fn owned(ty: &Type) -> TokenStream {
    match ty {
        Type::Slice(slice) => {
            let elem = match &*slice.elem {
                Type::Reference(inner) => owned(&inner.elem),
                elem => elem.to_token_stream(),
            };
            quote!(Vec<#elem>)
        }
        Type::Path(path) if path.path.is_ident("str") => quote!(String),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Path") => {
            quote!(PathBuf)
        }
        Type::Reference(inner) => owned(&inner.elem),
        ty => ty.to_token_stream(),
    }
}
