//! Network volumes are directories under the platform's data.

use std::sync::Arc;

use super::records::Volume;
use super::{Control, ControlError, id};

impl Control {
    pub(super) async fn create_volume(self: &Arc<Self>, volume: Volume) -> Result<Arc<Volume>, ControlError> {
        let volume = Volume { id: id::object(), ..volume };
        let dir = self.volume_dir(&volume.id);
        self.write(move |state| {
            std::fs::create_dir_all(&dir).map_err(|error| ControlError::Storage(error.to_string()))?;
            Ok(state.volumes.put(volume))
        })
        .await
    }

    /// Changes the name, and the size, which can only grow.
    pub(super) async fn update_volume(
        self: &Arc<Self>,
        id: String,
        name: Option<String>,
        size: Option<u32>,
    ) -> Result<Arc<Volume>, ControlError> {
        self.write(move |state| {
            let mut volume = Volume::clone(state.volume(&id)?);
            if let Some(size) = size {
                if size < volume.size {
                    let problem =
                        format!("size {size} is below the present {}: a volume only grows", volume.size);
                    return Err(ControlError::Conflict(problem));
                }
                volume.size = size;
            }
            volume.name = name.unwrap_or(volume.name);
            Ok(state.volumes.put(volume))
        })
        .await
    }

    /// Deletes a volume with everything in it.
    pub(super) async fn delete_volume(self: &Arc<Self>, id: String) -> Result<(), ControlError> {
        let dir = self.volume_dir(&id);
        self.write(move |state| {
            state.volume(&id)?;
            if let Some(user) = state.endpoints.find(|endpoint| endpoint.volumes.contains(&id)) {
                let problem = format!("the volume is in use by endpoint {:?} ({})", user.name, user.id);
                return Err(ControlError::Conflict(problem));
            }
            state.volumes.remove(&id);
            Ok(())
        })
        .await?;
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(dir)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "failed to remove the directory of a network volume");
        }
        Ok(())
    }
}
