use proc_macro2::{Ident, TokenStream};
use syn::{Path, Type};

/// An enum, or a struct, which is then its own single variant.
pub(super) struct ErrorType {
    pub(super) ident: Ident,
    pub(super) krate: Path,
    /// Reported; there is no type to implement anything for.
    pub(super) is_generic: bool,

    pub(super) variants: Vec<Variant>,
}

pub(super) struct Variant {
    /// `Self::TooLong`, or `Self`.
    pub(super) path: TokenStream,
    pub(super) code: String,
    pub(super) status: Option<u16>,
    pub(super) retryable: bool,
    pub(super) terminal: bool,
    pub(super) shape: Shape,
}

/// What of a variant travels, and how.
pub(super) enum Shape {
    /// Nothing: `Empty`.
    Unit,
    /// An object: `TooLong { max: usize }`.
    Named(Vec<(Ident, Type)>),
    /// The value itself where there is one, else an array: `Bad(String)`, `Pair(u8, u8)`.
    Tuple(Vec<Type>),
    /// The code of a failed call, `CallError<E>`, and not its text.
    Call(Box<Type>),
    /// Fields that stay here, so that the variant cannot be made again from the wire.
    Opaque,
}

impl Shape {
    pub(super) fn types(&self) -> Vec<&Type> {
        match self {
            Self::Named(fields) => fields.iter().map(|(_, ty)| ty).collect(),
            Self::Tuple(types) => types.iter().collect(),
            Self::Unit | Self::Call(_) | Self::Opaque => Vec::new(),
        }
    }
}
