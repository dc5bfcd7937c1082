//! What happened in a session, folded from its events: who posted in which round, who proposed, what became final.
//!
//! Events may come from anywhere, so nothing here is believed: posted updates count only if they fold to the accumulator on
//! chain ([`RoundHistory::posted_under`]), final rounds only if the contract confirms their aggregate.

use std::collections::BTreeMap;

use parity_protocol::{Address, B256, accumulator};

use crate::proposal::Claim;

/// One thing that happened in a session, in chain order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The session was created: there is nothing before this.
    Created,
    /// The holdout was sealed to a keeper.
    Sealed {
        /// Digest of its manifest.
        holdout: B256,
    },
    /// A round began.
    Started {
        /// Round.
        round: u16,
    },
    /// An update was posted.
    Posted {
        /// Round.
        round: u16,
        /// The update.
        update: PostedUpdate,
    },
    /// A round was closed.
    Closed {
        /// Round.
        round: u16,
        /// Fold of its updates.
        accumulator: B256,
        /// Last epoch of the phase that follows.
        deadline: u64,
    },
    /// The shares of a round are in.
    Unmasked {
        /// Round.
        round: u16,
        /// Last epoch for a proposal.
        deadline: u64,
    },
    /// An aggregate was proposed.
    Proposed {
        /// Round.
        round: u16,
        /// Who proposed.
        proposer: Address,
        /// What.
        claim: Claim,
        /// Digest of the report.
        report: B256,
    },
    /// A round became final.
    Finalized {
        /// Round.
        round: u16,
        /// Its aggregate.
        aggregate: B256,
    },
}

/// An update as its runner posted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostedUpdate {
    /// Who posted.
    pub operator: Address,
    /// From which seat.
    pub seat: u16,
    /// Digest of the update manifest.
    pub digest: B256,
    /// Training rows as stated to the contract.
    pub samples: u64,
}

/// A session's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    rounds: BTreeMap<u16, RoundHistory>,
    holdouts: Vec<B256>,
}

/// One round's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundHistory {
    /// Block in which the round began.
    pub started_at: Option<u64>,
    /// Updates in the order of posting.
    pub posted: Vec<PostedUpdate>,
    /// The accumulator at closing.
    pub closed: Option<B256>,
    /// Last epoch for a proposal.
    pub propose_by: Option<u64>,
    /// The proposal; a round has at most one.
    pub proposal: Option<ProposedRound>,
    /// Aggregate of the round, once final.
    pub finalized: Option<B256>,
}

/// A proposal as its event tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposedRound {
    /// Who proposed.
    pub proposer: Address,
    /// What.
    pub claim: Claim,
    /// Digest of the report.
    pub report: B256,
    /// Epoch of the proposal.
    pub at: u64,
}

impl History {
    /// Folds events in chain order, each with its block.
    pub fn fold<'a>(happenings: impl IntoIterator<Item = &'a (u64, Happening)>) -> Self {
        let mut rounds: BTreeMap<u16, RoundHistory> = BTreeMap::new();
        let mut holdouts = Vec::new();
        for (block, happening) in happenings {
            match *happening {
                Happening::Created => {}
                Happening::Sealed { holdout } if holdouts.contains(&holdout) => {}
                Happening::Sealed { holdout } => holdouts.push(holdout),
                Happening::Started { round } => rounds.entry(round).or_default().started_at = Some(*block),
                Happening::Posted { round, update } => rounds.entry(round).or_default().posted.push(update),
                Happening::Closed { round, accumulator, deadline } => {
                    let past = rounds.entry(round).or_default();
                    (past.closed, past.propose_by) = (Some(accumulator), Some(deadline));
                }
                Happening::Unmasked { round, deadline } => rounds.entry(round).or_default().propose_by = Some(deadline),
                Happening::Proposed { round, proposer, claim, report } => {
                    rounds.entry(round).or_default().proposal =
                        Some(ProposedRound { proposer, claim, report, at: *block });
                }
                Happening::Finalized { round, aggregate } => {
                    rounds.entry(round).or_default().finalized = Some(aggregate);
                }
            }
        }
        Self { rounds, holdouts }
    }

    /// A round's past; empty when nothing is known of it.
    pub fn round(&self, round: u16) -> RoundHistory {
        self.rounds.get(&round).cloned().unwrap_or_default()
    }

    /// Final rounds before `round`, in order, with their aggregates.
    pub fn final_before(&self, round: u16) -> Vec<(u16, B256)> {
        self.rounds
            .range(..round)
            .filter_map(|(round, past)| past.finalized.map(|aggregate| (*round, aggregate)))
            .collect()
    }

    /// Digests under which the holdout was sealed to keepers, in order.
    pub fn holdouts(&self) -> &[B256] {
        &self.holdouts
    }

    /// The last round that became final.
    pub fn last_final(&self) -> Option<u16> {
        self.rounds.iter().rev().find(|(_, past)| past.finalized.is_some()).map(|(round, _)| *round)
    }
}

impl RoundHistory {
    /// The posted updates if they fold to `expected`; the order of posting matters.
    ///
    /// # Errors
    /// The accumulator that they fold to instead.
    pub fn posted_under(&self, expected: B256) -> Result<&[PostedUpdate], B256> {
        let actual = self.posted.iter().fold(B256::ZERO, |folded, update| {
            accumulator::fold(folded, update.operator, update.digest, update.samples)
        });
        if actual == expected { Ok(&self.posted) } else { Err(actual) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(byte: u8) -> PostedUpdate {
        PostedUpdate {
            operator: Address::repeat_byte(byte),
            seat: u16::from(byte),
            digest: B256::repeat_byte(byte),
            samples: u64::from(byte),
        }
    }

    fn posted(bytes: &[u8]) -> RoundHistory {
        let happenings: Vec<_> =
            bytes.iter().map(|byte| (1, Happening::Posted { round: 1, update: update(*byte) })).collect();
        History::fold(&happenings).round(1)
    }

    fn accumulated(bytes: &[u8]) -> B256 {
        bytes.iter().fold(B256::ZERO, |folded, byte| {
            accumulator::fold(folded, Address::repeat_byte(*byte), B256::repeat_byte(*byte), u64::from(*byte))
        })
    }

    #[test]
    fn only_the_complete_list_in_its_order_is_accepted() {
        let expected = accumulated(&[3, 1, 2]);
        assert_eq!(posted(&[3, 1, 2]).posted_under(expected).unwrap().len(), 3);
        for wrong in [&[1, 2, 3][..], &[3, 1], &[3, 1, 2, 2], &[]] {
            assert!(posted(wrong).posted_under(expected).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_round_without_updates_folds_to_zero() {
        assert_eq!(posted(&[]).posted_under(B256::ZERO).unwrap(), []);
    }

    #[test]
    fn only_final_rounds_are_listed_as_final() {
        let (first, third) = (B256::repeat_byte(1), B256::repeat_byte(3));
        let history = History::fold(&[
            (1, Happening::Created),
            (2, Happening::Started { round: 1 }),
            (5, Happening::Finalized { round: 1, aggregate: first }),
            (6, Happening::Started { round: 2 }),
            (7, Happening::Started { round: 3 }),
            (9, Happening::Finalized { round: 3, aggregate: third }),
        ]);
        assert_eq!(history.final_before(3), [(1, first)]);
        assert_eq!(history.final_before(4), [(1, first), (3, third)]);
        assert_eq!(history.last_final(), Some(3));
        assert_eq!(history.round(2).started_at, Some(6));
    }
}
