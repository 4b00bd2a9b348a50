use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::carry::Carrier;
use crate::encode::FieldWriter;
use crate::error::{Error, code};
use crate::fields::Fields;
use crate::meta::{Meta, Param, with_schemas};
use crate::openapi::SchemaOf;
use crate::remote::Remote;
use crate::scope::Scope;

/// A stateful worker. Implemented by `#[remote]` on an `impl` block.
pub trait Class: Sized + Send + Sync + 'static {
    /// What is known of it before it is built.
    const META: &'static ClassMeta;
    /// The constructor's wire parameters, as a tuple.
    type Args: Send + 'static;
    /// Reads the constructor's arguments; what is wrong is recorded in `fields`.
    fn decode(fields: &mut Fields<'_>) -> Option<Self::Args>;
    /// Writes the constructor's arguments.
    fn encode(args: &Self::Args, fields: &mut FieldWriter);
    /// Builds an instance.
    fn init(args: Self::Args, scope: Scope) -> impl Future<Output = Result<Self, Error>> + Send;
    /// Runs after the instance's last job.
    fn exit(_instance: Arc<Self>) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Everything that is known of a stateful worker before it is built.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ClassMeta {
    /// The name on the wire, unique in the app.
    pub name: &'static str,
    /// The constructor's wire parameters in declaration order.
    pub params: &'static [Param],
    schemas: &'static [Option<SchemaOf>],
}

impl ClassMeta {
    /// The metadata of a class `name`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, params: &[], schemas: &[] }
    }

    /// The constructor's wire parameters.
    #[must_use]
    pub const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// Schemas of the parameters in their order.
    #[must_use]
    pub const fn schemas(mut self, schemas: &'static [Option<SchemaOf>]) -> Self {
        self.schemas = schemas;
        self
    }

    pub(crate) fn params_with_schemas(&self) -> Vec<(Param, Option<SchemaOf>)> {
        with_schemas(self.params, self.schemas)
    }
}

/// What `calls(…)` may name: a remote function, or a stateful worker, whose methods are all on one endpoint.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a remote function",
    label = "not a remote function",
    note = "a function is remote when it has the attribute `#[remote]`"
)]
pub trait Callee {
    /// What is known of the function, or of a method.
    const META: &'static Meta;
}

#[diagnostic::do_not_recommend]
impl<R: Remote> Callee for R {
    const META: &'static Meta = R::META;
}

/// What makes a function a method.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MethodOf {
    /// Whose method it is.
    pub class: &'static ClassMeta,
    /// Its name in the key `method` of a job's input.
    pub key: &'static str,
}

impl MethodOf {
    pub(crate) const fn new(class: &'static ClassMeta, key: &'static str) -> Self {
        Self { class, key }
    }
}

/// Takes what a constructor returned.
#[derive(Debug, Clone, Copy)]
pub struct Constructor;

/// Takes what a constructor of `C` returned, which is an `R`.
#[diagnostic::on_unimplemented(
    message = "a constructor must return a `Result<Self, E>`",
    label = "not such a `Result`",
    note = "the error needs `Display`: it is shown in the log when the worker does not start"
)]
pub trait Constructs<R, C>: Sync {
    /// The instance.
    ///
    /// # Errors
    /// `state_failed`; the constructor's own text stays in the log.
    fn instance(&self, returned: R) -> Result<C, Error>;
}

#[diagnostic::do_not_recommend]
impl<K: Carrier, C: Class, E: fmt::Display> Constructs<Result<C, E>, C> for K {
    fn instance(&self, returned: Result<C, E>) -> Result<C, Error> {
        let name = C::META.name;
        returned.map_err(|error| {
            Error::new(code::STATE_FAILED, format!("the worker `{name}` could not be built"))
                .with_source(format!("class `{name}`: {error}"))
        })
    }
}

impl Carrier for Constructor {}

/// What an exit method returns.
#[diagnostic::on_unimplemented(
    message = "an exit method returns nothing, or a `Result<(), E>` with an error that has `Display`",
    label = "neither of both"
)]
pub trait Exit {
    /// The text of the error, if any.
    fn error(self) -> Option<String>;
}

#[diagnostic::do_not_recommend]
impl Exit for () {
    fn error(self) -> Option<String> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display> Exit for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// Logs what an exit method could not do; nobody else waits for it.
pub fn exited<C: Class>(result: impl Exit) {
    if let Some(error) = result.error() {
        tracing::error!(class = C::META.name, error, "the exit method failed");
    }
}
