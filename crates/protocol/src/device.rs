//! Where a job is computed, and how far its bytes can be made again.

use serde::{Deserialize, Serialize};

/// Where the trainer computes what libtorch does for it. What it computes itself runs on the processor always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first CUDA device that it sees.
    Cuda,
}

/// On which machines the same job gives the same bytes, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Determinism {
    /// On every machine: all arithmetic is the trainer's own, in an order that is written down.
    Everywhere,
    /// On x86-64 processors with AVX2 of one maker: libtorch with its instruction set pinned, on one thread.
    Processor,
    /// On graphics cards of one model with one driver at best: libtorch on CUDA, where some sums have no fixed order.
    Device,
}
