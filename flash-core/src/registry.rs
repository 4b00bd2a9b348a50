use std::collections::BTreeMap;
use std::fmt;

use crate::endpoint::Endpoint;
use crate::invoke::{Handler, handler};
use crate::meta::Meta;
use crate::mount::{Mount, MountEntry};
use crate::remote::Remote;

/// One function, as `#[remote]` registers it at link time.
pub struct Registration {
    pub(crate) meta: &'static Meta,
    pub(crate) handler: Handler,
}

impl Registration {
    /// The registration of the function with handle `R`.
    #[must_use]
    pub const fn of<R: Remote>() -> Self {
        Self { meta: R::META, handler: handler::<R> }
    }

    /// What is known of the function.
    #[must_use]
    pub fn meta(&self) -> &'static Meta {
        self.meta
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.meta.name).finish_non_exhaustive()
    }
}

/// What the linker collects.
#[derive(Debug)]
pub struct Entry(pub &'static Registration);

#[cfg(not(feature = "registry-linkme"))]
inventory::collect!(Entry);

#[cfg(not(feature = "registry-linkme"))]
fn linked() -> impl Iterator<Item = &'static Entry> {
    inventory::iter::<Entry>()
}

/// The linker section in which the functions lie side by side.
#[cfg(feature = "registry-linkme")]
#[linkme::distributed_slice]
pub static ENTRIES: [Entry];

#[cfg(feature = "registry-linkme")]
fn linked() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter()
}

/// All functions of an app, by name, and the endpoints that run them.
#[derive(Debug)]
pub struct Registry {
    functions: BTreeMap<&'static str, &'static Registration>,
    resources: BTreeMap<&'static str, Resource>,
    mounts: Vec<&'static Mount>,
}

/// An endpoint, and the path of its `static` as the first that names it writes it.
#[derive(Debug, Clone, Copy)]
struct Resource {
    endpoint: &'static Endpoint,
    path: &'static str,
}

impl Registry {
    /// Every function and every router that is linked into this program.
    ///
    /// # Errors
    /// Duplicate names and routes, each with `file:line` of both.
    pub fn linked() -> Result<Self, RegistryErrors> {
        let mounts = inventory::iter::<MountEntry>().map(|entry| entry.0);
        Self::with_mounts(linked().map(|entry| entry.0), mounts)
    }

    /// These functions and no others.
    ///
    /// # Errors
    /// As [`linked`](Self::linked).
    pub fn of(functions: impl IntoIterator<Item = &'static Registration>) -> Result<Self, RegistryErrors> {
        Self::with_mounts(functions, [])
    }

    /// These functions and routers and no others.
    pub(crate) fn with_mounts(
        functions: impl IntoIterator<Item = &'static Registration>,
        mounts: impl IntoIterator<Item = &'static Mount>,
    ) -> Result<Self, RegistryErrors> {
        let mut all: Vec<_> = functions.into_iter().collect();
        // Link order is not stable; messages and manifests must be.
        all.sort_by_key(|function| {
            let meta = function.meta;
            (meta.resource.name(), meta.name, meta.file, meta.line)
        });
        let mut registry = Self::empty();
        let mut errors = Vec::new();
        let mut routes = BTreeMap::new();
        let mut owners: BTreeMap<&'static str, &'static Meta> = BTreeMap::new();
        let mut keys: BTreeMap<(&'static str, &'static str), &'static Meta> = BTreeMap::new();
        for function in all {
            let meta = function.meta;
            registry.add_resource(meta.resource, meta.resource_path, &mut errors);
            if let Some(route) = meta.http
                && let Some(first) =
                    routes.insert((meta.resource.name(), route.method, shape(route.path)), meta)
            {
                errors.push(format!(
                    "route `{route}` of endpoint `{}` is declared twice: `{}` at {} and `{}` at {}",
                    meta.resource.name(),
                    first.name,
                    first.location(),
                    meta.name,
                    meta.location(),
                ));
            }
            let owner = meta.class.map_or(meta.name, |method| method.class.name);
            if let Some(first) = owners.get(owner) {
                if (meta.class.is_some() || first.class.is_some()) && !are_of_one_class(first, meta) {
                    errors.push(format!(
                        "`{owner}` is declared twice: at {} and at {}\nhelp: names of functions and classes are unique \
                         in an app; give one another name on the wire with `name = \"…\"`",
                        first.location(),
                        meta.location(),
                    ));
                }
            } else {
                owners.insert(owner, meta);
            }
            if meta.http.is_none()
                && let Some(first) = keys.insert((meta.resource.name(), meta.key()), meta)
                && first.name != meta.name
            {
                errors.push(format!(
                    "`{}` is the key `method` of two functions of endpoint `{}`: `{}` at {} and `{}` at {}\nhelp: give one \
                     of them another name on the wire with `name = \"…\"`",
                    meta.key(),
                    meta.resource.name(),
                    first.name,
                    first.location(),
                    meta.name,
                    meta.location(),
                ));
            }
            if let Some(first) = registry.functions.insert(meta.name, function) {
                errors.push(format!(
                    "function `{}` is declared twice: at {} and at {}\nhelp: names are unique in an app; rename one, or \
                     give it a name on the wire with `name = \"…\"`",
                    meta.name,
                    first.meta.location(),
                    meta.location(),
                ));
            }
        }
        registry.mounts = mounts.into_iter().collect();
        registry.mounts.sort_by_key(|mount| (mount.resource.name(), mount.name, mount.file, mount.line));
        for mount in registry.mounts.clone() {
            registry.add_resource(mount.resource, mount.resource_path, &mut errors);
        }
        if errors.is_empty() { Ok(registry) } else { Err(RegistryErrors(errors)) }
    }

