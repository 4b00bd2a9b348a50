use std::panic::Location;

/// Longest list that one setting of an [`Endpoint`] may hold.
const MAX_SECRETS: usize = 16;

/// Requests that an HTTP worker runs at the same time where nothing else is declared.
const HTTP_CONCURRENCY: u32 = 256;

/// One deployable endpoint: a queue or an HTTP server, with its hardware and its scaling.
///
/// Declared once, as a `static`, and named by `#[remote(resource = …)]`. Every builder method is `const`, so a setting
/// that can never work does not compile.
///
/// ```
/// # use flash_core::Endpoint;
/// pub static GPU: Endpoint = Endpoint::queue("inference").gpu(&["ADA_24"]).workers(0, 3).idle_timeout_secs(60);
/// pub static API: Endpoint = Endpoint::http("api").cpu(&["cpu3c-1-2"]).workers(1, 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) hardware: Hardware,
    pub(crate) workers_min: u32,
    pub(crate) workers_max: u32,
    pub(crate) idle_timeout_secs: u32,
    pub(crate) execution_timeout_ms: u64,
    pub(crate) scaler: Scaler,
    pub(crate) concurrency: u32,
    pub(crate) image: Option<&'static str>,
    pub(crate) template: Option<&'static str>,
    pub(crate) registry_credential: Option<&'static str>,
    pub(crate) container_disk_gb: Option<u32>,
    pub(crate) env: &'static [(&'static str, &'static str)],
    pub(crate) secrets: [Option<Secret>; MAX_SECRETS],
    pub(crate) volumes: &'static [Volume],
    pub(crate) data_centers: &'static [&'static str],
    pub(crate) min_cuda: Option<&'static str>,
    pub(crate) flashboot: FlashBoot,
    pub(crate) system_packages: &'static [&'static str],
    pub(crate) auth: Auth,
    pub(crate) declared_at: &'static Location<'static>,
}

/// How an endpoint is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Jobs wait in a queue and workers take them.
    Queue,
    /// A gateway routes HTTP requests straight to a worker.
    Http,
}

/// What an endpoint runs on. Names are checked against the catalogue when the manifest is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardware {
    /// GPU pools or GPU type names (`"any"` = every pool), and how many GPUs one worker gets.
    Gpu {
        /// Pool ids such as `ADA_24`, or GPU type names.
        pools: &'static [&'static str],
        /// GPUs per worker.
        count: u32,
    },
    /// CPU instance ids such as `cpu3c-1-2` (`"any"` = every flavour).
    Cpu(&'static [&'static str]),
}

/// What makes the platform start another worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaler {
    /// A job waited longer than this many seconds.
    QueueDelay(u32),
    /// One worker for each such number of requests, waiting or running.
    RequestCount(u32),
}

impl Scaler {
    /// The platform's name of the scaler and its value.
    #[must_use]
    pub const fn parts(self) -> (&'static str, u32) {
        match self {
            Self::QueueDelay(value) => ("QUEUE_DELAY", value),
            Self::RequestCount(value) => ("REQUEST_COUNT", value),
        }
    }
}

/// Whether the platform keeps a stopped worker's memory image to start it faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashBoot {
    /// Keep it.
    On,
    /// Start from nothing.
    Off,
}

/// Whether callers of an HTTP endpoint must send a platform key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// The gateway asks for a key (the default).
    Required,
    /// Anyone may call.
    Public,
}

/// A network volume that is mounted on every worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    pub(crate) name: &'static str,
    pub(crate) size_gb: u32,
    pub(crate) data_center: Option<&'static str>,
}

impl Volume {
    /// A volume of this name and size in GB (10 to 4 096).
    #[must_use]
    pub const fn new(name: &'static str, size_gb: u32) -> Self {
        assert!(size_gb >= 10 && size_gb <= 4096, "a network volume has 10 to 4096 GB");
        Self { name, size_gb, data_center: None }
    }

    /// The data centre that holds the volume.
    #[must_use]
    pub const fn data_center(mut self, id: &'static str) -> Self {
        self.data_center = Some(id);
        self
    }
}

/// A secret that an endpoint needs; only its name is ever written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    /// A secret the platform keeps; without one, deploy takes the value from the deployer's environment.
    pub(crate) reference: Option<&'static str>,
}

impl Endpoint {
    /// A queue endpoint. Runs on any GPU pool until [`cpu`](Self::cpu) or [`gpu`](Self::gpu) says otherwise.
    ///
    /// A name has 1 to 63 letters, digits, `-` or `_`, and begins with a letter or a digit; anything else does not
    /// compile.
    #[must_use]
    #[track_caller]
    pub const fn queue(name: &'static str) -> Self {
        Self::new(name, Kind::Queue, Scaler::QueueDelay(4))
    }

    /// A load-balanced HTTP endpoint. Runs on any CPU flavour until [`cpu`](Self::cpu) or [`gpu`](Self::gpu) says
    /// otherwise. Names as in [`queue`](Self::queue).
    #[must_use]
    #[track_caller]
    pub const fn http(name: &'static str) -> Self {
        Self::new(name, Kind::Http, Scaler::RequestCount(4))
    }

