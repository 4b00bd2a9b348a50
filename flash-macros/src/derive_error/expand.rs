use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::model::{ErrorType, Shape, Variant};
use crate::span::{self, hygienic};

/// The implementation of `RemoteError`, and one `From` for each `call`; where errors were reported, only what keeps the
/// functions that return the error compiling.
pub(super) fn implementation(error: &ErrorType, is_valid: bool) -> TokenStream {
    if error.is_generic {
        return TokenStream::new();
    }
    let (ident, krate) = (&error.ident, &error.krate);
    let (cases, text, data, to_wire, from_wire, conversions) = if is_valid {
        (cases(error), text(error), data(error), to_wire(error), from_wire(error), conversions(error))
    } else {
        (
            TokenStream::new(),
            TokenStream::new(),
            TokenStream::new(),
            hygienic!(::core::panic!()),
            hygienic!(::core::result::Result::Err(wire)),
            TokenStream::new(),
        )
    };
    hygienic! {
        const _: () = {
            use #krate::__private as __flash;
            #text
            #data
            #[automatically_derived]
            impl __flash::RemoteError for #ident {
                #cases
                fn to_wire(&self) -> __flash::WireError {
                    #to_wire
                }
                fn from_wire(wire: __flash::WireError) -> ::core::result::Result<Self, __flash::WireError> {
                    #from_wire
                }
            }
            #conversions
        };
    }
}

