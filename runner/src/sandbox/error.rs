//! Why a job in a sandbox gave no result. Every message says what happened, with which limit, and what to do.

use std::{io, path::PathBuf};

/// Result of the sandbox.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a job gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing answers on the Docker socket.
    #[error("no Docker daemon answers; start it, or use the process sandbox (--sandbox process), which isolates less")]
    NoDaemon {
        /// What the connection said.
        source: bollard::errors::Error,
    },
    /// The daemon does not have the image.
    #[error("the Docker daemon has no image '{image}'; build the trainer image with script/trainer-image")]
    NoImage {
        /// As configured.
        image: String,
    },
    /// The program of the process sandbox is missing.
    #[error("'{}' is not a program; give the path of the built trainer (--trainer)", path.display())]
    NoProgram {
        /// As configured.
        path: PathBuf,
    },
    /// The daemon refused something.
    #[error("Docker could not {operation}")]
    Docker {
        /// What was asked.
        operation: &'static str,
        /// What the daemon said.
        source: bollard::errors::Error,
    },
    /// The job's files cannot be written or read.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The wall clock ran out.
    #[error(
        "the trainer was stopped: it did not finish within {seconds} s; raise the time limit or train fewer epochs"
    )]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// More files or bytes in the output folder than allowed.
    #[error("the trainer was stopped: it wrote more than {limit} bytes to its output folder")]
    OutputTooLarge {
        /// The limit.
        limit: u64,
    },
    /// Something in the output folder that is neither the result nor the update.
    #[error("the trainer was stopped: it made '{name}' in its output folder, where only plain files may be")]
    UnexpectedOutput {
        /// What was found.
        name: String,
    },
    /// More text than allowed.
    #[error("the trainer was stopped: it printed more than {limit} bytes; the last of them: {log}")]
    LogTooLarge {
        /// The limit.
        limit: u64,
        /// End of what it printed.
        log: String,
    },
    /// The kernel ended it for its memory.
    #[error("the trainer was stopped: it needed more than {limit} bytes of memory; raise the memory limit")]
    OutOfMemory {
        /// The limit.
        limit: u64,
    },
    /// It ended with an error of its own.
    #[error("the trainer failed with exit code {code}: {log}")]
    Failed {
        /// Exit code; negative: the signal that ended it.
        code: i64,
        /// End of what it printed.
        log: String,
    },
    /// It ended well and left nothing usable.
    #[error("the trainer ended without an error, but left no {file}")]
    NoResult {
        /// The file that is missing.
        file: &'static str,
    },
    /// What it left cannot be used.
    #[error("the trainer's {file} cannot be used: {reason}")]
    BadResult {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether the machine failed rather than the job: nothing is known about the job, and it may be tried again.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NoDaemon { .. } | Self::Docker { .. } | Self::Io { .. })
    }

    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }

    pub(crate) fn docker(operation: &'static str) -> impl FnOnce(bollard::errors::Error) -> Self {
        move |source| Self::Docker { operation, source }
    }
}
