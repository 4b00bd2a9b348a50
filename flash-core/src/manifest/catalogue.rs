//! Names that the platform knew on 2026-08-06 (platform contract D.3). A newer list replaces this file.

const GPU_POOLS: &[&str] = &[
    "ADA_24",
    "ADA_32_PRO",
    "ADA_48_PRO",
    "ADA_80_PRO",
    "AMPERE_16",
    "AMPERE_24",
    "AMPERE_48",
    "AMPERE_80",
    "BLACKWELL_96",
    "BLACKWELL_180",
    "HOPPER_141",
];

const CPU_INSTANCES: &[&str] = &[
    "cpu3c-1-2",
    "cpu3c-2-4",
    "cpu3c-4-8",
    "cpu3c-8-16",
    "cpu3g-1-4",
    "cpu3g-2-8",
    "cpu3g-4-16",
    "cpu3g-8-32",
    "cpu5c-1-2",
    "cpu5c-2-4",
    "cpu5c-4-8",
    "cpu5c-8-16",
];

/// The pools that these names mean; `any` means all.
pub(super) fn gpu_pools(names: &[&str]) -> Vec<String> {
    expand(names, GPU_POOLS)
}

/// The instances that these names mean; `any` means all.
pub(super) fn cpu_instances(names: &[&str]) -> Vec<String> {
    expand(names, CPU_INSTANCES)
}

fn expand(names: &[&str], all: &[&str]) -> Vec<String> {
    let names = if names.contains(&"any") { all } else { names };
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What is wrong with the name of a GPU, if anything. GPU type names are the vendor's product names.
pub(super) fn gpu_problem(name: &str) -> Option<String> {
    if GPU_POOLS.contains(&name) || name.starts_with("NVIDIA ") || name.starts_with("AMD ") {
        return None;
    }
    Some(problem("GPU pool", name, GPU_POOLS))
}

/// What is wrong with the name of a CPU instance, if anything.
pub(super) fn cpu_problem(name: &str) -> Option<String> {
    if CPU_INSTANCES.contains(&name) { None } else { Some(problem("CPU instance", name, CPU_INSTANCES)) }
}

fn problem(what: &str, name: &str, known: &[&str]) -> String {
    let hint = crate::fields::did_you_mean(name, known.iter().copied());
    format!("unknown {what} `{name}`{hint}\nhelp: known are {}", known.join(", "))
}
