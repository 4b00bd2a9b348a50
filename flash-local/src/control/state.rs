//! Everything that the control plane knows, in memory. A change is made to a copy, and the copy takes its place when it is
//! kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ControlError;
use super::records::{App, Build, Endpoint, Environment, Record, Release, Template, Upload, Volume};

/// The records of one kind, by id. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Records<R> {
    rows: BTreeMap<String, Arc<R>>,
    /// The ids that changed since the state was kept.
    touched: Vec<String>,
}

impl<R> Default for Records<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), touched: Vec::new() }
    }
}

impl<R: Record> Records<R> {
    pub(super) fn get(&self, id: &str) -> Option<&Arc<R>> {
        self.rows.get(id)
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<R>> {
        self.rows.values()
    }

    pub(super) fn find(&self, what: impl Fn(&R) -> bool) -> Option<&Arc<R>> {
        self.all().find(|record| what(record))
    }

    pub(super) fn put(&mut self, record: R) -> Arc<R> {
        let record = Arc::new(record);
        self.touched.push(record.id().to_owned());
        self.rows.insert(record.id().to_owned(), record.clone());
        record
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<R>> {
        let removed = self.rows.remove(id)?;
        self.touched.push(id.to_owned());
        Some(removed)
    }

    /// Removes all that match.
    pub(super) fn remove_all(&mut self, what: impl Fn(&R) -> bool) {
        let ids: Vec<String> =
            self.all().filter(|record| what(record)).map(|record| record.id().to_owned()).collect();
        for id in ids {
            self.remove(&id);
        }
    }

    fn rows(&mut self, into: &mut Vec<Row>) -> Result<(), serde_json::Error> {
        for id in std::mem::take(&mut self.touched) {
            let json = self.rows.get(&id).map(|record| serde_json::to_string(&**record)).transpose()?;
            into.push(Row { kind: R::KIND, id, json });
        }
        Ok(())
    }

    fn load(&mut self, id: &str, json: &str) -> Result<(), serde_json::Error> {
        self.rows.insert(id.to_owned(), Arc::new(serde_json::from_str(json)?));
        Ok(())
    }
}

/// A record that changed, as it is kept. `None`: it is gone.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) json: Option<String>,
}

macro_rules! state {
    ($($name:ident: $type:ty),+ $(,)?) => {
        /// All records.
        #[derive(Clone, Debug, Default)]
        pub(super) struct State {
            $(pub(super) $name: Records<$type>,)+
        }

        impl State {
            /// Takes out what changed.
            pub(super) fn changes(&mut self) -> Result<Vec<Row>, ControlError> {
                let mut rows = Vec::new();
                $(self.$name.rows(&mut rows).map_err(|error| ControlError::Storage(error.to_string()))?;)+
                Ok(rows)
            }

            /// Reads a row that was kept. Kinds that this version does not know are left alone.
            #[cfg(feature = "sqlite")]
            pub(super) fn load(&mut self, kind: &str, id: &str, json: &str) -> Result<(), serde_json::Error> {
                $(if kind == <$type>::KIND {
                    return self.$name.load(id, json);
                })+
                Ok(())
            }
        }
    };
}

state! {
    apps: App,
    environments: Environment,
    builds: Build,
    uploads: Upload,
    endpoints: Endpoint,
    templates: Template,
    volumes: Volume,
    releases: Release,
}

impl State {
    pub(super) fn app(&self, id: &str) -> Result<&Arc<App>, ControlError> {
        self.apps.get(id).ok_or(ControlError::NotFound("app"))
    }

    pub(super) fn environment(&self, id: &str) -> Result<&Arc<Environment>, ControlError> {
        self.environments.get(id).ok_or(ControlError::NotFound("environment"))
    }

    pub(super) fn build(&self, id: &str) -> Result<&Arc<Build>, ControlError> {
        self.builds.get(id).ok_or(ControlError::NotFound("build"))
    }

    pub(super) fn endpoint(&self, id: &str) -> Result<&Arc<Endpoint>, ControlError> {
        self.endpoints.get(id).ok_or(ControlError::NotFound("endpoint"))
    }

    pub(super) fn template(&self, id: &str) -> Result<&Arc<Template>, ControlError> {
        self.templates.get(id).ok_or(ControlError::NotFound("template"))
    }

    pub(super) fn volume(&self, id: &str) -> Result<&Arc<Volume>, ControlError> {
        self.volumes.get(id).ok_or(ControlError::NotFound("network volume"))
    }

    /// The template of an endpoint. It can not be missing: a template in use is not deleted.
    pub(super) fn template_of(&self, endpoint: &Endpoint) -> Arc<Template> {
        self.templates.get(&endpoint.template).cloned().unwrap_or_default()
    }

    pub(super) fn environments_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a Arc<Environment>> {
        self.environments.all().filter(move |environment| environment.app == app)
    }

    pub(super) fn builds_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a Arc<Build>> {
        self.builds.all().filter(move |build| build.app == app)
    }

    /// The releases of an endpoint, the youngest first.
    pub(super) fn releases_of(&self, endpoint: &str) -> Vec<Arc<Release>> {
        let mut releases: Vec<_> =
            self.releases.all().filter(|release| release.endpoint == endpoint).cloned().collect();
        releases.sort_by_key(|release| std::cmp::Reverse(release.version));
        releases
    }
}
