//! What an agent has done, on disk, so that a kill at any instant costs neither work nor gas.
//!
//! The chain is the ledger; the journal only saves work. One document per session and one per round and seat, each replaced
//! in one step. Order of writing: an update is in the store before the journal says so, and the journal says so before a
//! transaction names it. The transaction itself is the outbox's to remember.

mod record;
mod residual;

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy::primitives::keccak256;
use anyhow::{Context, Result};

pub use record::{Inputs, Progress, RoundRecord, SessionRecord, Stored};

use crate::durable;

/// The journal below a state folder. Calls block for a disk sync.
#[derive(Clone, Debug)]
pub struct Journal {
    root: PathBuf,
}

/// A round of a seat of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundKey {
    /// Session id.
    pub session: u64,
    /// Round, 1-based.
    pub round: u16,
    /// Seat.
    pub seat: u16,
}

impl Journal {
    /// The journal of the agent with this state folder on one network. Session ids start anew on another network.
    pub fn new(state: &Path, network: &str) -> Self {
        let hash = keccak256(network.as_bytes());
        Self { root: state.join("sessions").join(alloy::hex::encode(&hash[..8])) }
    }

    /// The journals of all networks that an agent with this state folder has worked on.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(state: &Path) -> Result<Vec<Self>> {
        let sessions = state.join("sessions");
        Ok(names(&sessions)?.into_iter().map(|name| Self { root: sessions.join(name) }).collect())
    }

    /// Folder of a session.
    pub fn session_dir(&self, session: u64) -> PathBuf {
        self.root.join(session.to_string())
    }

    /// What is recorded of a session; nothing recorded is the default.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn session(&self, session: u64) -> Result<SessionRecord> {
        Ok(durable::read(&self.session_dir(session).join("session.json"))?.unwrap_or_default())
    }

    /// Records a session.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_session(&self, session: u64, record: &SessionRecord) -> Result<()> {
        durable::write(&self.session_dir(session).join("session.json"), record)
    }

    /// What is recorded of a round; nothing recorded is the default.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn round(&self, key: RoundKey) -> Result<RoundRecord> {
        Ok(durable::read(&self.round_path(key))?.unwrap_or_default())
    }

    /// Records a round.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_round(&self, key: RoundKey, record: &RoundRecord) -> Result<()> {
        durable::write(&self.round_path(key), record)
    }

    /// Every round on record, in order.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn rounds(&self) -> Result<Vec<(RoundKey, RoundRecord)>> {
        let mut rounds = Vec::new();
        for session in names(&self.root)?.iter().filter_map(|name| name.parse::<u64>().ok()) {
            for name in names(&self.session_dir(session).join("rounds"))? {
                let Some((round, seat)) = name.strip_suffix(".json").and_then(|name| name.split_once('-')) else {
                    continue;
                };
                let (Ok(round), Ok(seat)) = (round.parse(), seat.parse()) else { continue };
                let key = RoundKey { session, round, seat };
                rounds.push((key, self.round(key)?));
            }
        }
        rounds.sort_by_key(|(key, _)| *key);
        Ok(rounds)
    }

    fn round_path(&self, key: RoundKey) -> PathBuf {
        self.session_dir(key.session).join("rounds").join(format!("{}-{}.json", key.round, key.seat))
    }
}

/// Names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("listing {}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use parity_protocol::B256;

    use super::*;

    fn inputs(model: u8) -> Inputs {
        Inputs { spec: B256::repeat_byte(1), model: Some(B256::repeat_byte(model)), data: B256::repeat_byte(3) }
    }

    #[test]
    fn rounds_are_found_again_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path(), "local");
        let keys =
            [(12, 2, 0), (12, 10, 0), (3, 1, 255)].map(|(session, round, seat)| RoundKey { session, round, seat });
        for key in keys {
            let mut record = RoundRecord::default();
            record.renew(&inputs(u8::try_from(key.round).unwrap()));
            journal.record_round(key, &record).unwrap();
        }
        let again: Vec<_> =
            Journal::new(folder.path(), "local").rounds().unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(again, [keys[2], keys[0], keys[1]]);
        assert_eq!(Journal::new(folder.path(), "other").rounds().unwrap(), []);
        assert_eq!(Journal::all(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn finished_work_counts_only_for_the_same_inputs() {
        let mut record = RoundRecord::default();
        record.renew(&inputs(7));
        record.stored = Some(Stored { digest: B256::repeat_byte(9), samples: 5 });
        let kept = record.clone();
        record.renew(&inputs(7));
        assert_eq!(record, kept);
        assert!(matches!(record.progress(3), Progress::Stored(_)));
        record.renew(&inputs(8));
        assert_eq!(record.progress(3), Progress::Open);
    }

    #[test]
    fn a_round_is_given_up_after_enough_failures() {
        let mut record = RoundRecord::default();
        assert_eq!(record.progress(2), Progress::Open);
        record.failures = vec!["a".into(), "b".into()];
        assert_eq!(record.progress(2), Progress::GivenUp);
        assert_eq!(record.progress(3), Progress::Open);
        record.hopeless = true;
        assert_eq!(record.progress(3), Progress::GivenUp);
    }
}
