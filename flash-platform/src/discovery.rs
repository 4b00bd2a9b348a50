use std::collections::BTreeMap;

use flash_core::{Error, code};

/// Where the endpoints of this app are.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    addresses: BTreeMap<String, String>,
}

impl Peers {
    /// Peers with known addresses: `FLASH_RESOURCES_ENDPOINTS`.
    #[must_use]
    pub fn new(addresses: BTreeMap<String, String>) -> Self {
        Self { addresses }
    }

    /// Whether anything is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// The address of an endpoint, without a slash at its end.
    ///
    /// # Errors
    /// `no_address`, with the sources that were asked.
    pub fn address(&self, endpoint: &str) -> Result<&str, Error> {
        self.addresses.get(endpoint).map(|address| address.trim_end_matches('/')).ok_or_else(|| {
            let known = self.addresses.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "nothing".to_owned() } else { known };
            Error::new(
                code::NO_ADDRESS,
                format!(
                    "no address is known for endpoint `{endpoint}`: FLASH_RESOURCES_ENDPOINTS names {known}\nhelp: add \
                     it there, or deploy the app, which fills it in"
                ),
            )
        })
    }
}
