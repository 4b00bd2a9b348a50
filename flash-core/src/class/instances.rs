use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::declared::Class;
use super::init::decode;
use crate::error::{Error, code};
use crate::scope::Scope;

/// Instances of one class that a worker keeps; the one that was unused for longest makes room for another.
pub const MAX_INSTANCES: usize = 8;

/// An instance that is in use: it is not given up before this is dropped.
pub struct Instance<C: Class>(Arc<Live<C>>);

impl<C: Class> Clone for Instance<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Class> Deref for Instance<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0.value
    }
}

impl<C: Class> fmt::Debug for Instance<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instance").field(&C::META.name).finish()
    }
}

/// An instance whose exit runs when neither the cache nor a job has it any more.
struct Live<C: Class> {
    value: Arc<C>,
    exits: Arc<Exits>,
    runtime: Handle,
}

impl<C: Class> Drop for Live<C> {
    fn drop(&mut self) {
        let task = self.runtime.spawn(C::exit(Arc::clone(&self.value)));
        let mut running = self.exits.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|task| !task.is_finished());
        running.push(task);
    }
}

#[derive(Debug, Default)]
struct Exits {
    running: Mutex<Vec<JoinHandle<()>>>,
}

type Value = Arc<dyn Any + Send + Sync>;
type Cell = Arc<OnceCell<Value>>;

/// The instances of one process, by class and constructor arguments. However many jobs ask for one at the same time, it
/// is built once.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kept: Mutex<Kept>,
    exits: Arc<Exits>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The one that was unused for longest comes first.
    classes: HashMap<TypeId, Vec<(Arc<str>, Cell)>>,
    is_stopped: bool,
}

impl Cache {
    /// The instance of `C` with these arguments.
    ///
    /// # Errors
    /// The constructor failed. It is tried again by the next job.
    pub(crate) async fn get<C: Class>(&self, scope: &Scope, key: &Arc<str>) -> Result<Instance<C>, Error> {
        let class = TypeId::of::<C>();
        let cell = self.cell(class, key);
        let mut is_new = false;
        let made = cell
            .get_or_try_init(|| async {
                let value = C::init(decode::<C>(key)?, scope.clone()).await?;
                tracing::debug!(class = C::META.name, "instance built");
                is_new = true;
                let live = Live {
                    value: Arc::new(value),
                    exits: Arc::clone(&self.exits),
                    runtime: Handle::current(),
                };
                Ok::<_, Error>(Arc::new(live) as Value)
            })
            .await;
        let value = made.map(Arc::clone);
        if value.is_err() || is_new {
            self.tidy(class, &cell);
        }
        // The cells of a class only ever hold that class.
        value?
            .downcast()
            .map(Instance)
            .map_err(|_| Error::new(code::INTERNAL, "an instance has another type"))
    }

    fn cell(&self, class: TypeId, key: &Arc<str>) -> Cell {
        let mut kept = self.lock();
        if kept.is_stopped {
            return Cell::default();
        }
        let instances = kept.classes.entry(class).or_default();
        let entry = match instances.iter().position(|(other, _)| other == key) {
            Some(at) => instances.remove(at),
            None => (Arc::clone(key), Cell::default()),
        };
        let cell = Arc::clone(&entry.1);
        instances.push(entry);
        cell
    }

    /// Gives up what failed, and what is too many. Only what is built counts, so arguments that no constructor accepts
    /// displace nothing.
    fn tidy(&self, class: TypeId, cell: &Cell) {
        let mut given_up = Vec::new();
        let mut kept = self.lock();
        let Some(instances) = kept.classes.get_mut(&class) else { return };
        // Another job that waits for the same cell builds it; then that job puts it in order.
        instances.retain(|(_, other)| !Arc::ptr_eq(other, cell) || cell.initialized());
        while instances.iter().filter(|(_, cell)| cell.initialized()).count() > MAX_INSTANCES {
            let Some(oldest) = instances.iter().position(|(_, cell)| cell.initialized()) else { break };
            given_up.push(instances.remove(oldest));
        }
        drop(kept);
        // Dropped without the lock: this may be the last use.
        drop(given_up);
    }

    /// Gives up every instance and waits until the exits have ended, of those that no job uses.
    pub(crate) async fn stop(&self) {
        let classes = {
            let mut kept = self.lock();
            kept.is_stopped = true;
            std::mem::take(&mut kept.classes)
        };
        drop(classes);
        loop {
            let running =
                std::mem::take(&mut *self.exits.running.lock().unwrap_or_else(PoisonError::into_inner));
            if running.is_empty() {
                return;
            }
            for exit in running {
                if let Err(error) = exit.await {
                    tracing::error!(%error, "an exit method did not end");
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
