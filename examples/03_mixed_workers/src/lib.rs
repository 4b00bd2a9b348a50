//! Sentiment of a text in three stages, each on the hardware that suits it: cleaning on a CPU worker,
//! inference on a GPU worker, grading on a CPU worker. An HTTP endpoint calls them one after the other.

pub mod model;
pub mod postprocess;
pub mod text;

mod cpu_worker;
mod gpu_worker;
mod pipeline;

pub use cpu_worker::{
    CPU_POSTPROCESS, CPU_PREPROCESS, Graded, Metadata, Pipeline, Preprocessed, postprocess_results,
    preprocess_text,
};
pub use gpu_worker::{GPU_INFERENCE, Inference, InferenceError, InputStats, gpu_inference};
pub use pipeline::{CLASSIFY_PIPELINE, ClassifyError, classify};
