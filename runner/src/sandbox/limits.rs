//! What a job may use.

use parity_protocol::device::Device;
use serde::{Deserialize, Serialize};

/// What a job may use. Every limit ends the job when it is reached; CPUs alone only slow it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Whole CPUs; the trainer runs as many threads. One thread keeps training reproducible bit for bit.
    pub cpus: u32,
    /// Bytes of memory, swap included.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Wall-clock seconds from start to result.
    pub seconds: u64,
    /// Bytes in the output folder.
    pub output_bytes: u64,
    /// Whether the trainer may use the CUDA device of this machine. Docker needs NVIDIA's container toolkit for it, and the trainer
    /// a libtorch with CUDA; training on it cannot be repeated bit for bit elsewhere.
    pub cuda: bool,
}

impl Limits {
    /// Where a trainer under these limits computes.
    pub fn device(&self) -> Device {
        if self.cuda { Device::Cuda } else { Device::Cpu }
    }
}

impl Default for Limits {
    /// One CPU; 4 GiB, where libtorch alone takes 0.3 GiB; threads of one libtorch process; an hour; a model of 64 million weights; no CUDA.
    fn default() -> Self {
        Self { cpus: 1, memory: 4 << 30, pids: 64, seconds: 3600, output_bytes: 256 << 20, cuda: false }
    }
}

/// Most bytes that a job may print.
pub(crate) const LOG_BYTES: u64 = 1 << 20;
/// Bytes of the end of the log that an error quotes.
pub(crate) const LOG_TAIL: usize = 2048;
/// Most bytes of a result file: a page of JSON.
pub(crate) const RESULT_BYTES: u64 = 64 << 10;
/// Most entries in the output folder: two files, and as many temporary ones as a careful writer may leave.
pub(crate) const OUTPUT_FILES: usize = 8;
/// Bytes of `/tmp` in the container.
pub(crate) const TMP_BYTES: u64 = 64 << 20;
/// Open files of a job: libtorch and a few data files.
pub(crate) const OPEN_FILES: u32 = 1024;
