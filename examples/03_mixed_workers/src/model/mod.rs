//! Stage two: a three-class sentiment model, small enough to live inside the binary.
//!
//! A softmax regression over single words and pairs of neighbours. Each of them is hashed into one of 2^15 buckets; a
//! bucket holds three weights and one byte that says whose weights they are. `src/bin/train` makes the weights,
//! `weights/PROVENANCE.md` says from what.

mod classifier;
mod features;
mod label;
mod weights;

pub use classifier::{Classifier, ModelInfo};
pub use features::{Feature, features};
pub use label::{Label, Prediction};
pub use weights::{BUCKETS, CLASSES, Weights, WeightsError};
