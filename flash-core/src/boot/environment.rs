use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// The platform's addresses (platform contract A.1, D.1).
const ENDPOINT_BASE: &str = "https://api.runpod.ai/v2";
const API_BASE: &str = "https://api.runpod.io";

/// Everything that a process reads from its environment. [`from_env`](Self::from_env) is the only reader; tests fill
/// the fields in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Boot {
    /// `FLASH_DESCRIBE`: write the manifest to this file and exit.
    pub describe: Option<PathBuf>,
    /// `FLASH_ENDPOINT_TYPE`: `lb` or `qb`.
    pub endpoint_type: Option<String>,
    /// `FLASH_IS_MOTHERSHIP=true`: the old way to say `lb`.
    pub legacy_lb: bool,
    /// `FLASH_RESOURCE_NAME`: the endpoint that this process serves.
    pub resource: Option<String>,
    /// `RUNPOD_ENDPOINT_ID`.
    pub endpoint_id: Option<String>,
    /// `RUNPOD_POD_ID`: this worker's id.
    pub worker_id: Option<String>,
    /// `RUNPOD_POD_HOSTNAME`.
    pub hostname: Option<String>,
    /// Where a queue worker takes and returns jobs.
    pub jobs: JobUrls,
    /// `RUNPOD_PING_INTERVAL`, in milliseconds; default 10 s.
    pub ping_interval: Duration,
    /// `RUNPOD_AI_API_KEY`: the worker's credential for the queue.
    pub worker_key: Option<Secret>,
    /// `RUNPOD_API_KEY`: the key for calls to other endpoints.
    pub api_key: Option<Secret>,
    /// `FLASH_HOST`; by default loopback in the local role and every address in the HTTP role.
    pub host: Option<IpAddr>,
    /// `FLASH_PORT` in the local role; without one 8888 or the next free of 20.
    pub local_port: Option<u16>,
    /// `PORT` in the HTTP role; default 80.
    pub port: Option<u16>,
    /// `PORT_HEALTH` in the HTTP role; default the same port.
    pub port_health: Option<u16>,
    /// `FLASH_METRICS_PORT`: where a worker serves `/metrics`; with neither this nor an address of [`otlp`](Self::otlp) nothing
    /// is counted.
    pub metrics_port: Option<u16>,
    /// Where a worker with the feature `otlp` pushes what it counts.
    pub otlp: Otlp,
    /// `HEALTH_CHECK_PATH`; default `/ping`.
    pub health_path: String,
    /// `FLASH_RESOURCES_ENDPOINTS`: addresses of peers by name, as a JSON object.
    pub peers: BTreeMap<String, String>,
    /// `FLASH_ENVIRONMENT_ID`: the deployed environment whose State Manager knows where peers are.
    pub environment_id: Option<String>,
    /// `RUNPOD_ENDPOINT_BASE_URL`: where queue endpoints are; default `https://api.runpod.ai/v2`.
    pub endpoint_base: String,
    /// `RUNPOD_API_BASE_URL`: the control plane; default `https://api.runpod.io`.
    pub api_base: String,
    /// `FLASH_LB_URL_TEMPLATE`: the address of an HTTP endpoint with `{id}` in it; default `https://{id}.api.runpod.ai`.
    pub lb_url_template: Option<String>,
    /// `FLASH_DISCOVERY_TTL_SECS`: how long the State Manager's answer is used; default 300 s.
    pub discovery_lifetime: Duration,
    /// `FLASH_DISCOVERY_WAIT_SECS`: how long a peer without an address is waited for; default 30 s.
    pub discovery_patience: Duration,
    /// `FLASH_APP`.
    pub app: Option<String>,
    /// `FLASH_ENV`.
    pub environment: Option<String>,
    /// `FLASH_BODY_MEMORY_MB`, in bytes: how much the bodies of all HTTP requests in flight may have together; default 256 MB.
    pub body_memory: Option<usize>,
    /// `FLASH_SHUTDOWN_GRACE_SECS`: how long running jobs may take after SIGTERM; default 30 s.
    pub grace: Duration,
    /// `FLASH_OUTBOX_DIR`: where results wait that the queue does not have yet, so that they survive the death of the
    /// process. Without it a deployed worker uses the directory for temporary files; `off` keeps them in memory only.
    pub outbox_dir: Option<PathBuf>,
    /// `FLASH_MANIFEST_PATH`: the manifest of the build. Without it a worker looks beside its program, in its directory and
    /// those above, and in their `.flash`.
    pub manifest_path: Option<PathBuf>,
    /// `FLASH_FUNCTION_TABLE_SHA256`: the functions that an image must have, set by `flash deploy --image`.
    pub function_table: Option<String>,
    /// `RUNPOD_GPU_TYPE_ID`: the hardware, as the queue's URL templates name it.
    pub gpu_type: Option<String>,
    /// What a worker checks before its first job.
    pub fitness: Fitness,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` is set.
    pub uses_proxy: bool,
    /// `RUST_LOG`, else `RUNPOD_LOG_LEVEL`, else `RUNPOD_DEBUG_LEVEL`.
    pub log: Option<String>,
}

/// The URL templates that the platform hands to a queue worker (platform contract B.2).
#[derive(Debug, Clone, Default)]
pub struct JobUrls {
    /// `RUNPOD_WEBHOOK_GET_JOB`.
    pub take: Option<String>,
    /// `RUNPOD_WEBHOOK_POST_OUTPUT`.
    pub done: Option<String>,
    /// `RUNPOD_WEBHOOK_POST_STREAM`.
    pub stream: Option<String>,
    /// `RUNPOD_WEBHOOK_PING`.
    pub ping: Option<String>,
}

/// What a worker checks before its first job (platform contract B.12). Nothing is checked that was not asked for: what is
/// right for one machine fails another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitness {
    /// `RUNPOD_MIN_MEMORY_GB`: free memory, in GiB.
    pub min_memory_gb: Option<f64>,
    /// `RUNPOD_MIN_DISK_PERCENT`: free part of the disk, in percent.
    pub min_disk_percent: Option<f64>,
    /// `RUNPOD_MIN_CUDA_VERSION`, such as `12.4`.
    pub min_cuda: Option<String>,
    /// `RUNPOD_SKIP_AUTO_SYSTEM_CHECKS=true`: memory and disk are not looked at.
    pub skip_system: bool,
    /// `RUNPOD_SKIP_GPU_CHECK=true`: the GPU is not looked at, declared or not.
    pub skip_gpu: bool,
}

/// Where a worker pushes what it counts, in OpenTelemetry's own variables
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>). Other software in the process may read them too, so that none
/// that is unusable here keeps a process from starting.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` as it is, else `OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/metrics` after it; without
    /// either nothing is pushed.
    pub address: Option<String>,
    /// `OTEL_EXPORTER_OTLP_METRICS_HEADERS`, else `OTEL_EXPORTER_OTLP_HEADERS`: `name=value` pairs with commas between them.
    pub headers: Option<Secret>,
    /// `OTEL_METRIC_EXPORT_INTERVAL`, in milliseconds; default 60 s, also in place of an unusable one.
    pub interval: Duration,
    /// `OTEL_SERVICE_NAME`; by default the app, or without one the endpoint.
    pub service: Option<String>,
}

