use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The names of hardware and places that the platform knew on a certain day.
///
/// [`bundled`](Self::bundled) is the snapshot that this version was built with (from platform contract D.3 and the
/// platform's own list of GPU types; the prices are those of the platform's documentation, its table of serverless GPU
/// prices per second, which leaves out CPUs and one pool). The platform adds hardware more often than this crate is released, so a newer
/// snapshot can be read with [`from_json`](Self::from_json) and used in its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Catalogue {
    /// The day the names were taken, as `YYYY-MM-DD`.
    pub taken_on: String,
    /// The day the prices were taken, where there are any.
    #[serde(default)]
    pub prices_taken_on: Option<String>,
    /// GPU pools, what an endpoint asks for.
    pub gpu_pools: Vec<GpuPool>,
    /// CPU instances: flavour, vCPUs, memory in GB.
    pub cpu_instances: Vec<String>,
    /// GB of container disk for each vCPU, by how the names of CPU instances begin.
    #[serde(default)]
    pub cpu_disk_gb_per_vcpu: BTreeMap<String, u32>,
    /// Data centres.
    #[serde(default)]
    pub data_centers: Vec<String>,
    /// Countries, which older clients send in place of data centres.
    #[serde(default)]
    pub countries: Vec<String>,
    /// CUDA versions that a worker may ask for.
    #[serde(default)]
    pub cuda_versions: Vec<String>,
}

/// GPUs that are asked for together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GpuPool {
    /// The pool's name, such as `ADA_24`.
    pub id: String,
    /// Product names of its GPUs.
    pub types: Vec<String>,
    /// List price of a serverless worker's GPU, in millionths of a US dollar per second.
    #[serde(default)]
    pub micro_usd_per_gpu_second: Option<u32>,
}

impl GpuPool {
    /// List price of a serverless worker's GPU in US dollars an hour, where the snapshot knows it.
    #[must_use]
    pub fn usd_per_gpu_hour(&self) -> Option<f64> {
        let micros = u64::from(self.micro_usd_per_gpu_second?) * 3600;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let micros = micros as f64;
        Some(micros / 1_000_000.0)
    }
}

static BUNDLED: LazyLock<Catalogue> = LazyLock::new(|| {
    // Its text is part of the crate, and a test reads it.
    Catalogue::from_json(include_str!("catalogue.json")).unwrap_or_else(|error| panic!("{error}"))
});

impl Catalogue {
    /// The snapshot of this version.
    #[must_use]
    pub fn bundled() -> &'static Self {
        &BUNDLED
    }

    /// Reads a snapshot, in the form of `flash-core/src/manifest/catalogue.json`.
    ///
    /// # Errors
    /// Text that is no such snapshot, with the place.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("catalogue of hardware is invalid: {error}"))
    }

    /// What the platform is asked for where an author wrote these pools and types, in their order.
    ///
    /// The platform takes pools, and types only to leave them out: a type becomes its pool without the pool's other
    /// types. Names that are unknown stay, for the validation to find.
    pub(super) fn gpu_ids(&self, names: &[&str]) -> Vec<String> {
        if names.contains(&"any") {
            return self.gpu_pools.iter().map(|pool| pool.id.clone()).collect();
        }
        let mut ids: Vec<String> = Vec::new();
        let mut excluded = Vec::new();
        for name in names {
            let pool = self.pool_of(name);
            let id = pool.map_or(*name, |pool| pool.id.as_str());
            if ids.iter().any(|known| known == id) {
                continue;
            }
            ids.push(id.to_owned());
            if let Some(pool) = pool.filter(|pool| !names.contains(&pool.id.as_str())) {
                let others = pool.types.iter().filter(|other| !names.contains(&other.as_str()));
                excluded.extend(others.map(|other| format!("-{other}")));
            }
        }
        ids.append(&mut excluded);
        ids
    }

    /// The instances that an author's names mean; `any` means all.
    pub(super) fn cpu_ids(&self, names: &[&str]) -> Vec<String> {
        if names.contains(&"any") {
            return self.cpu_instances.clone();
        }
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn pool_of(&self, gpu_type: &str) -> Option<&GpuPool> {
        self.gpu_pools.iter().find(|pool| pool.types.iter().any(|name| name == gpu_type))
    }

    /// What is wrong with a list of GPU pools and types, in which a leading `-` leaves a type out.
    pub(super) fn gpu_problems(&self, ids: &[&str]) -> Vec<String> {
        let asked: Vec<&GpuPool> =
            ids.iter().filter_map(|id| self.gpu_pools.iter().find(|pool| pool.id == **id)).collect();
        let pools = || self.gpu_pools.iter().map(|pool| pool.id.as_str());
        let types = || self.gpu_pools.iter().flat_map(|pool| pool.types.iter().map(String::as_str));
        let problem = |id: &&str| match id.strip_prefix('-') {
            Some(left_out) if !types().any(|known| known == left_out) => {
                Some(self.unknown("GPU type", left_out, types()))
            }
            Some(left_out) => {
                let in_a_pool = asked.iter().any(|pool| pool.types.iter().any(|name| name == left_out));
                (!in_a_pool).then(|| {
                    format!("GPU type `{left_out}` is left out, but is in none of the pools asked for")
                })
            }
            None if pools().chain(types()).any(|known| known == *id) => None,
            None if id.contains(' ') => Some(self.unknown("GPU type", id, types())),
            None => Some(self.unknown("GPU pool", id, pools())),
        };
        ids.iter().filter_map(problem).collect()
    }

    /// What is wrong with the name of a CPU instance, if anything.
    pub(super) fn cpu_problem(&self, id: &str) -> Option<String> {
        self.problem("CPU instance", id, &self.cpu_instances)
    }

    /// The largest container disk of a CPU instance in GB, where the snapshot knows it.
    pub(super) fn disk_limit_gb(&self, id: &str) -> Option<u32> {
        let (_, per_vcpu) =
            self.cpu_disk_gb_per_vcpu.iter().find(|(start, _)| id.starts_with(start.as_str()))?;
        let vcpus: u32 = id.split('-').nth(1)?.parse().ok()?;
        vcpus.checked_mul(*per_vcpu)
    }

    /// What is wrong with a place, if anything.
    pub(super) fn place_problem(&self, id: &str) -> Option<String> {
        if self.countries.iter().any(|country| country == id) {
            return None;
        }
        self.problem("data centre", id, &self.data_centers)
    }

    /// What is wrong with a CUDA version, if anything.
    pub(super) fn cuda_problem(&self, version: &str) -> Option<String> {
        self.problem("CUDA version", version, &self.cuda_versions)
    }

    /// A snapshot without such names knows nothing of them, so it refuses none.
    fn problem(&self, what: &str, name: &str, known: &[String]) -> Option<String> {
        let fine = known.is_empty() || known.iter().any(|known| known == name);
        (!fine).then(|| self.unknown(what, name, known.iter().map(String::as_str)))
    }

    fn unknown<'a>(&self, what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
        let hint = crate::fields::did_you_mean(name, known.clone());
        format!(
            "unknown {what} `{name}`{hint}\nhelp: known on {}: {}",
            self.taken_on,
            known.collect::<Vec<_>>().join(", ")
        )
    }
}
