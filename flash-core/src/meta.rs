use std::fmt;

use crate::carry::{AnyReturns, AnySlot, Needs, ReadAhead, Returned};
use crate::class::{ClassMeta, MethodOf};
use crate::endpoint::{Endpoint, Kind};
use crate::error::ErrorCase;
use crate::openapi::SchemaOf;

/// Everything that is known about a remote function before it runs. Made by `#[remote]`, in `const`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Meta {
    /// The name on the wire, unique in the app.
    pub name: &'static str,
    /// The function's own identifier.
    pub ident: &'static str,
    /// The endpoint that runs it.
    pub resource: &'static Endpoint,
    /// The path of the endpoint's `static`, as written.
    pub resource_path: &'static str,
    /// Method and path, for a function of an HTTP endpoint.
    pub http: Option<HttpRoute>,
    /// The wire parameters in declaration order.
    pub params: &'static [Param],
    /// What is injected.
    pub needs: &'static [&'static dyn Needs],
    /// Whose method it is, for a method of a stateful worker.
    pub class: Option<MethodOf>,
    /// Text that stood before `::remote(` in the body.
    pub calls_seen: &'static [&'static str],
    /// Functions named in `calls(…)`.
    pub calls: &'static [fn() -> &'static Meta],
    /// Whether the function is `async`.
    pub is_async: bool,
    /// First paragraph of the doc comment.
    pub doc: &'static str,
    /// Module path of the function.
    pub module: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1.
    pub column: u32,
    returns: Option<&'static dyn AnyReturns>,
    /// Those of the parameters in their order, then that of the result; empty without the feature `openapi`.
    schemas: &'static [Option<SchemaOf>],
}

impl Meta {
    /// The metadata of a function `name` that `resource` runs.
    #[must_use]
    pub const fn new(name: &'static str, resource: &'static Endpoint, resource_path: &'static str) -> Self {
        Self {
            name,
            ident: name,
            resource,
            resource_path,
            http: None,
            params: &[],
            needs: &[],
            class: None,
            calls_seen: &[],
            calls: &[],
            is_async: false,
            doc: "",
            module: "",
            file: "",
            line: 0,
            column: 0,
            returns: None,
            schemas: &[],
        }
    }

    /// The function's identifier, where the wire name differs.
    #[must_use]
    pub const fn ident(mut self, ident: &'static str) -> Self {
        self.ident = ident;
        self
    }

    /// Where the function stands.
    #[must_use]
    pub const fn at(mut self, module: &'static str, file: &'static str, line: u32, column: u32) -> Self {
        self.module = module;
        self.file = file;
        self.line = line;
        self.column = column;
        self
    }

    /// Makes the function a route of an HTTP endpoint.
    #[must_use]
    pub const fn http(mut self, method: Method, path: &'static str) -> Self {
        self.http = Some(HttpRoute { method, path, status: 200 });
        self
    }

    /// The status of a success, where it is not 200.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        if let Some(route) = &mut self.http {
            route.status = status;
        }
        self
    }

    /// Whether the function is `async`.
    #[must_use]
    pub const fn is_async(mut self, is_async: bool) -> Self {
        self.is_async = is_async;
        self
    }

    /// The wire parameters.
    #[must_use]
    pub const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// The injected parameters.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [&'static dyn Needs]) -> Self {
        self.needs = needs;
        self
    }

    /// Makes the function the method `key` of a stateful worker.
    #[must_use]
    pub const fn method_of(mut self, class: &'static ClassMeta, key: &'static str) -> Self {
        self.class = Some(MethodOf::new(class, key));
        self
    }

    /// What selects the function in the key `method` of a job's input.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.class.map_or(self.name, |method| method.key)
    }

    /// What stood before `::remote(` in the body.
    #[must_use]
    pub const fn calls_seen(mut self, seen: &'static [&'static str]) -> Self {
        self.calls_seen = seen;
        self
    }

    /// The functions of `calls(…)`.
    #[must_use]
    pub const fn calls(mut self, calls: &'static [fn() -> &'static Meta]) -> Self {
        self.calls = calls;
        self
    }

    /// What the function returns.
    #[must_use]
    pub const fn returns<R>(mut self, returned: &'static Returned<R>) -> Self {
        self.returns = Some(returned);
        self
    }

    /// Schemas of the parameters in their order, then that of the result.
    #[must_use]
    pub const fn schemas(mut self, schemas: &'static [Option<SchemaOf>]) -> Self {
        self.schemas = schemas;
        self
    }

    pub(crate) fn params_with_schemas(&self) -> Vec<(Param, Option<SchemaOf>)> {
        with_schemas(self.params, self.schemas)
    }

    pub(crate) fn reply_schema(&self) -> Option<SchemaOf> {
        self.schemas.last().copied().flatten()
    }

    /// Which kind of success the function gives.
    #[must_use]
    pub fn reply(&self) -> ReplyKind {
        self.returns.map_or(ReplyKind::Value, AnyReturns::kind)
    }

    /// Whether the function gives a stream of items instead of one value.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.reply() == ReplyKind::Stream
    }

    /// The errors of the function that are known beforehand.
    #[must_use]
    pub fn errors(&self) -> &'static [ErrorCase] {
        self.returns.map_or(&[], AnyReturns::errors)
    }

    /// The first paragraph of the doc comment.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// `file:line`, as editors link it.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Parameters with their schemas, of which there may be none.
