//! What an endpoint is, and how its workers are started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_queue::QueueOptions;
use serde_json::Value;

use crate::{PlatformError, Scaling};

/// Which door an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Jobs: `/v2/{id}/run` and so on. Workers take them.
    Queue,
    /// HTTP: `/lb/{id}/…`. Requests are passed on to workers.
    LoadBalanced,
}

impl Kind {
    /// The value of `FLASH_ENDPOINT_TYPE`.
    pub const fn endpoint_type(self) -> &'static str {
        match self {
            Self::Queue => "qb",
            Self::LoadBalanced => "lb",
        }
    }
}

/// An endpoint to be added to a platform.
#[derive(Clone, Debug)]
pub struct EndpointSpec {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: BTreeMap<OsString, OsString>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) scaling: Scaling,
    pub(crate) gpu: String,
    pub(crate) execution_timeout: Option<Duration>,
    pub(crate) openapi: Option<Arc<Value>>,
    pub(crate) origin: Origin,
}

/// Where an endpoint comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This program added it. Its workers are told the addresses of all others.
    Program,
    /// It was deployed through the control plane.
    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only a control plane deploys"))]
    Deployed {
        /// The network volume, and the directory in which workers find it.
        volume: Option<(String, PathBuf)>,
    },
}

impl EndpointSpec {
    /// A queue endpoint with one worker. The name is its resource name and its id.
    pub fn queue(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self::new(name.into(), Kind::Queue, program.into())
    }

    /// An HTTP endpoint with one worker. The name is its resource name and its id.
    pub fn load_balanced(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self::new(name.into(), Kind::LoadBalanced, program.into())
    }

    pub(crate) const fn new(name: String, kind: Kind, program: PathBuf) -> Self {
        Self {
            name,
            kind,
            program,
            args: Vec::new(),
            env: BTreeMap::new(),
            dir: None,
            scaling: Scaling::fixed(1),
            gpu: String::new(),
            execution_timeout: None,
            openapi: None,
            origin: Origin::Program,
        }
    }

    /// Adds arguments of the workers' command line.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the workers' environment. It wins over what the platform sets.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets the directory in which the workers run. Without one it is this process's.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Sets how many workers run at any time. With none, requests wait, and something else may act as the worker.
    #[must_use]
    pub const fn workers(self, workers: usize) -> Self {
        self.scaling(Scaling::fixed(workers))
    }

    /// Sets how many workers run, and when they come and go.
    #[must_use]
    pub const fn scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// Sets the GPU type that the workers are told they run on. Without one they are told `CPU`.
    #[must_use]
    pub fn gpu(mut self, gpu: impl Into<String>) -> Self {
        self.gpu = gpu.into();
        self
    }

    /// Sets how long a job may run, unless it says itself.
    #[must_use]
    pub const fn execution_timeout(mut self, timeout: Duration) -> Self {
        self.execution_timeout = Some(timeout);
        self
    }

    /// Sets the OpenAPI document that describes the endpoint's functions, alone or among others of its app. The web page makes
    /// its forms from it.
    #[must_use]
    pub fn openapi(mut self, document: Arc<Value>) -> Self {
        self.openapi = Some(document);
        self
    }

    pub(crate) fn queue_options(&self) -> QueueOptions {
        let mut options = QueueOptions::new();
        options.execution_timeout = self.execution_timeout;
        options
    }
}

/// Checks that a name can be an id and so a part of URLs.
pub(crate) fn check_name(name: &str) -> Result<(), PlatformError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    // `.` and `..` mean something else in a path.
    let possible = (1..=128).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.');
    if possible { Ok(()) } else { Err(PlatformError::Name(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_urls() {
        for name in ["a", "01_03_classify_pipeline", "gpu-worker.v2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a/b", "..", ".hidden", "é", "a?b", &"x".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
