use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use flash_core::manifest::{Catalogue, ResourceEntry};
use flash_platform::control::{HourlyPrice, Platform};

use crate::failure::Failure;
use crate::report::{Cost, EndpointCost};

pub(super) fn is_local(platform_name: &str) -> bool {
    platform_name == "local"
}

/// What the workers of these endpoints cost on a platform. The local platform's cost nothing, so what they would cost elsewhere is
/// told there.
pub(crate) async fn cost_on(
    platform: &dyn Platform,
    platform_name: &str,
    own: &BTreeMap<String, f64>,
    resources: &BTreeMap<String, ResourceEntry>,
) -> Cost {
    let listed = match is_local(platform_name) {
        true => None,
        // A catalogue that cannot be read is no reason to deploy nothing; the snapshot says its day.
        false => platform.prices().await.ok(),
    };
    listed.map_or_else(Prices::snapshot, Prices::of_platform).with(own).cost(resources)
}

/// What hardware costs, in US dollars an hour: a GPU by its pool, a vCPU by its flavour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prices {
    from: String,
    hourly: BTreeMap<String, f64>,
}

impl Prices {
    /// The list prices that this version was built with.
    pub(crate) fn snapshot() -> Self {
        let catalogue = Catalogue::bundled();
        let known = catalogue.gpu_pools.iter();
        let hourly = known.filter_map(|pool| Some((pool.id.clone(), pool.usd_per_gpu_hour()?)));
        let day = catalogue.prices_taken_on.as_deref().unwrap_or("an unknown day");
        Self { from: format!("RunPod's list prices of {day}"), hourly: hourly.collect() }
    }

    /// What the platform says now.
    pub(crate) fn of_platform(listed: Vec<HourlyPrice>) -> Self {
        let mut hourly: BTreeMap<String, f64> = BTreeMap::new();
        for price in listed {
            // Types of one pool have one price; should they ever differ, the dearest may be the one that comes.
            let known = hourly.entry(price.hardware).or_insert(price.usd);
            *known = known.max(price.usd);
        }
        let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        Self { from: format!("the platform's catalogue of {day}"), hourly }
    }

    /// The prices that the user has agreed on come first.
    pub(crate) fn with(mut self, own: &BTreeMap<String, f64>) -> Self {
        if !own.is_empty() {
            self.from = format!("{}, and flash.toml", self.from);
            self.hourly.extend(own.iter().map(|(hardware, usd)| (hardware.clone(), *usd)));
        }
        self
    }

    /// The dearest worker that an endpoint may get, or what nobody knows the price of.
    fn worker(&self, entry: &ResourceEntry) -> Result<f64, BTreeSet<String>> {
        let mut unknown = BTreeSet::new();
        let mut dearest = 0.0_f64;
        let mut add = |hardware: &str, units: f64| match self.hourly.get(hardware) {
            Some(usd) => dearest = dearest.max(usd * units),
            None => drop(unknown.insert(hardware.to_owned())),
        };
        let instances = entry.instance_ids.as_deref().unwrap_or_default();
        for instance in instances {
            // `cpu3c-2-4`: flavour, vCPUs, memory.
            let mut parts = instance.split('-');
            let flavor = parts.next().unwrap_or(instance);
            let vcpus: f64 = parts.next().and_then(|text| text.parse().ok()).unwrap_or(1.0);
            add(flavor, vcpus);
        }
        let pools = entry.gpu_ids.as_deref().unwrap_or_default().split(',').map(str::trim);
        let gpus = f64::from(entry.gpu_count.unwrap_or(1).max(1));
        for pool in pools.filter(|pool| !pool.is_empty() && !pool.starts_with('-')) {
            add(pool, gpus);
        }
        if instances.is_empty() && entry.gpu_ids.as_deref().is_none_or(str::is_empty) {
            unknown.insert("the platform's choice of hardware".to_owned());
        }
        if unknown.is_empty() { Ok(dearest) } else { Err(unknown) }
    }

    /// What these endpoints cost.
    pub(crate) fn cost(&self, resources: &BTreeMap<String, ResourceEntry>) -> Cost {
        let endpoints: Vec<EndpointCost> =
            resources.iter().map(|(name, entry)| self.endpoint(name, entry)).collect();
        let sum =
            |of: fn(&EndpointCost) -> Option<f64>| endpoints.iter().map(of).sum::<Option<f64>>().map(cents);
        Cost {
            hourly_min: sum(|endpoint| endpoint.hourly_min),
            hourly_max: sum(|endpoint| endpoint.hourly_max),
            prices: self.from.clone(),
            endpoints,
        }
    }

    fn endpoint(&self, name: &str, entry: &ResourceEntry) -> EndpointCost {
        let worker = self.worker(entry);
        let of = |workers: u32| match &worker {
            // Nobody pays for a worker that is not there, whatever it would cost.
            _ if workers == 0 => Some(0.0),
            Ok(usd) => Some(cents(usd * f64::from(workers))),
            Err(_) => None,
        };
        EndpointCost {
            resource: name.to_owned(),
            hourly_min: of(entry.workers_min),
            hourly_max: of(entry.workers_max),
            unknown: worker.err().unwrap_or_default().into_iter().collect(),
        }
    }
}

