use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flash_core::{Error, code};
use reqwest::Url;

use crate::direct::Origin;
use crate::http::parsed;

/// Where an HTTP endpoint is.
#[derive(Debug)]
pub(crate) struct Base {
    /// Without a slash at its end.
    pub(crate) address: String,
    pub(crate) url: Url,
    pub(crate) origin: Origin,
    /// What stands before the path of each route, without a slash at its end.
    pub(crate) path: String,
}

/// The addresses of HTTP endpoints, each read once, with the connections to it.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    known: Mutex<HashMap<String, Arc<Base>>>,
}

impl Bases {
    /// The endpoint at `address`, which ends without a slash.
    ///
    /// # Errors
    /// `no_address`.
    pub(crate) fn at(&self, address: &str) -> Result<Arc<Base>, Error> {
        if let Some(base) = self.lock().get(address) {
            return Ok(Arc::clone(base));
        }
        let url = parsed(address)?;
        let (origin, path) = Origin::parse(address)
            .map_err(|text| Error::new(code::NO_ADDRESS, format!("`{address}` {text}")).terminal())?;
        let path = path.trim_end_matches('/').to_owned();
        let base = Arc::new(Base { address: address.to_owned(), url, origin, path });
        Ok(Arc::clone(self.lock().entry(address.to_owned()).or_insert(base)))
    }

    /// The endpoint is somewhere else now, so nobody needs the connections to where it was.
    pub(crate) fn forget(&self, address: &str) {
        self.lock().remove(address);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Base>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