impl Default for Otlp {
    fn default() -> Self {
        Self { address: None, headers: None, interval: Duration::from_secs(60), service: None }
    }
}

impl Default for Boot {
    /// What an empty environment says.
    fn default() -> Self {
        Self {
            describe: None,
            endpoint_type: None,
            legacy_lb: false,
            resource: None,
            endpoint_id: None,
            worker_id: None,
            hostname: None,
            jobs: JobUrls::default(),
            ping_interval: Duration::from_secs(10),
            worker_key: None,
            api_key: None,
            host: None,
            local_port: None,
            port: None,
            port_health: None,
            metrics_port: None,
            otlp: Otlp::default(),
            health_path: "/ping".to_owned(),
            peers: BTreeMap::new(),
            environment_id: None,
            endpoint_base: ENDPOINT_BASE.to_owned(),
            api_base: API_BASE.to_owned(),
            lb_url_template: None,
            discovery_lifetime: Duration::from_secs(300),
            discovery_patience: Duration::from_secs(30),
            app: None,
            environment: None,
            body_memory: None,
            grace: Duration::from_secs(30),
            outbox_dir: None,
            manifest_path: None,
            function_table: None,
            gpu_type: None,
            fitness: Fitness::default(),
            uses_proxy: false,
            log: None,
        }
    }
}

