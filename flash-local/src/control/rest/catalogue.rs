//! `/v2/catalog`: hardware that endpoints can name. On this platform all of it is this machine, there is always some of it,
//! and it costs nothing.

use std::collections::BTreeMap;

use axum::extract::{Path, Query};
use flash_core::manifest::Catalogue;
use serde_json::{Value, json};

use super::answer::{Answer, Json};
use super::endpoint::memory_per_vcpu;
use super::fields::cuda;
use super::problem::Problem;
use crate::control::records::CpuInstance;

type Asked = Query<BTreeMap<String, String>>;

pub(super) async fn gpus(Query(asked): Asked) -> Answer {
    let filter = Filter::read(&asked, &["POD", "CLUSTER", "SERVERLESS"])?;
    Ok(Json::ok(
        json!({ "gpus": all_gpus().map(|(id, pool)| show_gpu(id, pool, &filter)).collect::<Vec<_>>() }),
    ))
}

pub(super) async fn gpu(Path(wanted): Path<String>, Query(asked): Asked) -> Answer {
    let filter = Filter::read(&asked, &["POD", "CLUSTER", "SERVERLESS"])?;
    let found = all_gpus().find(|(id, _)| *id == wanted).ok_or_else(|| Problem::not_found("GPU type"))?;
    Ok(Json::ok(show_gpu(found.0, found.1, &filter)))
}

pub(super) async fn cpus(Query(asked): Asked) -> Answer {
    let filter = Filter::read(&asked, &["POD", "SERVERLESS"])?;
    Ok(Json::ok(json!({ "cpus": flavors().iter().map(|id| show_cpu(id, &filter)).collect::<Vec<_>>() })))
}

pub(super) async fn cpu(Path(wanted): Path<String>, Query(asked): Asked) -> Answer {
    let filter = Filter::read(&asked, &["POD", "SERVERLESS"])?;
    let found =
        flavors().into_iter().find(|id| *id == wanted).ok_or_else(|| Problem::not_found("CPU type"))?;
    Ok(Json::ok(show_cpu(found, &filter)))
}

pub(super) async fn data_centers(Query(asked): Asked) -> Answer {
    let include = includes(&asked)?;
    let regions = list(&asked, "regions", &REGIONS)?;
    let classes = list(&asked, "networkVolumeTypes", &["STANDARD", "HIGH_PERFORMANCE"])?;
    let compliance = list(&asked, "compliance", &COMPLIANCE)?;
    let global = match asked.get("globalNetwork").map(String::as_str) {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::invalid(vec!["globalNetwork must be true or false".to_owned()])),
    };
    // Places of this machine have no certificates, plain volumes, and no global network.
    let none = compliance.is_some()
        || global == Some(true)
        || classes.is_some_and(|all| all.contains(&"HIGH_PERFORMANCE".to_owned()));
    let places = Catalogue::bundled().data_centers.iter();
    let places = places
        .filter(|id| !none && regions.as_ref().is_none_or(|all| all.iter().any(|one| one == region(id))));
    Ok(Json::ok(json!({ "dataCenters": places.map(|id| show_place(id, &include)).collect::<Vec<_>>() })))
}

pub(super) async fn data_center(Path(wanted): Path<String>, Query(asked): Asked) -> Answer {
    let include = includes(&asked)?;
    let found = Catalogue::bundled().data_centers.iter().find(|id| **id == wanted);
    let found = found.ok_or_else(|| Problem::not_found("data center"))?;
    Ok(Json::ok(show_place(found, &include)))
}

const REGIONS: [&str; 9] = [
    "NORTH_AMERICA",
    "SOUTH_AMERICA",
    "EUROPE",
    "ASIA",
    "MIDDLE_EAST",
    "AFRICA",
    "OCEANIA",
    "ANTARCTICA",
    "UNKNOWN",
];

const COMPLIANCE: [&str; 12] = [
    "GDPR",
    "ISO_IEC_27001",
    "ISO_14001",
    "PCI_DSS",
    "HITRUST",
    "SOC_1_TYPE_2",
    "SOC_2_TYPE_2",
    "SOC_3_TYPE_2",
    "ITAR",
    "FISMA_HIGH",
    "HIPAA",
    "RENEWABLE",
];

/// The query of a list of hardware.
struct Filter {
    availability: bool,
    cuda: Option<Vec<String>>,
}

