//! The endpoints of a platform.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::PlatformError;
use crate::endpoint::Endpoint;

/// Endpoints by id.
#[derive(Debug, Default)]
pub(crate) struct Table {
    endpoints: RwLock<BTreeMap<String, Arc<Endpoint>>>,
}

impl Table {
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    #[cfg(feature = "control-plane")]
    pub(crate) fn remove(&self, id: &str) -> Option<Arc<Endpoint>> {
        self.endpoints.write().unwrap_or_else(PoisonError::into_inner).remove(id)
    }

    /// Adds an endpoint, unless one of that id and kind is there, which is the answer then.
    pub(crate) fn add(&self, endpoint: Endpoint) -> Result<Arc<Endpoint>, PlatformError> {
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = endpoints.get(endpoint.id.as_str()) {
            if there.kind == endpoint.kind {
                return Ok(there.clone());
            }
            return Err(PlatformError::Duplicate(endpoint.name));
        }
        let endpoint = Arc::new(endpoint);
        endpoints.insert(endpoint.id.to_string(), endpoint.clone());
        Ok(endpoint)
    }

    /// The addresses of all endpoints by name, as the JSON object that `FLASH_RESOURCES_ENDPOINTS` holds.
    pub(crate) fn addresses(&self, base: &str) -> String {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        let addresses: serde_json::Map<_, _> =
            endpoints.values().map(|endpoint| (endpoint.name.clone(), endpoint.url(base).into())).collect();
        serde_json::Value::Object(addresses).to_string()
    }
}
