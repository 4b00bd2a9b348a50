use std::path::Path;
use std::process::{ExitCode, Termination};
use std::sync::Arc;

use flash_core::boot::{Boot, Role};
use flash_core::{App, Registry, RegistryErrors, openapi};
use flash_platform::app_from_boot;
use tokio::runtime::Runtime;

use crate::arguments::{Arguments, USAGE};
use crate::http::{HttpError, HttpWorker};
use crate::identity::Identity;
use crate::local::{LOCAL_GRACE, LocalServer, check_not_empty};
use crate::queue::{QueueWorker, QueueWorkerError};
use crate::shutdown::Shutdown;
use crate::{describe, exit, log, manifest, metrics, one_shot, ready};

/// Where a test job lies, as for the Python worker.
const TEST_INPUT: &str = "test_input.json";

/// The whole `main` of a Flash binary: plays the role that the environment gives.
#[must_use]
pub fn run() -> ExitCode {
    run_with(Registry::linked())
}

/// As [`run`], of a registry that was put together by hand instead of by the linker.
///
/// ```no_run
/// # use flash_core::Registry;
/// fn main() -> std::process::ExitCode {
///     flash_worker::run_with(Registry::builder().build())
/// }
/// ```
#[must_use]
pub fn run_with(registry: Result<Registry, RegistryErrors>) -> ExitCode {
    end(try_run(registry, std::env::args().skip(1)))
}

fn try_run(
    registry: Result<Registry, RegistryErrors>,
    arguments: impl IntoIterator<Item = String>,
) -> Result<(), Failure> {
    let mut boot =
        Boot::from_env().map_err(|error| Failure { code: exit::USAGE, text: error.to_string() })?;
    let Some(started) = start(&mut boot, registry)? else { return Ok(()) };
    let arguments = match started.role {
        Role::Local => Arguments::parse(arguments)
            .map_err(|text| Failure { code: exit::USAGE, text: format!("{text}\n\n{USAGE}") })?,
        // A deployed worker is started by the platform; whatever it passes is not for us.
        _ => Arguments::Role,
    };
    started.play(boot, arguments)
}

fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::from(exit::OK),
        Err(failure) => fail(&failure),
    }
}

/// The `main` that `#[flash::main]` wraps: `body` runs in the local role, on the runtime; every other role is played as
/// by [`run`].
pub fn run_main<F, T>(body: impl FnOnce() -> F) -> ExitCode
where
    F: Future<Output = T>,
    T: Termination,
{
    let mut boot = match Boot::from_env() {
        Ok(boot) => boot,
        Err(error) => return fail(&Failure { code: exit::USAGE, text: error.to_string() }),
    };
    match start(&mut boot, Registry::linked()) {
        Ok(None) => ExitCode::from(exit::OK),
        Ok(Some(started)) if started.role == Role::Local => {
            App::of(started.registry).install();
            started.runtime.block_on(body()).report()
        }
        Ok(Some(started)) => end(started.play(boot, Arguments::Role)),
        Err(failure) => fail(&failure),
    }
}

