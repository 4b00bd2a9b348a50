//! Hardware and places, checked against a snapshot of what the platform has.

use flash_core::Endpoint;
use flash_core::manifest::{Catalogue, Manifest, ResourceEntry};

fn gpu_ids(names: &'static [&'static str]) -> String {
    ResourceEntry::of(&Endpoint::queue("x").gpu(names), Catalogue::bundled()).gpu_ids.unwrap()
}

/// The problems of an endpoint with these settings.
fn problems(settings: &str, catalogue: &Catalogue) -> String {
    let json = format!(r#"{{"resources": {{"x": {{"functions": [{{"name": "f"}}], {settings}}}}}}}"#);
    let manifest = Manifest::from_json(&json).unwrap();
    manifest.validate_with(catalogue).err().map(|errors| errors.to_string()).unwrap_or_default()
}

fn bundled(settings: &str) -> String {
    problems(settings, Catalogue::bundled())
}

#[test]
fn the_bundled_snapshot_says_its_day_and_names_nothing_twice() {
    let catalogue = Catalogue::bundled();
    assert!(catalogue.taken_on.starts_with("20"), "{}", catalogue.taken_on);
    let mut names: Vec<&str> = catalogue.gpu_pools.iter().map(|pool| pool.id.as_str()).collect();
    assert_eq!(names.len(), 11);
    names.extend(catalogue.gpu_pools.iter().flat_map(|pool| &pool.types).map(String::as_str));
    names.extend(catalogue.cpu_instances.iter().map(String::as_str));
    names.extend(catalogue.data_centers.iter().map(String::as_str));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_gpu_type_becomes_its_pool_without_the_other_types() {
    assert_eq!(gpu_ids(&["ADA_24"]), "ADA_24");
    assert_eq!(gpu_ids(&["NVIDIA GeForce RTX 4090"]), "ADA_24");
    assert_eq!(gpu_ids(&["NVIDIA L4"]), "AMPERE_24,-NVIDIA RTX A5000,-NVIDIA GeForce RTX 3090");
    assert_eq!(gpu_ids(&["NVIDIA L4", "NVIDIA RTX A5000"]), "AMPERE_24,-NVIDIA GeForce RTX 3090");
    // A pool that is named itself is meant as a whole.
    assert_eq!(gpu_ids(&["NVIDIA L4", "AMPERE_24"]), "AMPERE_24");
    // The order is the author's preference.
    assert_eq!(
        gpu_ids(&["HOPPER_141", "NVIDIA A40", "ADA_24"]),
        "HOPPER_141,AMPERE_48,ADA_24,-NVIDIA RTX A6000"
    );
    assert_eq!(gpu_ids(&["any"]).split(',').count(), 11);
    assert_eq!(gpu_ids(&["ADA_25"]), "ADA_25", "left for the validation to find");
}

#[test]
fn known_names_are_accepted() {
    for settings in [
        r#""gpuIds": "ADA_24,AMPERE_24,-NVIDIA L4""#,
        r#""gpuIds": "NVIDIA L4, ADA_24", "minCudaVersion": "12.8""#,
        r#""instanceIds": ["cpu3c-1-2"], "locations": "EU-RO-1,US-CA-2""#,
        r#""instanceIds": ["cpu3c-1-2"], "locations": "US""#,
        r#""networkVolumes": [{"name": "v", "size": 10, "dataCenterId": "EU-RO-1"}]"#,
    ] {
        assert_eq!(bundled(settings), "", "{settings}");
    }
}

#[test]
fn unknown_names_are_refused_with_the_one_that_was_meant() {
    for (settings, expected) in [
        (r#""gpuIds": "ADA_25""#, "endpoint `x`: unknown GPU pool `ADA_25`; did you mean `ADA_24`?"),
        (r#""gpuIds": "NVIDIA L5""#, "unknown GPU type `NVIDIA L5`; did you mean `NVIDIA L4`?"),
        (r#""gpuIds": "AMPERE_24,-NVIDIA L5""#, "unknown GPU type `NVIDIA L5`"),
        (r#""gpuIds": "ADA_24,-NVIDIA L4""#, "`NVIDIA L4` is left out, but is in none of the pools"),
        (r#""instanceIds": ["cpu3c-1-3"]"#, "unknown CPU instance `cpu3c-1-3`"),
        (r#""locations": "EU-RO-2""#, "unknown data centre `EU-RO-2`; did you mean `EU-RO-1`?"),
        (r#""minCudaVersion": "12.99""#, "unknown CUDA version `12.99`"),
        (
            r#""locations": "US-CA-2", "networkVolumes": [{"name": "v", "size": 10, "dataCenterId": "EU-RO-1"}]"#,
            "volume `v` lies in EU-RO-1, where the endpoint does not run",
        ),
    ] {
        let problems = bundled(settings);
        assert!(problems.contains(expected), "{expected} in {problems}");
        assert!(!problems.contains("help: known") || problems.contains("known on 20"), "{problems}");
    }
}

#[test]
fn a_newer_snapshot_takes_the_place_of_the_bundled_one() {
    let newer = Catalogue::from_json(
        r#"{"taken_on": "2027-01-01", "gpu_pools": [{"id": "RUBIN_288", "types": ["NVIDIA R200"]}],
            "cpu_instances": ["cpu7c-1-2"], "a key of the future": 1}"#,
    )
    .unwrap();
    assert_eq!(problems(r#""gpuIds": "RUBIN_288""#, &newer), "");
    assert!(problems(r#""gpuIds": "ADA_24""#, &newer).contains("known on 2027-01-01: RUBIN_288"));
    assert_ne!(bundled(r#""gpuIds": "RUBIN_288""#), "");
    // It says nothing of data centres, so it refuses none.
    assert_eq!(problems(r#""locations": "XX-1""#, &newer), "");
    let entry = ResourceEntry::of(&Endpoint::queue("x"), &newer);
    assert_eq!(entry.gpu_ids.as_deref(), Some("RUBIN_288"));
    assert!(Catalogue::from_json(r#"{"taken_on": 1}"#).unwrap_err().contains("line 1"));
}

static SMALL: Endpoint = Endpoint::http("small").cpu(&["cpu5c-4-8", "cpu3c-1-2"]);
static LARGE: Endpoint = Endpoint::http("large").cpu(&["cpu5c-4-8"]);
static GPU_DISK: Endpoint = Endpoint::queue("gpu-disk").gpu(&["ADA_24"]);
static TOO_LARGE: Endpoint =
    Endpoint::http("too-large").cpu(&["cpu5c-4-8", "cpu3c-2-4"]).container_disk_gb(21);

#[test]
fn a_disk_is_no_larger_than_the_smallest_instance_can_have() {
    let disk = |endpoint| ResourceEntry::of(endpoint, Catalogue::bundled()).container_disk_in_gb;
    assert_eq!((disk(&SMALL), disk(&LARGE), disk(&GPU_DISK)), (Some(10), Some(20), Some(20)));
    let mut manifest = Manifest::default();
    let entry = ResourceEntry::of(&TOO_LARGE, Catalogue::bundled());
    manifest.resources.insert("too-large".to_owned(), entry.clone());
    let errors = manifest.validate().unwrap_err().to_string();
    assert!(
        errors.contains("a container disk of 21 GB is more than the 20 GB of CPU instance `cpu3c-2-4`"),
        "{errors}"
    );
    // A snapshot without limits refuses nothing.
    let mut unknowing = Catalogue::bundled().clone();
    unknowing.cpu_disk_gb_per_vcpu.clear();
    let errors = manifest.validate_with(&unknowing).unwrap_err().to_string();
    assert!(!errors.contains("container disk"), "{errors}");
}
