//! Callers that want a certain worker (platform contract C, worker affinity).

use flash_core::ids::WorkerId;
use http::HeaderMap;

/// What a caller asks for with `X-Runpod-Worker-Id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Any worker.
    Any,
    /// This one if it can be, else any.
    Rather(WorkerId),
    /// This one or none. `strict-resume` is the same here: a worker of this platform does not come back once it is gone.
    Only(WorkerId),
}

impl Affinity {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value =
            headers.get("x-runpod-worker-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut words = value.split_whitespace();
        match (words.next(), words.next()) {
            (Some("strict" | "strict-resume"), Some(worker)) => Self::Only(worker.into()),
            (Some(worker), None) => Self::Rather(worker.into()),
            _ => Self::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_a_worker_and_how_much_it_matters() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-runpod-worker-id", text.parse().unwrap());
            Affinity::of(&headers)
        };
        assert_eq!(Affinity::of(&HeaderMap::new()), Affinity::Any);
        assert_eq!(of("w-1"), Affinity::Rather("w-1".into()));
        assert_eq!(of("strict w-1"), Affinity::Only("w-1".into()));
        assert_eq!(of("strict-resume w-1"), Affinity::Only("w-1".into()));
        assert_eq!(of("strict  "), Affinity::Rather("strict".into()));
        assert_eq!(of("what is this"), Affinity::Any);
    }
}