/// Why a binary ends with another code than 0.
#[derive(Debug)]
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn new(code: u8) -> impl Fn(String) -> Self {
        move |text| Self { code, text }
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a process that may have no log")]
fn fail(failure: &Failure) -> ExitCode {
    eprintln!("error: {}", failure.text);
    ExitCode::from(failure.code)
}

/// A process that knows its role and has a runtime to play it on.
struct Started {
    role: Role,
    registry: Arc<Registry>,
    runtime: Runtime,
}

/// Finds the role, and checks that the program is the one that was deployed. `None`: the binary described itself, and that was
/// all.
fn start(boot: &mut Boot, registry: Result<Registry, RegistryErrors>) -> Result<Option<Started>, Failure> {
    let usage = Failure::new(exit::USAGE);
    let invalid = Failure::new(exit::INVALID_APP);
    let registry = registry.map_err(|errors| invalid(errors.to_string()))?;
    // Only the platform gives a process an endpoint's id.
    let is_deployed = boot.describe.is_none() && boot.endpoint_id.is_some() && !registry.is_empty();
    if is_deployed {
        let (program, dir) = (std::env::current_exe().ok(), std::env::current_dir().ok());
        let found = manifest::find(boot, &registry, program.as_deref(), dir.as_deref()).map_err(&invalid)?;
        manifest::check_image(boot, &registry).map_err(&invalid)?;
        if boot.resource.is_none()
            && let (Some(found), Some(id)) = (&found, &boot.endpoint_id)
        {
            boot.resource = manifest::resource_of(&found.manifest, id);
        }
        boot.manifest_path = found.map(|found| found.path);
    }
    let role = boot.role(&registry).map_err(|error| usage(error.to_string()))?;
    if let Role::Describe(file) = &role {
        describe::write(&registry, file).map_err(invalid)?;
        return Ok(None);
    }
    log::install(boot);
    // Whoever deploys names the app; `flash run` and tests start workers without a manifest, and mean to.
    if is_deployed && boot.manifest_path.is_none() && boot.app.is_some() {
        tracing::warn!("there is no flash_manifest.json of this build, so the program's own functions count");
    }
    if cfg!(panic = "abort") {
        tracing::warn!(
            "this binary aborts on panic, so one panicking job ends the worker; set `panic = \"unwind\"`"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("flash-worker")
        .build()
        .map_err(|error| usage(format!("the runtime cannot start: {error}")))?;
    Ok(Some(Started { role, registry: Arc::new(registry), runtime }))
}

impl Started {
    fn play(self, boot: Boot, arguments: Arguments) -> Result<(), Failure> {
        let result = self.runtime.block_on(play(boot, self.role, arguments, self.registry));
        // A blocking function that ignores its cancellation must not keep the process.
        self.runtime.shutdown_background();
        result
    }
}

async fn play(boot: Boot, role: Role, arguments: Arguments, registry: Arc<Registry>) -> Result<(), Failure> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Failure { code: exit::FAILED, text: error.to_string() })?;
    let reports = match &role {
        Role::Queue(endpoint) | Role::Http(endpoint) => {
            Some(metrics::start(&boot, endpoint.name()).await.map_err(Failure::new(exit::CANNOT_BIND))?)
        }
        Role::Describe(_) | Role::Local => None,
    };
    let ended = play_role(boot, role, arguments, registry, shutdown).await;
    if let Some(reports) = reports {
        reports.finish().await;
    }
    ended
}

async fn play_role(
    boot: Boot,
    role: Role,
    arguments: Arguments,
    registry: Arc<Registry>,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    match role {
        // Written before the runtime was built.
        Role::Describe(_) => Ok(()),
        Role::Queue(endpoint) => {
            tracing::info!(role = "queue", endpoint = endpoint.name(), "starting");
            let app = worker_app(&boot, endpoint.name(), registry);
            ready::prepare(&app, endpoint.name()).await.map_err(Failure::new(exit::STATE_FAILED))?;
            let grace = boot.grace;
            let ended = QueueWorker::new(app.clone(), endpoint, boot).run(shutdown).await;
            ready::finish(&app, grace).await;
            ended.map_err(|error| {
                let code = match &error {
                    QueueWorkerError::NotDrained(_) => exit::NOT_DRAINED,
                    QueueWorkerError::Unhealthy(_) => exit::UNHEALTHY,
                    QueueWorkerError::Unfit { .. } => exit::UNFIT,
                    _ => exit::FAILED,
                };
                Failure { code, text: error.to_string() }
            })
        }
        Role::Http(endpoint) => {
            tracing::info!(role = "http", endpoint = endpoint.name(), "starting");
            let app = worker_app(&boot, endpoint.name(), registry);
            let grace = boot.grace;
            let worker = HttpWorker::bind(app.clone(), endpoint, boot).await;
            let result = async { worker?.run(shutdown).await }.await;
            ready::finish(&app, grace).await;
            result.map_err(|error| {
                let code = match &error {
                    HttpError::Bind { .. } => exit::CANNOT_BIND,
                    HttpError::State(_) => exit::STATE_FAILED,
                    HttpError::Routes(_) => exit::INVALID_APP,
                    HttpError::NotDrained(_) => exit::NOT_DRAINED,
                    HttpError::Unhealthy(_) => exit::UNHEALTHY,
                    HttpError::Server(_) => exit::FAILED,
                };
                Failure { code, text: error.to_string() }
            })
        }
        Role::Local => local(&boot, arguments, registry, shutdown).await,
    }
}

fn worker_app(boot: &Boot, endpoint: &str, registry: Arc<Registry>) -> App {
    let app = app_from_boot(registry, boot, Some(endpoint.to_owned()))
        .as_worker(Some(endpoint.to_owned()), Identity::new(boot).worker_id);
    app.install();
    app
}

async fn local(
    boot: &Boot,
    arguments: Arguments,
    registry: Arc<Registry>,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    let app = App::of(registry);
    app.install();
    let ended = local_app(app.clone(), boot, arguments, shutdown).await;
    ready::finish(&app, LOCAL_GRACE).await;
    ended
}

async fn local_app(app: App, boot: &Boot, arguments: Arguments, shutdown: Shutdown) -> Result<(), Failure> {
    let failed = Failure::new(exit::FAILED);
    match arguments {
        Arguments::Help => {
            print(USAGE);
            return Ok(());
        }
        Arguments::OpenApi => {
            let name = describe::project_name();
            let document = openapi::document(app.registry(), &name, openapi::Paths::PerEndpoint);
            print(&format!("{document:#}"));
            return Ok(());
        }
        Arguments::Call { function, input } => {
            print(&one_shot::call(&app, &function, &input).await.map_err(failed)?);
            return Ok(());
        }
        Arguments::TestInput(job) => {
            print(&one_shot::test_job(&app, &job).await.map_err(failed)?);
            return Ok(());
        }
        Arguments::Role if Path::new(TEST_INPUT).is_file() => {
            let job = std::fs::read_to_string(TEST_INPUT)
                .map_err(|error| failed(format!("`{TEST_INPUT}` cannot be read: {error}")))?;
            tracing::info!("running the job in {TEST_INPUT}; without that file every endpoint is served");
            print(&one_shot::test_job(&app, &job).await.map_err(failed)?);
            return Ok(());
        }
        Arguments::Role => {}
    }
    check_not_empty(app.registry()).map_err(Failure::new(exit::INVALID_APP))?;
    let server = LocalServer::bind(app, boot).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput => Failure { code: exit::INVALID_APP, text: error.to_string() },
        _ => Failure {
            code: exit::CANNOT_BIND,
            text: format!("no address can be bound: {error}\nhelp: choose another port with FLASH_PORT"),
        },
    })?;
    print(&server.table().map_err(|error| failed(error.to_string()))?);
    server.run(shutdown).await.map_err(|error| failed(error.to_string()))
}

#[allow(clippy::print_stdout, reason = "what a person or a script asked for on the command line")]
fn print(text: &str) {
    println!("{text}");
}
