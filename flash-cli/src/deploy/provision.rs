use std::collections::BTreeMap;

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{ControlError, EndpointInput, LiveEndpoint, Platform};

use super::desired::Identity;
use super::plan::choose;

/// How often one endpoint is tried.
const ATTEMPTS: u32 = 3;

/// Which of the platform's interfaces saves an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    /// For endpoints that run the artifact of an environment.
    GraphQl,
    /// REST v2, for endpoints that run an image with the app in it.
    Rest,
}

/// An endpoint as it was saved.
pub(super) struct Saved {
    pub(super) id: String,
    /// As far as the platform's answer shows it.
    pub(super) live: Option<LiveEndpoint>,
}

/// What is provisioned, also of a deployment that fails later.
#[derive(Default)]
pub(super) struct Provisioned {
    /// Of all declared endpoints that are there.
    pub(super) ids: BTreeMap<String, String>,
    /// What the platform showed of those that were saved.
    pub(super) live: BTreeMap<String, LiveEndpoint>,
    /// Ids of those that are new.
    pub(super) created: Vec<String>,
}

impl Interface {
    async fn create(self, platform: &dyn Platform, input: &EndpointInput) -> Result<Saved, ControlError> {
        Ok(match self {
            Self::GraphQl => Saved { id: platform.create_endpoint(input).await?.id, live: None },
            Self::Rest => Saved::of(platform.create_from_image(input).await?),
        })
    }

    async fn update(
        self,
        platform: &dyn Platform,
        id: &str,
        input: &EndpointInput,
    ) -> Result<Saved, ControlError> {
        Ok(match self {
            Self::GraphQl => Saved { id: platform.update_endpoint(id, input).await?.id, live: None },
            Self::Rest => Saved::of(platform.update_from_image(id, input).await?),
        })
    }

    /// Saves one endpoint. A creation whose answer was lost is looked for before it is tried again, so it never makes two.
    pub(super) async fn save(
        self,
        platform: &dyn Platform,
        id: &Identity,
        resource: &str,
        entry: &ResourceEntry,
        live: Option<&str>,
        input: &EndpointInput,
    ) -> Result<Saved, ControlError> {
        if let Some(live) = live {
            return self.update(platform, live, input).await;
        }
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.create(platform, input).await {
                Ok(saved) => return Ok(saved),
                Err(error) => error,
            };
            if tried >= ATTEMPTS || !error.is_ambiguous() {
                return Err(error);
            }
            let all = platform.endpoints().await?;
            let same: Vec<&LiveEndpoint> = all
                .iter()
                .filter(|endpoint| endpoint.identity() == Some((&id.app, &id.env, resource)))
                .collect();
            if let Some(found) = choose(entry, None, &same) {
                return self.update(platform, &found.id, input).await;
            }
        }
    }
}

impl Saved {
    fn of(live: LiveEndpoint) -> Self {
        Self { id: live.id.clone(), live: Some(live) }
    }
}
