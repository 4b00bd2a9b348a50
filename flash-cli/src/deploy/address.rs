use flash_platform::control::{LiveEndpoint, RunPod};

use super::desired::Lookup;

/// Where an endpoint is called.
pub(crate) fn address_of(
    platform: &RunPod,
    lookup: &Lookup,
    id: &str,
    is_load_balanced: bool,
    live: Option<&LiveEndpoint>,
) -> String {
    if !is_load_balanced {
        return platform.urls().endpoint(id);
    }
    let base = live.and_then(|live| live.request_urls.get("base")).filter(|url| !url.is_empty()).cloned();
    let template = || {
        let template = lookup("FLASH_LB_URL_TEMPLATE").filter(|text| !text.trim().is_empty());
        template.unwrap_or_else(|| "https://{id}.api.runpod.ai".to_owned()).replace("{id}", id)
    };
    base.unwrap_or_else(template).trim_end_matches('/').to_owned()
}
