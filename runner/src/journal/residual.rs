//! What compression left out of a seat's updates, kept until its next update takes it up.
//!
//! A file per round and seat, written before the round's record says that the update is stored. A round that is trained again
//! takes up the residual of the same earlier round, so a kill changes no byte of an update. Residuals tell of the runner's rows:
//! they are readable by the user alone and go nowhere.

use std::{fs, io, ops::RangeInclusive, path::PathBuf};

use anyhow::{Context, Result};

use super::{Journal, RoundKey, names};
use crate::durable;

impl Journal {
    /// The newest residual that the seat left in one of these rounds, with its round.
    ///
    /// # Errors
    /// When the folder or the file cannot be read.
    pub(crate) fn residual(&self, key: RoundKey, rounds: RangeInclusive<u16>) -> Result<Option<(u16, Vec<u8>)>> {
        let Some(round) = self.residuals(key)?.into_iter().filter(|round| rounds.contains(round)).max() else {
            return Ok(None);
        };
        let path = self.residual_path(RoundKey { round, ..key });
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Some((round, bytes)))
    }

    /// Records what a round left out, and forgets what rounds before `oldest` left.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub(crate) fn record_residual(&self, key: RoundKey, bytes: &[u8], oldest: u16) -> Result<()> {
        durable::write_bytes(&self.residual_path(key), bytes)?;
        for round in self.residuals(key)?.into_iter().filter(|round| *round < oldest) {
            let path = self.residual_path(RoundKey { round, ..key });
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(())
    }

    /// Forgets the residuals of sessions that are over.
    ///
    /// # Errors
    /// When a folder cannot be listed or removed.
    pub(crate) fn forget_residuals(&self, is_live: impl Fn(u64) -> bool) -> Result<()> {
        let sessions = names(&self.root)?.into_iter().filter_map(|name| name.parse::<u64>().ok());
        for session in sessions.filter(|session| !is_live(*session)) {
            let folder = self.residual_dir(session);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("removing {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Rounds in which the seat left a residual.
    fn residuals(&self, key: RoundKey) -> Result<Vec<u16>> {
        let suffix = format!("-{}.safetensors", key.seat);
        let names = names(&self.residual_dir(key.session))?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(&suffix)?.parse().ok()).collect())
    }

    fn residual_dir(&self, session: u64) -> PathBuf {
        self.session_dir(session).join("residuals")
    }

    fn residual_path(&self, key: RoundKey) -> PathBuf {
        self.residual_dir(key.session).join(format!("{}-{}.safetensors", key.round, key.seat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(round: u16) -> RoundKey {
        RoundKey { session: 1, round, seat: 3 }
    }

    #[test]
    fn the_newest_residual_of_the_seat_within_the_rounds_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path(), "local");
        assert_eq!(journal.residual(key(1), 0..=9).unwrap(), None);
        for round in [2, 5, 10] {
            journal.record_residual(key(round), &round.to_le_bytes(), 0).unwrap();
        }
        journal.record_residual(RoundKey { seat: 13, ..key(6) }, b"another seat", 0).unwrap();
        let found = |rounds| journal.residual(key(1), rounds).unwrap().map(|(round, _)| round);
        assert_eq!((found(1..=9), found(1..=12), found(3..=4)), (Some(5), Some(10), None));
        assert_eq!(journal.residual(key(1), 1..=9).unwrap().unwrap().1, 5_u16.to_le_bytes());
    }

    #[test]
    fn what_no_later_round_can_take_up_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path(), "local");
        for round in 1..=4 {
            journal.record_residual(key(round), b"rest", round - 1).unwrap();
        }
        assert_eq!(journal.residual(key(1), 1..=2).unwrap(), None);
        assert_eq!(journal.residual(key(1), 1..=3).unwrap().unwrap().0, 3);
        journal.forget_residuals(|session| session == 1).unwrap();
        assert!(journal.residual(key(1), 1..=4).unwrap().is_some());
        journal.forget_residuals(|_| false).unwrap();
        assert_eq!(journal.residual(key(1), 1..=4).unwrap(), None);
    }
}