/// Hundredths of a cent; the rest is noise of floating-point numbers.
fn cents(usd: f64) -> f64 {
    (usd * 10_000.0).round() / 10_000.0
}

impl Cost {
    fn unknown(&self) -> Vec<String> {
        let known = self.endpoints.iter().filter(|endpoint| !endpoint.unknown.is_empty());
        known.map(|endpoint| format!("{} ({})", endpoint.resource, endpoint.unknown.join(", "))).collect()
    }

    /// For people. On this machine nothing is paid, and a rehearsal shows what it would be elsewhere.
    pub(crate) fn text(&self, is_local: bool) -> String {
        let usd = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |usd| format!("${usd:.2}"));
        let (least, most) = (usd(self.hourly_min), usd(self.hourly_max));
        let mut text = format!("cost an hour: {least} with the fewest workers, {most} with the most");
        // Writing to a string cannot fail.
        let _ = write!(text, " ({})", self.prices);
        let unknown = self.unknown();
        if !unknown.is_empty() {
            let _ = write!(text, "\n  no price is known for {}", unknown.join("; "));
        }
        if is_local {
            text.push_str("\n  on this machine it costs nothing");
        }
        text
    }

    /// Refuses what could cost more than this, and what nobody knows the price of.
    pub(crate) fn check(&self, limit: Option<f64>) -> Result<(), Failure> {
        let Some(limit) = limit else { return Ok(()) };
        match self.hourly_max {
            Some(most) if most <= limit => Ok(()),
            Some(most) => Err(Failure::new(format!(
                "this could cost ${most:.2} an hour, and --max-hourly is ${limit:.2} ({}); nothing was changed",
                self.prices
            ))
            .help("declare fewer workers or other hardware, or raise --max-hourly")),
            None => Err(Failure::new(format!(
                "nobody knows whether this stays below --max-hourly ${limit:.2}: no price is known for {}; nothing was changed",
                self.unknown().join("; ")
            ))
            .help("write what you pay into flash.toml: [prices] with `cpu3c = 0.05` (US dollars an hour for a vCPU, or for a GPU of a pool)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_core::manifest::Manifest;

    fn cost(json: &str, own: &[(&str, f64)]) -> Cost {
        let own = own.iter().map(|(name, usd)| ((*name).to_owned(), *usd)).collect();
        let manifest = Manifest::from_json(&format!("{{\"resources\": {json}}}")).unwrap();
        Prices::snapshot().with(&own).cost(&manifest.resources)
    }

    const GPU: &str = r#"{"g": {"gpuIds": "AMPERE_24,ADA_24,-NVIDIA L4", "gpuCount": 2, "workersMin": 1, "workersMax": 3}}"#;

    #[test]
    fn the_dearest_worker_counts_times_its_gpus() {
        let cost = cost(GPU, &[]);
        // ADA_24 is $0.00031 a second.
        assert_eq!((cost.hourly_min, cost.hourly_max), (Some(2.232), Some(6.696)));
        let text = cost.text(false);
        assert!(text.contains("$2.23") && text.contains("$6.70") && text.contains("2026-06-08"), "{text}");
        cost.check(Some(6.7)).unwrap();
        let failure = cost.check(Some(6.0)).unwrap_err();
        assert!(failure.text.contains("$6.70") && failure.text.contains("$6.00"), "{failure}");
    }

    #[test]
    fn an_unknown_price_is_said_and_refused_and_can_be_told() {
        let cpu = r#"{"c": {"instanceIds": ["cpu3c-2-4"], "workersMin": 0, "workersMax": 2}}"#;
        let unknown = cost(cpu, &[]);
        assert_eq!((unknown.hourly_min, unknown.hourly_max), (Some(0.0), None));
        assert!(unknown.text(true).contains("no price is known for c (cpu3c)"), "{}", unknown.text(true));
        unknown.check(None).unwrap();
        let failure = unknown.check(Some(100.0)).unwrap_err();
        assert!(failure.text.contains("cpu3c") && failure.text.contains("[prices]"), "{failure}");
        let told = cost(cpu, &[("cpu3c", 0.05)]);
        assert_eq!(told.hourly_max, Some(0.2));
        told.check(Some(0.2)).unwrap();
        assert!(told.prices.contains("flash.toml"), "{}", told.prices);
    }

    #[test]
    fn hardware_that_the_platform_chooses_has_no_price() {
        let any = cost(r#"{"a": {"workersMax": 1}, "b": {"gpuIds": "AMPERE_16", "workersMax": 1}}"#, &[]);
        assert_eq!(any.hourly_max, None);
        assert_eq!(any.endpoints[1].hourly_max, Some(0.576));
    }

    #[test]
    fn the_platforms_prices_take_the_dearest_of_a_pool() {
        let price = |hardware: &str, usd| HourlyPrice { hardware: hardware.to_owned(), usd };
        let prices =
            Prices::of_platform(vec![price("ADA_24", 1.0), price("ADA_24", 1.5), price("AMPERE_24", 0.5)]);
        let manifest = Manifest::from_json(&format!("{{\"resources\": {GPU}}}")).unwrap();
        assert_eq!(prices.cost(&manifest.resources).hourly_min, Some(3.0));
    }
}
