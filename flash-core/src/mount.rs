use std::any::Any;
use std::fmt;

use crate::endpoint::Endpoint;
use crate::meta::Meta;

/// Something of the user's own that an HTTP endpoint serves beside its functions, as `#[flash::router]` registers it at
/// link time. This crate knows no server, so what it is stays hidden until the HTTP worker takes it out.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Mount {
    /// The name of the function that makes it.
    pub name: &'static str,
    /// The endpoint that serves it.
    pub resource: &'static Endpoint,
    /// The path of the endpoint's `static`, as written.
    pub resource_path: &'static str,
    /// Makes it; the worker calls this once.
    pub build: fn() -> Box<dyn Any + Send>,
    /// Text that stood before `::remote(` in the function that makes it.
    pub calls_seen: &'static [&'static str],
    /// Functions named in `calls(…)`.
    pub calls: &'static [fn() -> &'static Meta],
    /// Source file.
    pub file: &'static str,
    /// Line in the file, from 1.
    pub line: u32,
}

impl Mount {
    /// What the function `name` makes for `resource`.
    #[must_use]
    pub const fn new(
        name: &'static str,
        resource: &'static Endpoint,
        resource_path: &'static str,
        build: fn() -> Box<dyn Any + Send>,
    ) -> Self {
        Self { name, resource, resource_path, build, calls_seen: &[], calls: &[], file: "", line: 0 }
    }

    /// Where the function stands.
    #[must_use]
    pub const fn at(mut self, file: &'static str, line: u32) -> Self {
        self.file = file;
        self.line = line;
        self
    }

    /// Whom it calls, as seen in its body and as named in `calls(…)`.
    #[must_use]
    pub const fn calling(
        mut self,
        seen: &'static [&'static str],
        calls: &'static [fn() -> &'static Meta],
    ) -> Self {
        self.calls_seen = seen;
        self.calls = calls;
        self
    }

    /// `file:line`, as editors link it.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount")
            .field("name", &self.name)
            .field("resource", &self.resource.name())
            .finish_non_exhaustive()
    }
}

/// What can be mounted; implemented by `#[flash::router]` for the handle of the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a router of an endpoint",
    label = "not a router",
    note = "a function becomes one with the attribute `#[flash::router(resource = …)]`"
)]
pub trait Mounted: 'static {
    /// What is mounted.
    const MOUNT: &'static Mount;
}

/// What the linker collects.
#[derive(Debug)]
pub struct MountEntry(pub &'static Mount);

// There are few of them, so they need no second registry.
inventory::collect!(MountEntry);
