use std::collections::BTreeMap;

use mixed_workers::model::{BUCKETS, CLASSES, Feature, features};

use crate::{corpus::Sample, fit::Model};

/// Which feature owns which bucket.
#[derive(Debug)]
pub(crate) struct Table {
    tags: Vec<u8>,
}

/// A feature seen in fewer samples is not worth a bucket.
const MIN_SAMPLES: f32 = 2.0;

impl Table {
    /// Gives each bucket to the feature that tells most about the class, by chi squared against the shares of the classes.
    pub(crate) fn choose(samples: &[Sample]) -> Self {
        let mut counts = BTreeMap::<Feature, (f32, [f32; CLASSES])>::new();
        let mut totals = [0.0f32; CLASSES];
        for sample in samples {
            let mut found = features(&sample.text);
            found.sort_unstable();
            found.dedup();
            for feature in found {
                let (seen, classes) = counts.entry(feature).or_default();
                *seen += 1.0;
                for (class, share) in classes.iter_mut().zip(sample.target) {
                    *class += share * sample.weight;
                }
            }
            for (total, share) in totals.iter_mut().zip(sample.target) {
                *total += share * sample.weight;
            }
        }
        let all: f32 = totals.iter().sum();
        let mut owners = vec![(0u8, 0.0f32); BUCKETS];
        for (feature, (seen, classes)) in counts {
            if seen < MIN_SAMPLES {
                continue;
            }
            let mass: f32 = classes.iter().sum();
            let tells: f32 = classes
                .iter()
                .zip(totals)
                .map(|(count, total)| {
                    let expected = mass * total / all;
                    (count - expected).powi(2) / expected
                })
                .sum();
            let owner = &mut owners[feature.bucket];
            if tells > owner.1 {
                *owner = (feature.tag, tells);
            }
        }
        Self { tags: owners.into_iter().map(|(tag, _)| tag).collect() }
    }

    /// Buckets that have an owner.
    pub(crate) fn len(&self) -> usize {
        self.tags.iter().filter(|tag| **tag != 0).count()
    }

    /// The buckets that a text reads.
    pub(crate) fn read(&self, features: &[Feature]) -> Vec<usize> {
        features.iter().filter(|f| self.tags[f.bucket] == f.tag).map(|f| f.bucket).collect()
    }

    pub(crate) fn rows(&self, model: &Model, temperature: f32) -> Vec<(u8, [f32; CLASSES])> {
        self.tags
            .iter()
            .zip(&model.rows)
            .map(|(tag, row)| (*tag, row.map(|weight| weight / temperature)))
            .collect()
    }
}
