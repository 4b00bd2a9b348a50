use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use flash_core::{CallRequest, Error, HttpRoute, Method};
use reqwest::Url;

use crate::http::parsed;

/// The addresses of routes that no argument changes, read once: that is a tenth of what a call costs.
#[derive(Debug, Default)]
pub(crate) struct RouteUrls {
    /// By the callee's name; with the endpoint's address, which may change.
    known: Mutex<HashMap<&'static str, (String, Arc<Url>)>>,
}

impl RouteUrls {
    /// The whole address of the callee at `address`; `None` when it depends on the arguments.
    pub(crate) fn of(&self, address: &str, request: &CallRequest) -> Result<Option<Arc<Url>>, Error> {
        let Some(route) = request.callee.http.filter(is_fixed) else { return Ok(None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, url)) = known.get(request.callee.name)
            && at == address
        {
            return Ok(Some(Arc::clone(url)));
        }
        let url = Arc::new(parsed(&[address, route.path].concat())?);
        known.insert(request.callee.name, (address.to_owned(), Arc::clone(&url)));
        Ok(Some(url))
    }
}

/// Whether every argument goes into the body.
fn is_fixed(route: &HttpRoute) -> bool {
    route.method != Method::GET && !route.path.contains('{')
}
