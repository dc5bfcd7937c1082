//! Where the time of a round went, one JSON line per proposed round in `timings.jsonl` of the state folder.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// File name in the state folder.
pub const FILE: &str = "timings.jsonl";

/// One round's times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundTiming {
    /// Session id.
    pub session: u64,
    /// Round.
    pub round: u16,
    /// Whether fetching, aggregating and evaluating were done while the round was still being closed.
    pub ahead: bool,
    /// Reading manifests and weights.
    pub fetch_ms: f64,
    /// Checking and averaging.
    pub aggregate_ms: f64,
    /// Metrics on the holdout.
    pub evaluate_ms: f64,
    /// Writing model, manifest and report.
    pub store_ms: f64,
    /// From handing over the proposal until it was in a block.
    pub chain_ms: f64,
    /// Events, payouts and everything else of this process.
    pub own_ms: f64,
}

/// Appends to the timings file. A line that cannot be written is lost; no round waits for it.
#[derive(Debug)]
pub struct Timings(PathBuf);

impl Timings {
    /// Timings of a keeper with this state folder.
    pub fn new(state: &Path) -> Self {
        Self(state.join(FILE))
    }

    /// Appends one line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, timing: &RoundTiming) -> io::Result<()> {
        let mut line = serde_json::to_vec(timing)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(&line)
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
