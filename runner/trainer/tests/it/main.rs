//! The trainer as the runner's agent uses it: files in, files and an exit code out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod determinism;
mod federated;
mod jobs;
mod options;
mod refused;
mod serve;
mod training;