impl Boot {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Every variable that holds something unusable.
    pub fn from_env() -> Result<Self, BootError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads an environment through `lookup`. Blank values count as unset.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BootError> {
        let reader = Reader { lookup: &lookup, errors: std::cell::RefCell::default() };
        let boot = Self {
            describe: reader.text("FLASH_DESCRIBE").map(PathBuf::from),
            endpoint_type: reader.text("FLASH_ENDPOINT_TYPE"),
            legacy_lb: reader.text("FLASH_IS_MOTHERSHIP").is_some_and(|value| value == "true"),
            resource: reader.text("FLASH_RESOURCE_NAME"),
            endpoint_id: reader.text("RUNPOD_ENDPOINT_ID"),
            worker_id: reader.text("RUNPOD_POD_ID"),
            hostname: reader.text("RUNPOD_POD_HOSTNAME"),
            jobs: JobUrls {
                take: reader.text("RUNPOD_WEBHOOK_GET_JOB"),
                done: reader.text("RUNPOD_WEBHOOK_POST_OUTPUT"),
                stream: reader.text("RUNPOD_WEBHOOK_POST_STREAM"),
                ping: reader.text("RUNPOD_WEBHOOK_PING"),
            },
            // Python divides by 1000 and spins at 0; a heartbeat below one per second helps nobody.
            ping_interval: Duration::from_millis(
                reader.parsed("RUNPOD_PING_INTERVAL").unwrap_or(10_000).max(1_000),
            ),
            worker_key: reader.text("RUNPOD_AI_API_KEY").and_then(Secret::new),
            api_key: reader.text("RUNPOD_API_KEY").and_then(Secret::new),
            host: reader.host(),
            local_port: reader.parsed("FLASH_PORT"),
            port: reader.parsed("PORT"),
            port_health: reader.parsed("PORT_HEALTH"),
            metrics_port: reader.parsed("FLASH_METRICS_PORT"),
            otlp: reader.otlp(),
            health_path: reader.text("HEALTH_CHECK_PATH").unwrap_or_else(|| "/ping".to_owned()),
            peers: reader.peers(),
            environment_id: reader.text("FLASH_ENVIRONMENT_ID"),
            endpoint_base: reader.url("RUNPOD_ENDPOINT_BASE_URL", ENDPOINT_BASE),
            api_base: reader.url("RUNPOD_API_BASE_URL", API_BASE),
            lb_url_template: reader.text("FLASH_LB_URL_TEMPLATE"),
            discovery_lifetime: reader.secs("FLASH_DISCOVERY_TTL_SECS", 300),
            discovery_patience: reader.secs("FLASH_DISCOVERY_WAIT_SECS", 30),
            app: reader.text("FLASH_APP"),
            environment: reader.text("FLASH_ENV"),
            body_memory: reader.megabytes("FLASH_BODY_MEMORY_MB"),
            grace: Duration::from_secs(reader.parsed("FLASH_SHUTDOWN_GRACE_SECS").unwrap_or(30)),
            outbox_dir: reader.text("FLASH_OUTBOX_DIR").map(PathBuf::from),
            manifest_path: reader.text("FLASH_MANIFEST_PATH").map(PathBuf::from),
            function_table: reader.text("FLASH_FUNCTION_TABLE_SHA256"),
            gpu_type: reader.text("RUNPOD_GPU_TYPE_ID"),
            fitness: Fitness {
                min_memory_gb: reader.parsed("RUNPOD_MIN_MEMORY_GB"),
                min_disk_percent: reader.parsed("RUNPOD_MIN_DISK_PERCENT"),
                min_cuda: reader.text("RUNPOD_MIN_CUDA_VERSION"),
                skip_system: reader.is_true("RUNPOD_SKIP_AUTO_SYSTEM_CHECKS"),
                skip_gpu: reader.is_true("RUNPOD_SKIP_GPU_CHECK"),
            },
            uses_proxy: ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
                .iter()
                .any(|name| reader.text(name).or_else(|| reader.text(&name.to_ascii_lowercase())).is_some()),
            log: reader
                .text("RUST_LOG")
                .or_else(|| reader.text("RUNPOD_LOG_LEVEL"))
                .or_else(|| reader.text("RUNPOD_DEBUG_LEVEL")),
        };
        let errors = reader.errors.into_inner();
        if errors.is_empty() { Ok(boot) } else { Err(BootError(errors)) }
    }

