//! Sentiment of a text in three stages, each on the hardware that suits it: cleaning on a CPU worker,
//! inference on a GPU worker, grading on a CPU worker.

pub mod model;
pub mod postprocess;
pub mod text;