    #[track_caller]
    const fn new(name: &'static str, kind: Kind, scaler: Scaler) -> Self {
        assert!(
            is_valid_name(name),
            "an endpoint name has 1 to 63 letters, digits, `-` or `_`, and begins with a letter or a digit"
        );
        let hardware = match kind {
            Kind::Queue => Hardware::Gpu { pools: &["any"], count: 1 },
            Kind::Http => Hardware::Cpu(&["any"]),
        };
        let concurrency = match kind {
            Kind::Queue => 1,
            Kind::Http => HTTP_CONCURRENCY,
        };
        Self {
            name,
            kind,
            hardware,
            workers_min: 0,
            workers_max: 3,
            idle_timeout_secs: 60,
            execution_timeout_ms: 0,
            scaler,
            concurrency,
            image: None,
            template: None,
            registry_credential: None,
            container_disk_gb: None,
            env: &[],
            secrets: [None; MAX_SECRETS],
            volumes: &[],
            data_centers: &[],
            min_cuda: None,
            flashboot: FlashBoot::On,
            system_packages: &[],
            auth: Auth::Required,
            declared_at: Location::caller(),
        }
    }

    /// GPU pools such as `ADA_24`, GPU type names, or `"any"`; one GPU per worker unless
    /// [`gpu_count`](Self::gpu_count) says otherwise.
    #[must_use]
    pub const fn gpu(mut self, pools: &'static [&'static str]) -> Self {
        assert!(!pools.is_empty(), "`gpu` needs at least one pool, or \"any\"");
        self.hardware = Hardware::Gpu { pools, count: 1 };
        self
    }

    /// GPUs per worker (1 to 10).
    #[must_use]
    pub const fn gpu_count(mut self, count: u32) -> Self {
        assert!(count >= 1 && count <= 10, "a worker has 1 to 10 GPUs");
        self.hardware = match self.hardware {
            Hardware::Gpu { pools, .. } => Hardware::Gpu { pools, count },
            Hardware::Cpu(_) => panic!("`gpu_count` is for GPU endpoints; call `gpu` first"),
        };
        self
    }

    /// CPU instance ids such as `cpu3c-1-2`, or `"any"`.
    #[must_use]
    pub const fn cpu(mut self, instances: &'static [&'static str]) -> Self {
        assert!(!instances.is_empty(), "`cpu` needs at least one instance, or \"any\"");
        assert!(self.min_cuda.is_none(), "a CPU endpoint has no minimum CUDA version");
        self.hardware = Hardware::Cpu(instances);
        self
    }

    /// Fewest and most workers the platform keeps.
    #[must_use]
    pub const fn workers(mut self, min: u32, max: u32) -> Self {
        assert!(min <= max, "workers: min must not be greater than max");
        assert!(max >= 1, "workers: max must be at least 1");
        self.workers_min = min;
        self.workers_max = max;
        self
    }

    /// How long a worker without work is kept, in seconds (1 to 3 600). Default 60.
    #[must_use]
    pub const fn idle_timeout_secs(mut self, secs: u32) -> Self {
        assert!(secs >= 1 && secs <= 3600, "the idle timeout is 1 to 3600 seconds");
        self.idle_timeout_secs = secs;
        self
    }

    /// How long one job or request may run, in seconds (5 to 604 800). Default: the platform's own limit.
    #[must_use]
    pub const fn execution_timeout_secs(mut self, secs: u32) -> Self {
        assert!(secs >= 5 && secs <= 604_800, "the execution timeout is 5 seconds to 7 days");
        self.execution_timeout_ms = secs as u64 * 1000;
        self
    }

    /// When another worker starts. Default: 4 s of queue delay for a queue, 4 requests for HTTP.
    #[must_use]
    pub const fn scaler(mut self, scaler: Scaler) -> Self {
        match scaler {
            Scaler::QueueDelay(value) => {
                assert!(
                    matches!(self.kind, Kind::Queue),
                    "an HTTP endpoint scales by `Scaler::RequestCount`"
                );
                assert!(value >= 1, "the scaler's value is at least 1");
            }
            Scaler::RequestCount(value) => assert!(value >= 1, "the scaler's value is at least 1"),
        }
        self.scaler = scaler;
        self
    }

    /// Jobs or requests that one worker runs at the same time (1 to 1 000). Default: 1 for a queue; 256 for HTTP, where a
    /// worker answers 503 with `Retry-After` to what comes above that.
    #[must_use]
    pub const fn concurrency(mut self, jobs: u32) -> Self {
        assert!(jobs >= 1 && jobs <= 1000, "concurrency is 1 to 1000");
        self.concurrency = jobs;
        self
    }

    /// The container image, instead of the default one of this kind.
    #[must_use]
    pub const fn image(mut self, image: &'static str) -> Self {
        assert!(self.template.is_none(), "an endpoint has an image or a template, not both");
        self.image = Some(image);
        self
    }

    /// An existing template of the account, instead of an image.
    #[must_use]
    pub const fn template(mut self, id: &'static str) -> Self {
        assert!(self.image.is_none(), "an endpoint has an image or a template, not both");
        self.template = Some(id);
        self
    }

    /// The stored credential that pulls the image.
    #[must_use]
    pub const fn registry_credential(mut self, id: &'static str) -> Self {
        self.registry_credential = Some(id);
        self
    }

    /// The container's disk in GB (1 or more). Default 20, or what the smallest of the CPU instances can have where that is
    /// less: 10 GB for each vCPU of `cpu3…`, 15 GB for each of `cpu5…` (platform contract D.3).
    #[must_use]
    pub const fn container_disk_gb(mut self, gb: u32) -> Self {
        assert!(gb >= 1, "the container disk has at least 1 GB");
        self.container_disk_gb = Some(gb);
        self
    }

    /// Environment variables of the workers. They are stored in the manifest: for secrets use
    /// [`secret`](Self::secret).
    #[must_use]
    pub const fn env(mut self, variables: &'static [(&'static str, &'static str)]) -> Self {
        self.env = variables;
        self
    }

    /// Declares a secret by name; deploy takes its value from the deployer's environment.
    #[must_use]
    pub const fn secret(self, name: &'static str) -> Self {
        self.with_secret(Secret { name, reference: None })
    }

    /// Declares a secret that the platform keeps under `reference`.
    #[must_use]
    pub const fn secret_ref(self, name: &'static str, reference: &'static str) -> Self {
        self.with_secret(Secret { name, reference: Some(reference) })
    }

    const fn with_secret(mut self, secret: Secret) -> Self {
        let mut i = 0;
        while i < MAX_SECRETS {
            if self.secrets[i].is_none() {
                self.secrets[i] = Some(secret);
                return self;
            }
            i += 1;
        }
        panic!("an endpoint has at most 16 secrets")
    }

    /// Network volumes, mounted on every worker.
    #[must_use]
    pub const fn volumes(mut self, volumes: &'static [Volume]) -> Self {
        self.volumes = volumes;
        self
    }

    /// Data centres to run in. Default: any.
    #[must_use]
    pub const fn data_centers(mut self, ids: &'static [&'static str]) -> Self {
        self.data_centers = ids;
        self
    }

    /// The oldest CUDA version that will do, such as `"12.8"`.
    #[must_use]
    pub const fn min_cuda(mut self, version: &'static str) -> Self {
        assert!(matches!(self.hardware, Hardware::Gpu { .. }), "a CPU endpoint has no minimum CUDA version");
        self.min_cuda = Some(version);
        self
    }

    /// Whether stopped workers keep a memory image. Default on.
    #[must_use]
    pub const fn flashboot(mut self, flashboot: FlashBoot) -> Self {
        self.flashboot = flashboot;
        self
    }

    /// Debian packages that the image must have; missing ones are named when the worker starts.
    #[must_use]
    pub const fn system_packages(mut self, packages: &'static [&'static str]) -> Self {
        self.system_packages = packages;
        self
    }

    /// Whether callers of an HTTP endpoint must authenticate. Default [`Auth::Required`].
    #[must_use]
    pub const fn auth(mut self, auth: Auth) -> Self {
        assert!(
            matches!(self.kind, Kind::Http),
            "`auth` is for HTTP endpoints; a queue always asks for a key"
        );
        self.auth = auth;
        self
    }

    /// The declared name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Queue or HTTP.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How many workers it may have at most.
    #[must_use]
    pub const fn workers_max(&self) -> u32 {
        self.workers_max
    }

    /// Jobs or requests that one worker runs at the same time.
    #[must_use]
    pub const fn jobs_per_worker(&self) -> u32 {
        self.concurrency
    }

    /// How long one job may run, in milliseconds, where the endpoint limits it.
    #[must_use]
    pub const fn execution_timeout_ms(&self) -> Option<u64> {
        if self.execution_timeout_ms == 0 { None } else { Some(self.execution_timeout_ms) }
    }

    /// GPUs or CPUs.
    #[must_use]
    pub const fn hardware(&self) -> Hardware {
        self.hardware
    }

    /// The CUDA version that the driver of a GPU worker must have at least, where one is declared.
    #[must_use]
    pub const fn min_cuda_version(&self) -> Option<&'static str> {
        self.min_cuda
    }

    /// The names of the declared secrets.
    pub fn secret_names(&self) -> impl Iterator<Item = &'static str> {
        self.secrets.into_iter().flatten().map(|secret| secret.name)
    }

    /// Where the endpoint was declared.
    #[must_use]
    pub const fn declared_at(&self) -> &'static Location<'static> {
        self.declared_at
    }
}

/// Whether `name` may name an endpoint or a function.
pub(crate) const fn is_valid_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > 63 || !bytes[0].is_ascii_alphanumeric() {
        return false;
    }
    let mut i = 0;
    while i < bytes.len() {
        if !(bytes[i].is_ascii_alphanumeric() || bytes[i] == b'-' || bytes[i] == b'_') {
            return false;
        }
        i += 1;
    }
    true
}
