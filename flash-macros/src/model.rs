//! A function as the expansion needs it: every rule has been checked, or the errors that broke one are reported and only
//! a stub is expanded.

use proc_macro2::Ident;
use syn::{Attribute, LitStr, Path, Type, Visibility};

use crate::attr::DefaultValue;

pub(crate) struct Function {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The type with `remote`, usually named as the function.
    pub(crate) handle: Ident,
    /// The name on the wire.
    pub(crate) name: String,
    /// Attributes that hold for the handle as well: `cfg`, `deprecated`, `doc(hidden)`.
    pub(crate) shared_attrs: Vec<Attribute>,
    /// First paragraph of the doc comment.
    pub(crate) doc: String,
    /// The path of the crate `flash`.
    pub(crate) krate: Path,
    /// Missing only where that has been reported.
    pub(crate) resource: Option<Path>,
    pub(crate) door: Door,
    pub(crate) style: Style,
    pub(crate) params: Vec<Param>,
    /// Missing only where there is none that generated code could name.
    pub(crate) output: Option<Type>,
    pub(crate) calls: Vec<Path>,
    /// Text before `::remote(` in the body.
    pub(crate) calls_seen: Vec<String>,
    /// `false` where a handle would only cause further errors: beside a method, or under the name of a primitive.
    pub(crate) has_handle: bool,
    /// Whose method it is.
    pub(crate) method_of: Option<Owner>,
}

/// The class of a method.
pub(crate) struct Owner {
    pub(crate) ty: Type,
    /// The name of the type, as it stands before `::remote(`.
    pub(crate) ident: String,
    /// What selects the method in a job's input.
    pub(crate) key: String,
}

/// A stateful worker.
pub(crate) struct Class {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The client type.
    pub(crate) client: Ident,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) shared_attrs: Vec<Attribute>,
    pub(crate) krate: Path,
    pub(crate) resource: Option<Path>,
    /// Whether the methods are routes.
    pub(crate) is_http: bool,
    /// Missing only where that has been reported.
    pub(crate) init: Option<Function>,
    pub(crate) exit: Option<Exit>,
    pub(crate) methods: Vec<Function>,
}

pub(crate) struct Exit {
    pub(crate) ident: Ident,
    pub(crate) is_async: bool,
    pub(crate) shared_attrs: Vec<Attribute>,
}

pub(crate) enum Door {
    Queue,
    Http { method: Ident, path: LitStr, status: Option<u16> },
}

/// How the function runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Async,
    /// On the pool for blocking work.
    Blocking,
    /// A sync function that is quick enough to run in place.
    Inline,
}

pub(crate) struct Param {
    /// The name as written, or one made up for a pattern.
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) kind: ParamKind,
}

pub(crate) enum ParamKind {
    /// Travels under `name`.
    Wire { name: String, default: Option<DefaultValue>, body: Option<Ident> },
    /// The constructor arguments of a method's instance.
    Init,
    /// Supplied by the worker.
    Injected,
    /// Breaks a rule, which has been reported: its type cannot stand in generated code.
    Broken,
}

impl Function {
    /// The parameters that a caller gives.
    pub(crate) fn caller_params(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| !matches!(param.kind, ParamKind::Injected | ParamKind::Init))
    }
}

impl Param {
    /// Whether its fields are the fields of the body.
    pub(crate) fn is_body(&self) -> bool {
        matches!(self.kind, ParamKind::Wire { body: Some(_), .. })
    }

    pub(crate) fn wire_name(&self) -> Option<&str> {
        match &self.kind {
            ParamKind::Wire { name, .. } => Some(name),
            ParamKind::Init => Some("init"),
            ParamKind::Injected | ParamKind::Broken => None,
        }
    }
}
