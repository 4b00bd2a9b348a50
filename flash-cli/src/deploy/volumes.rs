use std::collections::BTreeMap;

use flash_core::manifest::ResourceEntry;
use flash_platform::control::{NetworkVolume, Platform, VolumeRef};

use crate::failure::Failure;

/// The data centre of a volume that names none: where the endpoint runs, when that is one place.
fn place<'a>(entry: &'a ResourceEntry, declared: Option<&'a str>) -> Option<&'a str> {
    let only = || {
        let mut places = entry.locations.as_deref()?.split(',').filter(|id| !id.is_empty());
        let first = places.next()?;
        places.next().is_none().then_some(first)
    };
    declared.or_else(only)
}

/// Checks that every volume can be made, before anything is changed.
pub(crate) fn check_volumes(resources: &BTreeMap<String, ResourceEntry>) -> Result<(), Failure> {
    for (name, entry) in resources {
        for volume in &entry.network_volumes {
            if place(entry, volume.data_center_id.as_deref()).is_none() {
                return Err(Failure::new(format!(
                    "volume `{}` of endpoint `{name}` has no data centre, and the endpoint runs in several",
                    volume.name
                ))
                .help("add `.data_center(\"EU-RO-1\")` to the volume"));
            }
        }
    }
    Ok(())
}

/// The ids of an endpoint's volumes, found by name and place. Those that do not exist are made when `create` says so, and
/// left out otherwise.
pub(crate) async fn volumes_of(
    platform: &dyn Platform,
    entry: &ResourceEntry,
    known: &mut Vec<NetworkVolume>,
    create: bool,
) -> Result<Vec<VolumeRef>, Failure> {
    let mut found = Vec::new();
    for declared in &entry.network_volumes {
        let Some(place) = place(entry, declared.data_center_id.as_deref()) else { continue };
        let there = known.iter().find(|volume| volume.name == declared.name && volume.data_center == place);
        let id = match there {
            Some(volume) => volume.id.clone(),
            None if create => {
                let made = platform.create_volume(&declared.name, declared.size, place).await?;
                known.push(made.clone());
                made.id
            }
            None => continue,
        };
        found.push(VolumeRef { network_volume_id: id });
    }
    Ok(found)
}
