//! The boundary between the runner's host agent and the trainer: files in a folder, no network.
//!
//! `/job/job.json` holds a [`Job`]; `/job/data.safetensors` holds `x` (f32 `[n, features]`, encoded but not yet
//! standardised) and `y` (i64 `[n]` class indices, or f32 `[n]`); `/job/model.safetensors` holds the starting model,
//! `/job/correction.safetensors`, where it is there, what is added to every gradient.
//! The trainer writes `/out/result.json` with a [`JobResult`] and, after training, `/out/update.safetensors` with the new
//! weights under the same names and shapes as the model. Where the model is a forest, the file of the model is that of the
//! forest, and the update is what the seat tells of its rows; so it is with exact methods, whose model is in f64.

use serde::{Deserialize, Serialize};

use crate::{
    confusion::ConfusionMatrix,
    device::{Determinism, Device},
    metrics::Metrics,
    model::Model,
    schema::{Scaling, Task},
    spec::SessionSpec,
    training::Training,
};

/// File names inside the job and output folders.
pub mod files {
    /// The job description.
    pub const JOB: &str = "job.json";
    /// The rows.
    pub const DATA: &str = "data.safetensors";
    /// The starting model.
    pub const MODEL: &str = "model.safetensors";
    /// Added to every gradient in training: tensors with the names and shapes of the model; absent for none.
    pub const CORRECTION: &str = "correction.safetensors";
    /// The new weights.
    pub const UPDATE: &str = "update.safetensors";
    /// The result.
    pub const RESULT: &str = "result.json";
}

/// Environment that pins what libtorch's arithmetic depends on: its instruction set, so that the same job gives the same bytes on
/// x86-64 machines with AVX2 of one maker, whatever else their processors can do (across makers MKL may take other ways to the same
/// sum), and the workspace of cuBLAS, without which it may sum in another order each time. It must be set before libtorch loads; the
/// trainer starts itself anew where it is not.
pub const DETERMINISM_ENV: [(&str, &str); 4] = [
    ("MKL_CBWR", "AVX2,STRICT"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
];

/// What the trainer is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Train or evaluate.
    pub kind: JobKind,
    /// The architecture.
    pub model: Model,
    /// Encoded features per row.
    pub features: usize,
    /// Model outputs.
    pub outputs: usize,
    /// Classification or regression.
    pub task: Task,
    /// Standardisation of the features.
    pub scaling: Scaling,
    /// CPU threads to use; equals the quota of the container.
    pub threads: u32,
    /// Where libtorch computes.
    pub device: Device,
}

impl Job {
    /// A job on the model of a session, for the processor.
    pub fn of_spec(spec: &SessionSpec, kind: JobKind, threads: u32) -> Self {
        Self {
            kind,
            model: spec.model.clone(),
            features: spec.schema.features(),
            outputs: spec.schema.outputs(),
            task: spec.schema.label.task.clone(),
            scaling: spec.scaling.clone(),
            threads,
            device: Device::Cpu,
        }
    }
}

/// Train or evaluate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum JobKind {
    /// One round of local training.
    Train {
        /// Hyperparameters.
        training: Training,
        /// Round, 1-based: enters the seed of the shuffles.
        round: u16,
        /// Seat: enters the seed of the shuffles.
        seat: u16,
    },
    /// Metrics of the model on the rows.
    Evaluate {},
}

/// What the trainer answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobResult {
    /// Rows used.
    pub samples: u64,
    /// Of the new weights on the rows they were trained on, or of the model on the rows of an evaluation.
    pub metrics: Metrics,
    /// Of an evaluation, where the classes are few enough.
    pub confusion: Option<ConfusionMatrix>,
    /// On which machines the same job gives the same update.
    pub determinism: Determinism,
    /// Wall-clock seconds of the mathematics, without start-up and files.
    pub seconds: f64,
}
