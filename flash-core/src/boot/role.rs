use std::path::PathBuf;

use super::environment::{Boot, BootError};
use crate::endpoint::{Endpoint, Kind};
use crate::registry::Registry;

/// What a process does.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Writes the manifest to this file and exits.
    Describe(PathBuf),
    /// Takes jobs of this queue endpoint.
    Queue(&'static Endpoint),
    /// Serves this HTTP endpoint.
    Http(&'static Endpoint),
    /// Serves every endpoint of the app on one machine.
    Local,
}

impl Boot {
    /// The role, in this order: describe; the endpoint type; the legacy flag; on the platform the declared kind of the
    /// endpoint; a job-take URL; else local.
    ///
    /// # Errors
    /// A type that is unknown or contradicts the declaration, a resource name that is not declared, a queue worker
    /// without a job-take URL.
    pub fn role(&self, registry: &Registry) -> Result<Role, BootError> {
        if let Some(file) = &self.describe {
            return Ok(Role::Describe(file.clone()));
        }
        let kind = match self.endpoint_type.as_deref() {
            Some("lb") => Some(Kind::Http),
            Some("qb") => Some(Kind::Queue),
            Some(other) => {
                return Err(one(format!(
                    "FLASH_ENDPOINT_TYPE=`{other}` is unknown\nhelp: it is `lb` or `qb`"
                )));
            }
            None if self.legacy_lb => {
                tracing::warn!("FLASH_IS_MOTHERSHIP is deprecated; set FLASH_ENDPOINT_TYPE=lb");
                Some(Kind::Http)
            }
            None => None,
        };
        let declared = self.declared(registry)?;
        let kind = match (kind, declared) {
            (Some(kind), Some(declared)) if kind != declared.kind() => {
                return Err(one(format!(
                    "endpoint `{}` is declared as {}, but the environment starts it as {}\nhelp: set \
                     FLASH_ENDPOINT_TYPE={}, or remove it",
                    declared.name(),
                    words(declared.kind()),
                    words(kind),
                    short(declared.kind()),
                )));
            }
            (Some(kind), _) => kind,
            (None, Some(declared)) if self.is_deployed() => declared.kind(),
            (None, _) if self.jobs.take.is_some() => Kind::Queue,
            (None, _) => return Ok(Role::Local),
        };
        let endpoint = match declared {
            Some(declared) => declared,
            None => only(registry, kind)?,
        };
        match kind {
            Kind::Http => Ok(Role::Http(endpoint)),
            Kind::Queue if self.jobs.take.is_none() => Err(one(format!(
                "endpoint `{}` is to run as a queue worker, but RUNPOD_WEBHOOK_GET_JOB is not set\nhelp: the platform \
                 sets it; to serve the app on this machine, unset FLASH_ENDPOINT_TYPE and FLASH_RESOURCE_NAME",
                endpoint.name()
            ))),
            Kind::Queue => Ok(Role::Queue(endpoint)),
        }
    }

    fn declared(&self, registry: &Registry) -> Result<Option<&'static Endpoint>, BootError> {
        let Some(name) = &self.resource else { return Ok(None) };
        if registry.is_empty() {
            return Err(one(Registry::empty_help()));
        }
        registry.resource(name).map(Some).ok_or_else(|| {
            one(format!(
                "FLASH_RESOURCE_NAME=`{name}` is not an endpoint of this app; it has {}",
                names(registry)
            ))
        })
    }
}

fn only(registry: &Registry, kind: Kind) -> Result<&'static Endpoint, BootError> {
    if registry.is_empty() {
        return Err(one(Registry::empty_help()));
    }
    let mut of_kind = registry.resources().filter(|endpoint| endpoint.kind() == kind);
    match (of_kind.next(), of_kind.next()) {
        (Some(endpoint), None) => Ok(endpoint),
        (None, _) => {
            Err(one(format!("this app has no {} endpoint; it has {}", words(kind), names(registry))))
        }
        (Some(_), Some(_)) => Err(one(format!(
            "this app has several {} endpoints, so FLASH_RESOURCE_NAME must name one; it has {}",
            words(kind),
            names(registry)
        ))),
    }
}

fn names(registry: &Registry) -> String {
    registry.resources().map(|endpoint| format!("`{}`", endpoint.name())).collect::<Vec<_>>().join(", ")
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Queue => "queue",
        Kind::Http => "HTTP",
    }
}

fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::Queue => "qb",
        Kind::Http => "lb",
    }
}

fn one(text: String) -> BootError {
    BootError(vec![text])
}