pub(crate) fn with_schemas(params: &[Param], schemas: &[Option<SchemaOf>]) -> Vec<(Param, Option<SchemaOf>)> {
    let schemas = schemas.iter().copied().chain(std::iter::repeat(None));
    params.iter().copied().zip(schemas).collect()
}

/// What a function gives when it succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyKind {
    /// A JSON value.
    Value,
    /// Nothing: `()`, or a response of it.
    Unit,
    /// [`Bytes`](crate::Bytes), or a response of them.
    Bytes,
    /// A [`Stream`](crate::Stream) of JSON values.
    Stream,
}

/// One parameter that travels.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Param {
    /// The name on the wire.
    pub name: &'static str,
    /// The type, as written.
    pub type_text: &'static str,
    /// Whether it may be missing because it has a default.
    pub has_default: bool,
    /// Whether it is the whole body, which has its fields in place of one of its name.
    pub is_body: bool,
    /// Whose constructor arguments it holds, where that is what it is.
    pub init: Option<&'static ClassMeta>,
    slot: &'static dyn AnySlot,
}

impl Param {
    pub(crate) const fn new(
        name: &'static str,
        type_text: &'static str,
        has_default: bool,
        is_body: bool,
        slot: &'static dyn AnySlot,
    ) -> Self {
        Self { name, type_text, has_default, is_body, init: None, slot }
    }

    pub(crate) const fn of_init(mut self, class: &'static ClassMeta) -> Self {
        self.init = Some(class);
        self
    }

    /// Its value at the beginning of a text, and where that ends.
    pub(crate) fn read_ahead(&self, json: &str) -> Option<ReadAhead> {
        self.slot.read_ahead(json)
    }

    /// Whether a request must carry it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.has_default && !self.slot.may_be_missing()
    }

    /// Whether it is [`Bytes`](crate::Bytes), which an HTTP door also takes as they are: with
    /// [`Fields::put_bytes`](crate::Fields::put_bytes).
    #[must_use]
    pub fn is_bytes(&self) -> bool {
        self.slot.is_bytes()
    }
}

/// The route of a function on an HTTP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRoute {
    /// The verb.
    pub method: Method,
    /// The path, beginning with `/`, with `{name}` placeholders.
    pub path: &'static str,
    /// Status of a success.
    pub status: u16,
}

impl HttpRoute {
    /// The names of the placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl fmt::Display for HttpRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The verbs that a route may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::upper_case_acronyms, reason = "the verbs are written this way everywhere")]
pub enum Method {
    /// Read; arguments come from path and query.
    GET,
    /// Create or run.
    POST,
    /// Replace.
    PUT,
    /// Change.
    PATCH,
    /// Remove.
    DELETE,
}

impl Method {
    /// The verb as it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GET => "GET",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::PATCH => "PATCH",
            Self::DELETE => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which door a function has, as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorKind {
    /// Reached through a queue.
    Queue,
    /// Reached through an HTTP route.
    Http,
}

impl Meta {
    /// The function's door.
    #[must_use]
    pub const fn door(&self) -> DoorKind {
        match self.resource.kind() {
            Kind::Queue => DoorKind::Queue,
            Kind::Http => DoorKind::Http,
        }
    }
}