impl Filter {
    fn read(asked: &BTreeMap<String, String>, products: &[&str]) -> Result<Self, Problem> {
        let include = list(asked, "include", &["AVAILABILITY"])?;
        let availability = include.is_some_and(|list| !list.is_empty());
        let product = list(asked, "product", products)?;
        if availability != product.is_some() {
            return Err(Problem::bad(
                "product is required with include=AVAILABILITY, and valid only with it",
            ));
        }
        let only_with = ["count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion", "vcpuCount"];
        if let Some(name) = only_with.iter().find(|name| !availability && asked.contains_key(**name)) {
            return Err(Problem::bad(format!("{name} is valid only with include=AVAILABILITY")));
        }
        if asked.contains_key("cudaVersions") && asked.contains_key("minCudaVersion") {
            return Err(Problem::bad("cudaVersions and minCudaVersion exclude each other"));
        }
        let mut problems = Vec::new();
        let mut check = |name: &str, fits: &dyn Fn(&str) -> bool| {
            if asked.get(name).is_some_and(|text| !fits(text)) {
                problems.push(format!("{name} is not possible"));
            }
        };
        check("count", &|text| text.parse::<u32>().is_ok_and(|count| count > 0));
        check("vcpuCount", &|text| {
            text.parse::<u32>().is_ok_and(|count| count > 1 && count.is_power_of_two())
        });
        check("cloud", &|text| matches!(text, "SECURE" | "COMMUNITY"));
        check("countryCodes", &|text| {
            text.split(',').all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
        });
        check("cudaVersions", &|text| text.split(',').all(|version| cuda(version).is_none()));
        check("minCudaVersion", &|text| {
            cuda(text).is_none() || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !problems.is_empty() {
            return Err(Problem::invalid(problems));
        }
        let cuda = asked.get("cudaVersions").map(|text| text.split(',').map(str::to_owned).collect());
        Ok(Self { availability, cuda })
    }
}

/// A comma-separated list whose items must be among `values`.
fn list(
    asked: &BTreeMap<String, String>,
    name: &str,
    values: &[&str],
) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = asked.get(name) else { return Ok(None) };
    let items: Vec<String> = text.split(',').map(str::to_owned).collect();
    if items.iter().all(|item| values.contains(&item.as_str())) {
        return Ok(Some(items));
    }
    Err(Problem::invalid(vec![format!("{name} must be among {}", values.join(", "))]))
}

fn includes(asked: &BTreeMap<String, String>) -> Result<Vec<String>, Problem> {
    Ok(list(asked, "include", &["GPU_AVAILABILITY", "CPU_AVAILABILITY"])?.unwrap_or_default())
}

/// GPU types with their pools.
fn all_gpus() -> impl Iterator<Item = (&'static str, &'static str)> {
    let pools = Catalogue::bundled().gpu_pools.iter();
    pools.flat_map(|pool| pool.types.iter().map(|id| (id.as_str(), pool.id.as_str())))
}

fn show_gpu(id: &str, pool: &str, filter: &Filter) -> Value {
    let (memory, manufacturer) = (memory_of(pool), manufacturer_of(id));
    let mut shown = json!({
        "id": id, "name": id, "pool": pool, "manufacturer": manufacturer, "memory": memory,
        "secure": true, "community": false,
        "price": {"secure": 0.0, "community": 0.0, "serverless": 0.0},
        "maxCount": {"secure": 8, "community": 0},
    });
    if filter.availability {
        shown["availability"] = "HIGH".into();
        let versions = Catalogue::bundled().cuda_versions.iter();
        let versions =
            versions.filter(|version| filter.cuda.as_ref().is_none_or(|all| all.contains(version)));
        shown["cudaVersions"] =
            versions.map(|version| json!({"version": version, "available": true})).collect();
    }
    shown
}

/// GB. `ADA_32_PRO`: the name of a pool says how much memory its GPUs have.
pub(in crate::control) fn memory_of(pool: &str) -> u32 {
    pool.split('_').find_map(|part| part.parse().ok()).unwrap_or(0)
}

pub(in crate::control) fn manufacturer_of(gpu: &str) -> &'static str {
    if gpu.starts_with("AMD") { "AMD" } else { "NVIDIA" }
}

fn flavors() -> Vec<&'static str> {
    let mut flavors: Vec<_> =
        Catalogue::bundled().cpu_instances.iter().filter_map(|id| id.split('-').next()).collect();
    flavors.dedup();
    flavors
}

fn show_cpu(flavor: &str, filter: &Filter) -> Value {
    let instances = Catalogue::bundled().cpu_instances.iter().filter_map(|id| CpuInstance::from_id(id));
    let vcpus: Vec<u32> = instances.filter(|one| one.flavor == flavor).map(|one| one.vcpus).collect();
    let group = if flavor.ends_with('g') { "General Purpose" } else { "Compute-Optimized" };
    let mut shown = json!({
        "id": flavor, "name": flavor, "group": group,
        "vcpu": {"min": vcpus.iter().min(), "max": vcpus.iter().max()},
        "ramGbPerVcpu": memory_per_vcpu(flavor),
        "price": {"securePerVcpu": 0.0, "serverlessPerVcpu": 0.0},
    });
    if filter.availability {
        shown["availability"] = "HIGH".into();
    }
    shown
}

fn region(place: &str) -> &'static str {
    match place.split('-').next().unwrap_or_default() {
        "US" | "CA" => "NORTH_AMERICA",
        "EU" | "EUR" => "EUROPE",
        "AP" => "ASIA",
        "OC" => "OCEANIA",
        _ => "UNKNOWN",
    }
}

fn show_place(id: &str, include: &[String]) -> Value {
    let mut shown = json!({
        "id": id, "name": id, "region": region(id), "globalNetwork": false,
        "networkVolumeTypes": ["STANDARD"], "compliance": [],
    });
    let high = |id: &str| json!({"id": id, "name": id, "availability": "HIGH"});
    if include.iter().any(|one| one == "GPU_AVAILABILITY") {
        shown["gpuAvailability"] = all_gpus().map(|(id, _)| high(id)).collect();
    }
    if include.iter().any(|one| one == "CPU_AVAILABILITY") {
        shown["cpuAvailability"] = flavors().into_iter().map(high).collect();
    }
    shown
}
