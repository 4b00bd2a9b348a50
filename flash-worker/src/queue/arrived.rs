use bytes::Bytes;
use flash_core::Endpoint;
use flash_core::clock::Timestamp;
use flash_core::wire::TakenJob;
use serde_json::value::RawValue;

use super::held::{Held, HeldJob};
use super::life::{Life, attempt};
use super::slots::Slot;

/// A job that was taken, with its place.
///
/// Its envelope is read on the intake's thread, so that heartbeat and stop channel know the job from the moment it is
/// here, even while user functions block every thread of the main runtime.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) job: HeldJob,
    /// The JSON of the input; the platform strips an empty one.
    pub(crate) input: Option<Bytes>,
    pub(crate) attempt: u32,
    pub(crate) life: Life,
    pub(crate) slot: Slot,
}

impl Arrived {
    /// Reads what the queue sent. `None` for what is no job: without an id there is nobody to answer.
    pub(crate) fn read(
        body: &Bytes,
        mut slot: Slot,
        held: &Held,
        endpoint: &Endpoint,
        taken: Timestamp,
    ) -> Option<Self> {
        let job: TakenJob<&RawValue> = match serde_json::from_slice(body) {
            Ok(job) => job,
            Err(error) => {
                tracing::error!(%error, "the queue sent a job that cannot be read");
                return None;
            }
        };
        // From here on the worker is busy, before the job's function runs.
        slot.begin();
        let life = Life::new(&job, endpoint, taken);
        let attempt = attempt(job.extra.iter().map(|(key, json)| (key.as_str(), json.get())));
        let input = job.input.map(|input| body.slice_ref(input.get().as_bytes()));
        Some(Self { job: held.add(job.id), input, attempt, life, slot })
    }

    /// The input as text. It was read as JSON before, so it is UTF-8.
    pub(crate) fn text(input: Option<&Bytes>) -> Option<&str> {
        std::str::from_utf8(input?).ok()
    }
}