/// What can be known of each variant beforehand.
fn cases(error: &ErrorType) -> TokenStream {
    let cases = error.variants.iter().map(|variant| {
        let code = &variant.code;
        let status = variant.status.map(|status| hygienic!(.status(#status)));
        let retryable = variant.retryable.then(|| hygienic!(.retryable()));
        let terminal = variant.terminal.then(|| hygienic!(.terminal()));
        let data = match &variant.shape {
            Shape::Named(fields) if !fields.is_empty() => {
                let names = fields.iter().map(|(name, _)| name.unraw().to_string());
                let types = fields.iter().map(|(_, ty)| ty);
                hygienic!(.named(&[#(#names),*], __flash::schemas!([#(#types),*])))
            }
            Shape::Tuple(types) if !types.is_empty() => {
                let length = Literal::usize_unsuffixed(types.len());
                hygienic!(.tuple(#length, __flash::schemas!([#(#types),*])))
            }
            _ => TokenStream::new(),
        };
        hygienic!(__flash::ErrorCase::new(#code) #status #retryable #terminal #data)
    });
    hygienic!(const CASES: &'static [__flash::ErrorCase] = &[#(#cases),*];)
}

/// How the error says what it is, where a variant needs that.
fn text(error: &ErrorType) -> TokenStream {
    if error.variants.iter().all(|variant| matches!(variant.shape, Shape::Call(_))) {
        return TokenStream::new();
    }
    let ident = &error.ident;
    let carrier = span::reference_at(ident, "Json");
    hygienic!(const __TEXT: &dyn __flash::Says<#ident> = #carrier;)
}

/// How each field of each variant travels; the only place that asks whether its type can.
fn data(error: &ErrorType) -> TokenStream {
    let types: Vec<_> = error.variants.iter().flat_map(|variant| variant.shape.types()).collect();
    if types.is_empty() {
        return TokenStream::new();
    }
    let carriers = types.iter().map(|ty| span::reference_at(ty, "Json"));
    hygienic! {
        const __DATA: (#(__flash::Datum<#types>,)*) = (#(__flash::datum(#carriers),)*);
    }
}

/// For each variant, where its fields begin in `__DATA`.
fn with_offsets(error: &ErrorType) -> impl Iterator<Item = (&Variant, usize)> {
    error.variants.iter().scan(0, |next, variant| {
        let offset = *next;
        *next += variant.shape.types().len();
        Some((variant, offset))
    })
}

fn field(index: usize) -> Ident {
    format_ident!("__f{index}", span = Span::mixed_site())
}

/// `Self::TooLong { max: __f0 }`, as a pattern and as an expression.
fn construct(variant: &Variant) -> TokenStream {
    let path = &variant.path;
    match &variant.shape {
        Shape::Unit => hygienic!(#path {}),
        Shape::Named(fields) => {
            let (names, values) = (fields.iter().map(|(name, _)| name), (0..fields.len()).map(field));
            hygienic!(#path { #(#names: #values),* })
        }
        Shape::Tuple(types) => {
            let (indices, values) =
                ((0..types.len()).map(Literal::usize_unsuffixed), (0..types.len()).map(field));
            hygienic!(#path { #(#indices: #values),* })
        }
        Shape::Call(_) => {
            let value = field(0);
            hygienic!(#path { 0: #value })
        }
        Shape::Opaque => hygienic!(#path { .. }),
    }
}

fn to_wire(error: &ErrorType) -> TokenStream {
    if error.variants.is_empty() {
        return hygienic!(match *self {});
    }
    let arms = with_offsets(error).map(|(variant, offset)| {
        let pattern = construct(variant);
        let code = &variant.code;
        let datum = |index: usize| {
            let (place, value) = (Literal::usize_unsuffixed(offset + index), field(index));
            hygienic!(__DATA.#place.write(#value))
        };
        let wire = match &variant.shape {
            Shape::Call(ty) => {
                let value = field(0);
                let write = quote_spanned!(ty.span()=> __flash::write_upstream);
                hygienic!(#write(#code, #value))
            }
            shape => {
                let data = match shape {
                    Shape::Named(fields) => {
                        let names = fields.iter().map(|(name, _)| name.unraw().to_string());
                        let values = (0..fields.len()).map(datum);
                        hygienic!(.with_data(__flash::object([#((#names, #values)),*])))
                    }
                    Shape::Tuple(types) if types.len() == 1 => {
                        let value = datum(0);
                        hygienic!(.with_data(#value))
                    }
                    Shape::Tuple(types) => {
                        let values = (0..types.len()).map(datum);
                        hygienic!(.with_data([#(#values),*]))
                    }
                    Shape::Unit | Shape::Call(_) | Shape::Opaque => TokenStream::new(),
                };
                hygienic!(__flash::WireError::new(#code, __TEXT.text(self)) #data)
            }
        };
        let status = variant.status.map(|status| hygienic!(.with_status(#status)));
        let retryable = variant.retryable.then(|| hygienic!(.retryable()));
        let terminal = variant.terminal.then(|| hygienic!(.terminal()));
        hygienic!(#pattern => #wire #status #retryable #terminal,)
    });
    hygienic!(match self { #(#arms)* })
}

fn from_wire(error: &ErrorType) -> TokenStream {
    let arms = with_offsets(error).filter_map(|(variant, offset)| {
        let code = &variant.code;
        let value = construct(variant);
        let some = hygienic!(::core::option::Option::Some);
        let read = match &variant.shape {
            Shape::Opaque => return None,
            Shape::Unit => return Some(hygienic!(#code => #some(#value),)),
            Shape::Named(fields) if fields.is_empty() => return Some(hygienic!(#code => #some(#value),)),
            Shape::Named(fields) => {
                let reads = fields.iter().enumerate().map(|(index, (name, _))| {
                    let (place, name) = (Literal::usize_unsuffixed(offset + index), name.unraw().to_string());
                    hygienic!(__DATA.#place.read_at(&wire, #name))
                });
                hygienic!(#(#reads),*)
            }
            Shape::Tuple(types) if types.len() == 1 => {
                let place = Literal::usize_unsuffixed(offset);
                hygienic!(__DATA.#place.read(&wire))
            }
            Shape::Tuple(types) => {
                let reads = (0..types.len()).map(|index| {
                    let (place, index) =
                        (Literal::usize_unsuffixed(offset + index), Literal::usize_suffixed(index));
                    hygienic!(__DATA.#place.read_at(&wire, #index))
                });
                hygienic!(#(#reads),*)
            }
            Shape::Call(_) => hygienic!(__flash::read_upstream(&wire)),
        };
        let bindings = (0..variant.shape.types().len().max(1)).map(field);
        Some(hygienic! {
            #code => match (#read,) {
                (#(#some(#bindings),)*) => #some(#value),
                _ => ::core::option::Option::None,
            },
        })
    });
    let arms: Vec<_> = arms.collect();
    if arms.is_empty() {
        return hygienic!(::core::result::Result::Err(wire));
    }
    hygienic! {
        let value = match &*wire.code {
            #(#arms)*
            _ => ::core::option::Option::None,
        };
        // The wire form goes back whole, whether the code is unknown or its data does not fit.
        ::core::option::Option::ok_or(value, wire)
    }
}

fn conversions(error: &ErrorType) -> TokenStream {
    let ident = &error.ident;
    let conversions = error.variants.iter().filter_map(|variant| {
        let Shape::Call(ty) = &variant.shape else { return None };
        let path = &variant.path;
        Some(hygienic! {
            #[automatically_derived]
            impl ::core::convert::From<#ty> for #ident {
                fn from(error: #ty) -> Self {
                    #path { 0: error }
                }
            }
        })
    });
    conversions.collect()
}
