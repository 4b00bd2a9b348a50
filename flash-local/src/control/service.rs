//! The control plane as one thing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use flash_core::clock::Timestamp;
use flash_queue::QueueOptions;
use flash_queue::routes::Auth;
use tempfile::TempDir;
use tokio::sync::watch;

use super::artifacts::{self, Artifacts};
use super::book::Book;
use super::keys::Keys;
use super::login::Logins;
use super::state::State;
use super::{ControlError, gateway, graphql, login, rest};
use crate::plane::Plane;
use crate::{Images, PlatformError};

/// What both APIs share.
#[derive(Debug)]
pub(crate) struct Control {
    pub(super) plane: Arc<Plane>,
    pub(super) keys: Keys,
    pub(super) artifacts: Artifacts,
    pub(super) logins: Logins,
    pub(super) quota: rest::Quota,
    book: Book,
    changes: watch::Sender<u64>,
    root: PathBuf,
    /// Where things are while the platform runs, when it has no data directory.
    _temporary: Option<TempDir>,
}

impl Control {
    /// Opens what is in `data`. `None`: everything is gone with the platform.
    pub(crate) fn open(
        plane: Arc<Plane>,
        api_key: String,
        data: Option<&Path>,
    ) -> Result<Arc<Self>, PlatformError> {
        let storage = |error: std::io::Error| ControlError::Storage(error.to_string());
        let temporary = match data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("flash-platform-").tempdir().map_err(storage)?),
        };
        let root = match (data, &temporary) {
            (Some(data), _) => data.to_owned(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(ControlError::Storage("no directory".to_owned()).into()),
        };
        std::fs::create_dir_all(&root).map_err(storage)?;
        let root = root.canonicalize().map_err(storage)?;
        let artifacts = Artifacts::open(root.join("artifacts"), &plane)?;
        Ok(Arc::new(Self {
            keys: Keys::new(api_key),
            artifacts,
            logins: Logins::default(),
            quota: rest::Quota::new(&plane.limits),
            book: Book::open(data)?,
            changes: watch::Sender::default(),
            root,
            _temporary: temporary,
            plane,
        }))
    }

    pub(super) fn state(&self) -> Arc<State> {
        self.book.read()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.plane.clock.now()
    }

    pub(super) fn base(&self) -> &str {
        &self.plane.common.base
    }

    /// Where the app of an artifact is unpacked.
    pub(super) fn app_dir(&self, sha256: &str) -> PathBuf {
        self.root.join("apps").join(sha256)
    }

    /// What takes the place of container images.
    pub(super) fn images(&self) -> Images {
        Images::of_data_dir(&self.root)
    }

    /// The directory of a network volume.
    pub(super) fn volume_dir(&self, id: &str) -> PathBuf {
        self.root.join("volumes").join(id)
    }

    /// Changes the state. When this returns, the change is kept, and endpoints that it made can be called.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut State) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, ControlError> {
        let this = self.clone();
        // It waits for the disk.
        let written = tokio::task::spawn_blocking(move || this.book.write(change)).await;
        let answer = written.map_err(|error| ControlError::Storage(error.to_string()))??;
        self.announce().await?;
        self.changes.send_modify(|count| *count += 1);
        Ok(answer)
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Gives all endpoints their addresses, and takes those away that are gone.
    pub(crate) async fn announce(&self) -> Result<(), ControlError> {
        let state = self.state();
        for endpoint in state.endpoints.all() {
            let mut options = QueueOptions::new();
            options.execution_timeout = (endpoint.execution_timeout > 0)
                .then(|| std::time::Duration::from_millis(endpoint.execution_timeout));
            self.plane
                .announce(&endpoint.id, &endpoint.name, endpoint.kind(), options, true)
                .await
                .map_err(|error| ControlError::Storage(error.to_string()))?;
        }
        for there in self.plane.table.all() {
            if there.is_deployed && state.endpoints.get(there.id.as_str()).is_none() {
                self.plane.remove(there.id.as_str());
            }
        }
        Ok(())
    }
}

/// Everything that the control plane serves.
///
/// `data` serves the data plane, to callers that `auth` lets in: calls that name their endpoint in headers are passed on
/// to it.
pub(crate) fn routes(control: &Arc<Control>, data: Router, auth: Auth) -> Router {
    graphql::routes(control)
        .merge(rest::routes(control))
        .merge(artifacts::routes(control))
        .merge(login::routes(control))
        .merge(gateway::routes(control, data, auth))
}
