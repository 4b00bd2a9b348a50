//! How much every endpoint had to do lately.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::plane::Plane;

/// Samples of an endpoint that are kept, one a second.
const SAMPLES: usize = 90;

/// What waited and what ran, oldest first.
type Samples = VecDeque<(u64, u64)>;

/// A small graph must not be empty for the first minute and a half that somebody looks at it.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<HashMap<String, Samples>>);

impl History {
    /// Takes samples until the platform stops.
    pub(super) async fn run(self: Arc<Self>, plane: Arc<Plane>) {
        let sampling = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.sample(&plane).await;
            }
        };
        let _: Option<()> = plane.stop.run_until_cancelled(sampling).await;
    }

    async fn sample(&self, plane: &Plane) {
        let mut now = HashMap::new();
        for endpoint in plane.table.all() {
            now.insert(endpoint.id.to_string(), load(plane, &endpoint).await);
        }
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.retain(|id, _| now.contains_key(id));
        for (id, sample) in now {
            let samples = samples.entry(id).or_default();
            samples.push_back(sample);
            if samples.len() > SAMPLES {
                samples.pop_front();
            }
        }
    }

    /// The samples of an endpoint.
    pub(super) fn of(&self, endpoint: &str) -> Samples {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(endpoint).cloned().unwrap_or_default()
    }
}

async fn load(plane: &Plane, endpoint: &Endpoint) -> (u64, u64) {
    match &endpoint.queue {
        Some(queue) => match queue.depth().await {
            Ok(depth) => (depth.in_queue, depth.in_progress),
            // The store has said so elsewhere.
            Err(_) => (0, 0),
        },
        None => {
            let load = endpoint.pool.load(plane.clock.now());
            (load.waiting, load.running)
        }
    }
}
