use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::class::Cache;
use crate::clock::Clock;
use crate::inject::States;
use crate::registry::Registry;
use crate::scope::Scope;
use crate::transport::{InProcess, Transport};

/// One running program: its functions, the state they share, and the way to its peers.
///
/// A process normally has one; tests build as many as they like. A clone is one reference count.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Arc<Registry>,
    states: States,
    instances: Cache,
    transport: Arc<dyn Transport>,
    clock: Clock,
    resource: Option<String>,
    worker_id: String,
}

static INSTALLED: OnceLock<App> = OnceLock::new();

/// Makes the app of a program that never booted, from its environment. Submitted by the crate that reads environments.
pub struct DefaultApp(pub fn(Arc<Registry>) -> Option<App>);

impl fmt::Debug for DefaultApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DefaultApp")
    }
}

#[cfg(not(feature = "registry-linkme"))]
inventory::collect!(DefaultApp);

/// The linker section of the default app.
#[cfg(feature = "registry-linkme")]
#[linkme::distributed_slice]
pub static DEFAULT_APPS: [DefaultApp];

#[cfg(not(feature = "registry-linkme"))]
fn default_apps() -> impl Iterator<Item = &'static DefaultApp> {
    inventory::iter::<DefaultApp>()
}

#[cfg(feature = "registry-linkme")]
fn default_apps() -> impl Iterator<Item = &'static DefaultApp> {
    DEFAULT_APPS.iter()
}

/// Submits a [`DefaultApp`], by the same means by which functions are registered.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry-linkme"))]
macro_rules! submit_default_app {
    ($make:expr) => {
        $crate::private::inventory::submit! { $crate::DefaultApp($make) }
    };
}

/// Submits a [`DefaultApp`], by the same means by which functions are registered.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry-linkme")]
macro_rules! submit_default_app {
    ($make:expr) => {
        #[$crate::private::linkme::distributed_slice($crate::private::DEFAULT_APPS)]
        #[linkme(crate = $crate::private::linkme)]
        static DEFAULT_APP: $crate::DefaultApp = $crate::DefaultApp($make);
    };
}

impl App {
    /// An app of these functions, which calls them in this process.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            inner: Arc::new(Inner {
                registry: Arc::new(registry),
                states: States::default(),
                instances: Cache::default(),
                transport: Arc::new(InProcess),
                clock: Clock::default(),
                resource: None,
                worker_id: "local".to_owned(),
            }),
        }
    }

    /// An app without functions, for values that need one in a test.
    #[must_use]
    pub fn detached() -> Self {
        Self::new(Registry::empty())
    }

    /// The same functions and fresh state, with another way to the peers.
    #[must_use]
    pub fn with_transport(&self, transport: Arc<dyn Transport>) -> Self {
        self.rebuilt(|inner| inner.transport = transport)
    }

    /// The same functions and fresh state, on another clock.
    #[must_use]
    pub fn with_clock(&self, clock: Clock) -> Self {
        self.rebuilt(|inner| inner.clock = clock)
    }

    /// The same functions and fresh state, as the worker `worker_id` of one endpoint.
    #[must_use]
    pub fn as_worker(&self, resource: Option<String>, worker_id: String) -> Self {
        self.rebuilt(|inner| {
            inner.resource = resource;
            inner.worker_id = worker_id;
        })
    }

    fn rebuilt(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner {
            registry: Arc::clone(&self.inner.registry),
            states: States::default(),
            instances: Cache::default(),
            transport: Arc::clone(&self.inner.transport),
            clock: self.inner.clock.clone(),
            resource: self.inner.resource.clone(),
            worker_id: self.inner.worker_id.clone(),
        };
        change(&mut inner);
        Self { inner: Arc::new(inner) }
    }

    /// Makes this the process's app. The first one stays.
    pub fn install(&self) {
        let _ = INSTALLED.set(self.clone());
    }

    /// The app of the running invocation, else the installed one, else one made of everything that is linked.
    pub(crate) fn current() -> Result<Self, crate::RegistryErrors> {
        if let Some(scope) = Scope::current() {
            return Ok(scope.app().clone());
        }
        if let Some(app) = INSTALLED.get() {
            return Ok(app.clone());
        }
        let registry = Registry::linked()?;
        let app = Self::new(registry);
        let app =
            default_apps().find_map(|default| default.0(Arc::clone(&app.inner.registry))).unwrap_or(app);
        Ok(INSTALLED.get_or_init(|| app).clone())
    }

    /// An app that shares an existing registry.
    #[must_use]
    pub fn of(registry: Arc<Registry>) -> Self {
        let mut app = Self::new(Registry::empty());
        // Just made, so nobody else holds it.
        if let Some(inner) = Arc::get_mut(&mut app.inner) {
            inner.registry = registry;
        }
        app
    }

    /// Everything that can be called here.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The way to the peers.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.inner.transport
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The endpoint that this process serves; `None` when it serves all.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.inner.resource.as_deref()
    }

    /// This worker's id.
    #[must_use]
    pub fn worker_id(&self) -> &str {
        &self.inner.worker_id
    }

    pub(crate) fn instances(&self) -> &Cache {
        &self.inner.instances
    }

    /// Gives up every instance of a stateful worker, and waits until the exit methods of those that no job uses any
    /// more have ended.
    pub async fn stop_instances(&self) {
        self.inner.instances.stop().await;
    }

    pub(crate) fn states(&self) -> &States {
        &self.inner.states
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("resource", &self.inner.resource)
            .field("worker_id", &self.inner.worker_id)
            .field("transport", &self.inner.transport)
            .finish_non_exhaustive()
    }
}
