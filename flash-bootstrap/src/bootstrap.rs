use std::path::PathBuf;
use std::time::Duration;

use crate::error::{ArtifactError, BootstrapError};
use crate::install::{Installed, install};
use crate::limits::Limits;
use crate::machine::Machine;
use crate::settings::Settings;

/// Between two looks for the artifact of a certain hash.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Between two looks for any artifact, and how many there are, as for the Python worker (platform contract D.6).
const RETRY: Duration = Duration::from_secs(30);
const TRIES: u32 = 3;

/// Brings a downloaded artifact to a file.
type Fetch = Box<dyn FnMut(&str, &std::path::Path) -> Result<(), ArtifactError>>;
/// Waits, or pretends to in tests.
type Sleep = Box<dyn FnMut(Duration)>;

/// From the environment of a worker to an app that can be started.
pub struct Bootstrap {
    settings: Settings,
    limits: Limits,
    machine: Machine,
    fetch: Option<Fetch>,
    sleep: Sleep,
    log: Box<dyn FnMut(&str)>,
}

impl std::fmt::Debug for Bootstrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bootstrap").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// The binary.
    pub binary: PathBuf,
    /// Its working directory.
    pub dir: PathBuf,
    /// The artifact it came from, where that is known.
    pub installed: Installed,
}

impl Bootstrap {
    /// A bootstrap for this machine.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            limits: Limits::default(),
            machine: Machine::this(),
            fetch: None,
            sleep: Box::new(std::thread::sleep),
            log: Box::new(|_| {}),
        }
    }

    /// Sets how an artifact with an address is downloaded.
    #[must_use]
    pub fn with_fetch(
        mut self,
        fetch: impl FnMut(&str, &std::path::Path) -> Result<(), ArtifactError> + 'static,
    ) -> Self {
        self.fetch = Some(Box::new(fetch));
        self
    }

    /// Sets how it waits.
    #[must_use]
    pub fn with_sleep(mut self, sleep: impl FnMut(Duration) + 'static) -> Self {
        self.sleep = Box::new(sleep);
        self
    }

    /// Sets where it tells what it does, one line each.
    #[must_use]
    pub fn with_log(mut self, log: impl FnMut(&str) + 'static) -> Self {
        self.log = Box::new(log);
        self
    }

    /// Sets the machine, and what an artifact may be at most.
    #[must_use]
    pub fn with_machine(mut self, machine: Machine, limits: Limits) -> Self {
        self.machine = machine;
        self.limits = limits;
        self
    }

    /// Waits for the artifact, installs it, and checks that it can run here.
    ///
    /// With a hash, a missing, unfinished or different artifact is looked at again every 2 s until the time is over: the
    /// endpoint may exist before its build is active. Without one there are three looks, 30 s apart.
    ///
    /// # Errors
    /// See [`BootstrapError`]; an artifact that breaks the rules is refused at once.
    pub fn prepare(&mut self) -> Result<Ready, BootstrapError> {
        let dir = self.settings.app_dir.clone();
        if self.settings.disable_unpack {
            let installed = Installed::at(&dir).ok_or(BootstrapError::NoApp(dir))?;
            return self.ready(installed);
        }
        let (pause, limit) = match &self.settings.sha256 {
            Some(_) => (LOOK_AGAIN, self.settings.wait),
            None => (RETRY, RETRY * (TRIES - 1)),
        };
        let mut waited = Duration::ZERO;
        loop {
            match self.look() {
                Ok(installed) => return self.ready(installed),
                Err(error) if error.may_pass() && waited < limit => {
                    (self.log)(&format!("waiting for the artifact ({} s): {error}", waited.as_secs()));
                    // The rest at the end, so that the time in force is the one that was asked for.
                    let pause = pause.min(limit.saturating_sub(waited));
                    (self.sleep)(pause);
                    waited += pause;
                }
                Err(error) if error.may_pass() => return Err(self.gave_up(waited, error)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn look(&mut self) -> Result<Installed, ArtifactError> {
        let Self { settings, limits, fetch, .. } = self;
        let expected = settings.sha256.as_deref();
        // A container that starts again has its app already; nothing needs to be downloaded or read for that.
        if let (Some(expected), Some(there)) = (expected, Installed::at(&settings.app_dir))
            && there.sha256 == expected
        {
            return Ok(there);
        }
        let Some(url) = &settings.url else {
            return install(&settings.artifact, &settings.app_dir, expected, limits);
        };
        let io = |source| ArtifactError::Io { path: std::env::temp_dir(), source };
        let file = tempfile::NamedTempFile::new().map_err(io)?;
        match fetch {
            Some(fetch) => fetch(url, file.path())?,
            None => {
                return Err(io(std::io::Error::other(
                    "FLASH_ARTIFACT_URL is set, and nothing here can download",
                )));
            }
        }
        install(file.path(), &settings.app_dir, expected, limits)
    }

    fn gave_up(&self, waited: Duration, last: ArtifactError) -> BootstrapError {
        let help = match (&last, &self.settings.sha256) {
            (ArtifactError::OtherBuild { .. }, _) => {
                "another build is active in this environment; run `flash deploy` again, or `flash rollback`"
            }
            (_, Some(_)) => {
                "was the upload interrupted? run `flash deploy` again; FLASH_ARTIFACT_WAIT_SECS sets the time"
            }
            (_, None) => {
                "is the endpoint part of a Flash environment with an active build? `flash deploy` makes it so"
            }
        };
        BootstrapError::Waited { waited_secs: waited.as_secs(), last, help }
    }

    fn ready(&mut self, installed: Installed) -> Result<Ready, BootstrapError> {
        installed.index.target.check(&self.machine)?;
        (self.log)(&format!("starting {} of artifact {}", installed.binary.display(), installed.sha256));
        Ok(Ready { binary: installed.binary.clone(), dir: installed.dir.clone(), installed })
    }
}
