//! What keepers agree on: the values of a proposal, their hash, and where two of them part.

use std::fmt;

use alloy::{primitives::keccak256, sol_types::SolValue};
use parity_protocol::{B256, TokenAmount, U256};

/// The part of a proposal that is a pure function of chain and content, and that attesters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Digest of the aggregate manifest.
    pub aggregate: B256,
    /// Merkle root of the accepted updates.
    pub updates_root: B256,
    /// Root of the cumulative payout tree.
    pub payouts_root: B256,
    /// Cumulative sum under that root.
    pub payout_sum: TokenAmount,
    /// The target is reached: the round is the last.
    pub reached: bool,
}

/// The first value in which two claims differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Other accepted or rejected updates, or another model.
    Aggregate {
        /// As recomputed.
        expected: B256,
        /// As claimed.
        actual: B256,
    },
    /// The same aggregate under another updates root.
    UpdatesRoot {
        /// As recomputed.
        expected: B256,
        /// As claimed.
        actual: B256,
    },
    /// The same aggregate, which reaches the target or does not.
    Reached {
        /// As recomputed.
        expected: bool,
        /// As claimed.
        actual: bool,
    },
    /// The same work, paid otherwise.
    PayoutSum {
        /// As recomputed.
        expected: TokenAmount,
        /// As claimed.
        actual: TokenAmount,
    },
    /// The same sum, split otherwise.
    PayoutsRoot {
        /// As recomputed.
        expected: B256,
        /// As claimed.
        actual: B256,
    },
    /// Scored without the holdout while those who have it could still propose.
    WithoutHoldout {
        /// Epoch of the proposal.
        epoch: u64,
    },
}

impl Claim {
    /// What an attestation names: `keccak256(abi.encode(session, round, aggregate, updatesRoot, payoutsRoot, payoutSum,
    /// reached))`.
    pub fn hash(&self, session: u64, round: u16) -> B256 {
        let values = (
            U256::from(session),
            U256::from(round),
            self.aggregate,
            self.updates_root,
            self.payouts_root,
            U256::from(self.payout_sum.base_units()),
            self.reached,
        );
        keccak256(values.abi_encode())
    }

    /// Where `actual` differs from this claim, which is taken to be right.
    pub fn difference(&self, actual: &Self) -> Option<Difference> {
        if self.aggregate != actual.aggregate {
            return Some(Difference::Aggregate { expected: self.aggregate, actual: actual.aggregate });
        }
        if self.updates_root != actual.updates_root {
            return Some(Difference::UpdatesRoot { expected: self.updates_root, actual: actual.updates_root });
        }
        if self.reached != actual.reached {
            return Some(Difference::Reached { expected: self.reached, actual: actual.reached });
        }
        if self.payout_sum != actual.payout_sum {
            return Some(Difference::PayoutSum { expected: self.payout_sum, actual: actual.payout_sum });
        }
        (self.payouts_root != actual.payouts_root)
            .then_some(Difference::PayoutsRoot { expected: self.payouts_root, actual: actual.payouts_root })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aggregate { expected, actual } => write!(f, "the aggregate is {expected}, the claim says {actual}"),
            Self::UpdatesRoot { expected, actual } => {
                write!(f, "the root of accepted updates is {expected}, the claim says {actual}")
            }
            Self::Reached { expected: true, .. } => f.write_str("the target is reached, the claim says that it is not"),
            Self::Reached { expected: false, .. } => {
                f.write_str("the target is not reached, the claim says that it is")
            }
            Self::PayoutSum { expected, actual } => {
                write!(f, "{expected} USDFC have been earned, the claim says {actual}")
            }
            Self::WithoutHoldout { epoch } => {
                write!(f, "it was proposed at epoch {epoch} without the holdout, too early to do without it")
            }
            Self::PayoutsRoot { expected, actual } => {
                write!(f, "the payouts root is {expected}, the claim says {actual}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim {
            aggregate: B256::repeat_byte(1),
            updates_root: B256::repeat_byte(2),
            payouts_root: B256::repeat_byte(3),
            payout_sum: TokenAmount::from_whole(4),
            reached: true,
        }
    }

    #[test]
    fn the_hash_is_taken_over_seven_padded_words() {
        let mut words = Vec::new();
        for word in [
            U256::from(7).to_be_bytes::<32>(),
            U256::from(2).to_be_bytes(),
            [1; 32],
            [2; 32],
            [3; 32],
            U256::from(4_000_000_000_000_000_000_u128).to_be_bytes(),
            U256::from(1).to_be_bytes(),
        ] {
            words.extend(word);
        }
        assert_eq!(claim().hash(7, 2), keccak256(words));
    }

    #[test]
    fn the_first_difference_is_named() {
        let other = Claim { payout_sum: TokenAmount::from_whole(5), payouts_root: B256::ZERO, ..claim() };
        let difference = claim().difference(&other).unwrap();
        assert_eq!(difference.to_string(), "4 USDFC have been earned, the claim says 5");
        let other = Claim { reached: false, ..other };
        let difference = claim().difference(&other).unwrap();
        assert_eq!(difference.to_string(), "the target is reached, the claim says that it is not");
        assert_eq!(claim().difference(&claim()), None);
    }
}
