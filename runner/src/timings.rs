//! Where the time of each round went: one line of JSON per round in `timings.jsonl` of the state folder.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// One round of one seat, from the moment the agent saw that it was due until its update was on chain. Milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTiming {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Seat.
    pub seat: u16,
    /// Unix time at which the agent saw that the round was due.
    pub seen_unix_ms: f64,
    /// Reading from the content store.
    pub fetch_ms: f64,
    /// Until the sandbox ran the trainer.
    pub start_ms: f64,
    /// The trainer's life without its mathematics: loading, files.
    pub trainer_ms: f64,
    /// The mathematics.
    pub train_ms: f64,
    /// Writing to the content store.
    pub store_ms: f64,
    /// From handing over the transaction until its receipt.
    pub chain_ms: f64,
    /// Everything.
    pub total_ms: f64,
    /// Everything minus the parts above: the agent's own work.
    pub own_ms: f64,
}

impl RoundTiming {
    /// Fills in the total and what remains for the agent itself.
    pub(crate) fn complete(&mut self, total: Duration) {
        self.total_ms = millis(total);
        let parts = self.fetch_ms + self.start_ms + self.trainer_ms + self.train_ms + self.store_ms + self.chain_ms;
        self.own_ms = self.total_ms - parts;
    }
}

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct Timings(PathBuf);

impl Timings {
    pub(crate) fn new(state: &Path) -> Self {
        Self(state.join("timings.jsonl"))
    }

    /// Appends a line. Blocking. A measurement that is lost harms nobody, so a failure is only logged.
    pub(crate) fn append(&self, timing: &RoundTiming) {
        let appended = serde_json::to_string(timing).map_err(std::io::Error::from).and_then(|line| {
            OpenOptions::new().create(true).append(true).open(&self.0)?.write_all(format!("{line}\n").as_bytes())
        });
        if let Err(error) = appended {
            tracing::warn!(path = %self.0.display(), %error, "could not record timings");
        }
    }
}

/// Milliseconds with fraction.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Unix time in milliseconds.
pub(crate) fn unix_millis() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, millis)
}
