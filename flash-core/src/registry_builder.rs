use std::marker::PhantomData;

use crate::mount::{Mount, Mounted};
use crate::registry::{Registration, Registry, RegistryErrors};
use crate::remote::Remote;

/// Collects functions by hand, where an app wants others than all that are linked. Made by [`Registry::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing is registered until `build`"]
pub struct RegistryBuilder {
    functions: Vec<&'static Registration>,
    mounts: Vec<&'static Mount>,
}

impl Registry {
    /// A registry of the functions that are named, and of no others. Nothing depends on the linker then.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }
}

impl RegistryBuilder {
    /// Adds the function with handle `R`: the type of the same name that `#[remote]` makes. A second time changes nothing.
    pub fn register<R: Remote>(mut self) -> Self {
        if !self.functions.iter().any(|function| std::ptr::eq(function.meta, R::META)) {
            self.functions.push(Promoted::<R>::REGISTRATION);
        }
        self
    }

    /// Adds the router with handle `M`: the type of the same name that `#[flash::router]` makes. A second time changes
    /// nothing.
    pub fn mount<M: Mounted>(mut self) -> Self {
        if !self.mounts.iter().any(|mount| std::ptr::eq(*mount, M::MOUNT)) {
            self.mounts.push(M::MOUNT);
        }
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// Duplicate names and routes, each with `file:line` of both.
    pub fn build(self) -> Result<Registry, RegistryErrors> {
        Registry::with_mounts(self.functions, self.mounts)
    }
}

/// A generic function can hold no `static` of its type parameter, but a constant may be promoted to one.
struct Promoted<R>(PhantomData<R>);

impl<R: Remote> Promoted<R> {
    const REGISTRATION: &'static Registration = &Registration::of::<R>();
}