    fn add_resource(&mut self, endpoint: &'static Endpoint, path: &'static str, errors: &mut Vec<String>) {
        let Some(first) = self.resources.get(endpoint.name()) else {
            self.resources.insert(endpoint.name(), Resource { endpoint, path });
            return;
        };
        // The same declaration may have several addresses (a `const`); another declaration may not share the name.
        if !std::ptr::eq(first.endpoint, endpoint) && first.endpoint != endpoint {
            let (a, b) = (first.endpoint.declared_at(), endpoint.declared_at());
            let error = format!(
                "endpoint `{}` is declared twice: at {}:{} and at {}:{}",
                endpoint.name(),
                a.file(),
                a.line(),
                b.file(),
                b.line()
            );
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
    }

    /// A registry without functions.
    #[must_use]
    pub fn empty() -> Self {
        Self { functions: BTreeMap::new(), resources: BTreeMap::new(), mounts: Vec::new() }
    }

    /// Whether neither a function nor a router is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.mounts.is_empty()
    }

    /// What an HTTP endpoint serves beside its functions.
    pub fn mounts_of(&self, resource: &str) -> impl Iterator<Item = &'static Mount> {
        self.mounts.iter().copied().filter(move |mount| mount.resource.name() == resource)
    }

    /// The function of this name on the wire.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static Registration> {
        self.functions.get(name).copied()
    }

    /// All functions, by name.
    pub fn functions(&self) -> impl Iterator<Item = &'static Registration> + Clone {
        self.functions.values().copied()
    }

    /// The functions of one endpoint, by name.
    pub fn functions_of(&self, resource: &str) -> impl Iterator<Item = &'static Registration> + Clone {
        self.functions().filter(move |function| function.meta.resource.name() == resource)
    }

    /// All endpoints, by name.
    pub fn resources(&self) -> impl Iterator<Item = &'static Endpoint> {
        self.resources.values().map(|resource| resource.endpoint)
    }

    /// The endpoint of this name.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&'static Endpoint> {
        self.resources.get(name).map(|resource| resource.endpoint)
    }

    /// The path of the endpoint's `static`, as its first function names it.
    pub(crate) fn resource_path(&self, name: &str) -> &'static str {
        self.resources.get(name).map_or("", |resource| resource.path)
    }

    /// The other endpoints whose functions this endpoint's functions call, with what could not be resolved.
    #[must_use]
    pub fn calls_of(&self, resource: &str) -> Calls {
        let mut calls = Calls::default();
        let functions = self.functions_of(resource).map(|function| {
            let meta = function.meta;
            (meta.ident, meta.location(), "#[remote(…)]", meta.calls, meta.calls_seen)
        });
        let mounts = self.mounts_of(resource).map(|mount| {
            (mount.name, mount.location(), "#[flash::router(…)]", mount.calls, mount.calls_seen)
        });
        for (ident, location, attribute, declared, seen) in functions.chain(mounts) {
            let seen = seen.iter().filter_map(|text| match self.resolve(text) {
                Resolved::One(callee) => Some(callee),
                Resolved::None | Resolved::Many if !declared.is_empty() => None,
                unresolved => {
                    let problem =
                        if matches!(unresolved, Resolved::None) { "names no" } else { "may name several" };
                    calls.warnings.push(format!(
                        "{location}: `{text}::remote(…)` in `{ident}` {problem} remote function{}\nhelp: add \
                         `calls({text})` to its `{attribute}`",
                        if matches!(unresolved, Resolved::None) { "" } else { "s" },
                    ));
                    None
                }
            });
            let callees: Vec<_> = seen.collect();
            for callee in declared.iter().map(|callee| callee()).chain(callees) {
                if callee.resource.name() != resource {
                    calls.resources.insert(callee.resource.name(), callee);
                }
            }
        }
        calls
    }

    /// Whom the text before `::remote(` means: the function of that name whose module path ends with the given one.
    fn resolve(&self, text: &str) -> Resolved {
        let mut segments: Vec<&str> =
            text.split("::").filter(|part| !matches!(*part, "" | "crate" | "self" | "super")).collect();
        let Some(ident) = segments.pop() else { return Resolved::None };
        let named: Vec<_> =
            self.functions().map(|function| function.meta).filter(|meta| meta.ident == ident).collect();
        let in_module: Vec<_> = named
            .iter()
            .copied()
            .filter(|meta| {
                let module: Vec<&str> = meta.module.split("::").collect();
                module.ends_with(&segments)
            })
            .collect();
        // A re-export hides the module, so a unique name is enough.
        // The methods of a class are called through one name, and are on one endpoint: any of them will do.
        let is_one =
            |found: &[&'static Meta]| found.windows(2).all(|pair| are_of_one_class(pair[0], pair[1]));
        match (in_module.as_slice(), named.as_slice()) {
            ([one, ..], _) | ([], [one, ..])
                if is_one(if in_module.is_empty() { &named } else { &in_module }) =>
            {
                Resolved::One(one)
            }
            ([], []) => Resolved::None,
            _ => Resolved::Many,
        }
    }

    /// The text that explains why nothing is registered.
    #[must_use]
    pub fn empty_help() -> String {
        "no remote functions are linked into this binary\nhelp: a crate that is never mentioned is not linked; add \
         `use my_app as _;` (with the name of your library) to main.rs, or `flash::link!(my_app);`"
            .to_owned()
    }

    /// What to say when `name` is not a function.
    #[must_use]
    pub fn unknown_function(&self, name: &str, among: impl Iterator<Item = &'static str> + Clone) -> String {
        if self.is_empty() {
            return Self::empty_help();
        }
        let hint = crate::fields::did_you_mean(name, among.clone());
        let known = among.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!("no function `{name}`; known functions: {known}{hint}")
    }
}

/// Whether both are methods of the same class.
fn are_of_one_class(a: &Meta, b: &Meta) -> bool {
    let name = |meta: &Meta| meta.class.map(|method| method.class.name);
    name(a).is_some()
        && name(a) == name(b)
        && (a.resource.name(), a.module, a.file) == (b.resource.name(), b.module, b.file)
}

enum Resolved {
    None,
    One(&'static Meta),
    Many,
}

/// Whom an endpoint calls.
#[derive(Debug, Default)]
pub struct Calls {
    /// The other endpoints, each with a callee that proves it.
    pub resources: BTreeMap<&'static str, &'static Meta>,
    /// Calls whose callee is unclear, with the line to add.
    pub warnings: Vec<String>,
}

/// Two paths with the same shape match the same requests, whatever their placeholders are called.
pub(crate) fn shape(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// Everything that is wrong with the registered functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryErrors(pub Vec<String>);

impl fmt::Display for RegistryErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for RegistryErrors {}
