//! What an agent has done and what it could not do, from its journal alone: works while the agent runs, and after.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::journal::{Journal, Progress, RoundKey};

/// One round of one seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundStatus {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Seat.
    pub seat: u16,
    /// `training`, `trained`, `posted` or `given up`.
    pub stage: &'static str,
    /// Why trainings failed, oldest first.
    pub failures: Vec<String>,
}

/// Every round on record, for trainings that may fail `attempts` times. Blocking.
///
/// # Errors
/// When the journal cannot be read.
pub fn status(state: &Path, attempts: u32) -> Result<Vec<RoundStatus>> {
    let mut found = Vec::new();
    for journal in Journal::all(state)? {
        for (RoundKey { session, round, seat }, record) in journal.rounds()? {
            let stage = match (record.posted, record.progress(attempts)) {
                (Some(_), _) => "posted",
                (None, Progress::Stored(_)) => "trained",
                (None, Progress::Open) => "training",
                (None, Progress::GivenUp) => "given up",
            };
            found.push(RoundStatus { session, round, seat, stage, failures: record.failures });
        }
    }
    Ok(found)
}
