use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::error::Error;
use crate::inject::{Inject, Need};
use crate::scope::Scope;

/// Supplies injected parameters.
#[derive(Debug, Clone, Copy)]
pub struct Injector;

/// Supplies parameters of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be injected",
    label = "cannot be injected",
    note = "`Context` is injected, and `State<M>` for a type `M` that implements `FromWorker`"
)]
pub trait Supplies<T>: Sync {
    /// What must be ready before the first job, if anything.
    fn need(&self) -> Option<Need>;
    /// The value for one invocation.
    fn supply<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
}

#[diagnostic::do_not_recommend]
impl<T: Inject> Supplies<T> for Injector {
    fn need(&self) -> Option<Need> {
        T::need()
    }

    fn supply<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>> {
        Box::pin(T::inject(scope))
    }
}

/// The place of one injected parameter.
pub struct Injected<T: 'static>(&'static dyn Supplies<T>);

/// The place of an injected parameter.
#[must_use]
pub const fn injected<T>(injector: &'static dyn Supplies<T>) -> Injected<T> {
    Injected(injector)
}

impl<T> Injected<T> {
    /// The value for one invocation.
    ///
    /// # Errors
    /// State that could not be built.
    pub fn get<'a>(&self, scope: &'a Scope) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>> {
        self.0.supply(scope)
    }
}

/// What an injected parameter needs, without its type.
pub trait Needs: Sync {
    /// What must be ready before the first job, if anything.
    fn need(&self) -> Option<Need>;
}

impl<T> Needs for Injected<T> {
    fn need(&self) -> Option<Need> {
        self.0.need()
    }
}

impl<T> fmt::Debug for Injected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.need(), f)
    }
}

impl fmt::Debug for dyn Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.need(), f)
    }
}
