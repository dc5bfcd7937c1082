//! Who has earned what in a session so far: a pure function of its terms and its final rounds.
//!
//! Nothing is carried over from reports: every keeper adds up all final rounds itself, so that one wrong sum cannot live on.

use parity_protocol::{
    Address, Result,
    manifest::{AcceptedUpdate, PayoutLeaf},
    payout::{Ledger, RoundReward},
};

use crate::view::Terms;

/// A round that is final, or would be if the proposal at hand became so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidRound {
    /// Round.
    pub round: u16,
    /// Who proposed it and has its keeper fee.
    pub proposer: Address,
    /// Updates that share its reward.
    pub accepted: Vec<AcceptedUpdate>,
}

/// The leaves of the payout tree after `rounds`, which stand in order. With the last scheduled round, operators whose update
/// was accepted in every one of them share the completion bonus.
///
/// # Errors
/// When a sum leaves 128 bits.
pub fn payouts(terms: &Terms, rounds: &[PaidRound]) -> Result<Vec<PayoutLeaf>> {
    let reward = RoundReward { reward: terms.round_reward, performance_bps: terms.performance_bps };
    let mut ledger = Ledger::default();
    for round in rounds {
        ledger.credit_round(reward, &round.accepted)?;
        ledger.credit(round.proposer, terms.keeper_fee)?;
    }
    if rounds.last().is_some_and(|last| last.round == terms.rounds) {
        ledger.credit_bonus(terms.completion_bonus, &present_throughout(rounds))?;
    }
    Ok(ledger.leaves())
}

fn present_throughout(rounds: &[PaidRound]) -> Vec<Address> {
    let Some((first, rest)) = rounds.split_first() else { return Vec::new() };
    first
        .accepted
        .iter()
        .map(|update| update.operator)
        .filter(|operator| rest.iter().all(|round| round.accepted.iter().any(|update| update.operator == *operator)))
        .collect()
}

#[cfg(test)]
mod tests {
    use parity_protocol::{B256, TokenAmount};

    use super::*;

    const ALICE: Address = Address::repeat_byte(1);
    const BOB: Address = Address::repeat_byte(2);
    const KEEPER: Address = Address::repeat_byte(3);

    fn terms() -> Terms {
        Terms {
            spec: B256::ZERO,
            seats: 2,
            quorum: 1,
            rounds: 3,
            attestations: 1,
            performance_bps: 0,
            propose_period: 1,
            challenge_window: 0,
            round_reward: TokenAmount::from_base_units(100),
            keeper_fee: TokenAmount::from_base_units(7),
            completion_bonus: TokenAmount::from_base_units(51),
            keeper_bond: TokenAmount::ZERO,
            uploaded: true,
        }
    }

    fn round(round: u16, operators: &[(Address, u64)]) -> PaidRound {
        let accepted = operators
            .iter()
            .map(|(operator, samples)| AcceptedUpdate {
                operator: *operator,
                seat: 0,
                digest: B256::ZERO,
                samples: *samples,
                score: 1,
            })
            .collect();
        PaidRound { round, proposer: KEEPER, accepted }
    }

    fn earned(rounds: &[PaidRound]) -> Vec<(Address, u128)> {
        let leaves = payouts(&terms(), rounds).unwrap();
        leaves.iter().map(|leaf| (leaf.operator, leaf.cumulative.base_units())).collect()
    }

    #[test]
    fn rewards_follow_samples_and_the_proposer_has_its_fee() {
        let rounds = [round(1, &[(ALICE, 1), (BOB, 2)])];
        assert_eq!(earned(&rounds), [(ALICE, 33), (BOB, 66), (KEEPER, 7)]);
    }

    #[test]
    fn the_bonus_goes_with_the_last_scheduled_round_to_those_present_in_all() {
        let rounds = [round(1, &[(ALICE, 1), (BOB, 1)]), round(2, &[(ALICE, 1)]), round(3, &[(ALICE, 1), (BOB, 1)])];
        assert_eq!(earned(&rounds[..2]), [(ALICE, 150), (BOB, 50), (KEEPER, 14)]);
        assert_eq!(earned(&rounds), [(ALICE, 200 + 51), (BOB, 100), (KEEPER, 21)]);
    }

    #[test]
    fn a_void_round_does_not_cost_the_bonus() {
        let rounds = [round(1, &[(ALICE, 1), (BOB, 1)]), round(3, &[(ALICE, 1), (BOB, 1)])];
        assert_eq!(earned(&rounds), [(ALICE, 100 + 25), (BOB, 100 + 25), (KEEPER, 14)]);
    }

    #[test]
    fn a_round_in_which_everything_was_rejected_pays_only_the_keeper() {
        assert_eq!(earned(&[round(1, &[])]), [(KEEPER, 7)]);
    }
}