    /// Whether this process runs on the platform. The one answer for unpacking, routing, logs and the `/execute` ban.
    #[must_use]
    pub fn is_deployed(&self) -> bool {
        self.endpoint_id.is_some()
            && (self.endpoint_type.is_some() || self.resource.is_some() || self.legacy_lb)
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    errors: std::cell::RefCell<Vec<String>>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    fn fail(&self, text: String) {
        self.errors.borrow_mut().push(text);
    }

    fn parsed<T: std::str::FromStr<Err: fmt::Display>>(&self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(format!("{name}=`{text}` is not usable: {error}"));
                None
            }
        }
    }

    fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn secs(&self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name).unwrap_or(default))
    }

    /// Megabytes of a million bytes each, as the platform counts its limits.
    fn megabytes(&self, name: &str) -> Option<usize> {
        let megabytes: std::num::NonZero<u32> = self.parsed(name)?;
        Some(usize::try_from(u64::from(megabytes.get()) * 1_000_000).unwrap_or(usize::MAX))
    }

    fn url(&self, name: &str, default: &str) -> String {
        let Some(url) = self.text(name) else { return default.to_owned() };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            self.fail(format!("{name}=`{url}` is no address\nhelp: it begins with https:// or http://"));
        }
        url.trim_end_matches('/').to_owned()
    }

    fn host(&self) -> Option<IpAddr> {
        if self.text("FLASH_HOST").as_deref() == Some("localhost") {
            return Some(Ipv4Addr::LOCALHOST.into());
        }
        self.parsed("FLASH_HOST")
    }

    fn otlp(&self) -> Otlp {
        let base = || self.text("OTEL_EXPORTER_OTLP_ENDPOINT");
        let below = |base: String| format!("{}/v1/metrics", base.trim().trim_end_matches('/'));
        let headers = self.text("OTEL_EXPORTER_OTLP_METRICS_HEADERS");
        let interval = self.text("OTEL_METRIC_EXPORT_INTERVAL").and_then(|text| text.trim().parse().ok());
        Otlp {
            address: self.text("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").or_else(|| base().map(below)),
            headers: headers.or_else(|| self.text("OTEL_EXPORTER_OTLP_HEADERS")).and_then(Secret::new),
            interval: interval.filter(|ms| *ms > 0).map_or(Otlp::default().interval, Duration::from_millis),
            service: self.text("OTEL_SERVICE_NAME"),
        }
    }

    fn peers(&self) -> BTreeMap<String, String> {
        let Some(text) = self.text("FLASH_RESOURCES_ENDPOINTS") else {
            return BTreeMap::new();
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            self.fail(format!(
                "FLASH_RESOURCES_ENDPOINTS is not a JSON object of names and addresses: {error}\nhelp: it looks like \
                 {{\"inference\": \"http://127.0.0.1:8000/v2/inference\"}}"
            ));
            BTreeMap::new()
        })
    }
}

/// Why a process cannot start from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootError(pub Vec<String>);

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for BootError {}
