//! Who has earned what in a session so far: a pure function of its terms and its final rounds.
//!
//! Nothing is carried over from reports: every keeper adds up all final rounds itself, so that one wrong sum cannot live on.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The target is reached: there is no round after it.
    pub reached: bool,
}

/// The leaves of the payout tree after `rounds`, which stand in order. With the last round, operators whose update was accepted in
/// every one of them that their seat took part in share the completion bonus.
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
    if rounds.last().is_some_and(|last| last.reached || last.round == terms.rounds) {
        ledger.credit_bonus(terms.completion_bonus, &present_throughout(terms, rounds))?;
    }
    Ok(ledger.leaves())
}

/// Operators that missed no round. Who took over a seat missed those that the seat took part in before.
fn present_throughout(terms: &Terms, rounds: &[PaidRound]) -> Vec<Address> {
    let mut seats: BTreeMap<Address, BTreeSet<u16>> = BTreeMap::new();
    for update in rounds.iter().flat_map(|round| &round.accepted) {
        seats.entry(update.operator).or_default().insert(update.seat);
    }
    for round in rounds {
        let drawn = terms.drawn(round.round);
        let accepted: BTreeSet<Address> = round.accepted.iter().map(|update| update.operator).collect();
        let is_drawn = |seat: &u16| drawn.get(usize::from(*seat)) == Some(&true);
        seats.retain(|operator, seats| accepted.contains(operator) || !seats.iter().any(is_drawn));
    }
    seats.into_keys().collect()
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
            targeted: false,
            cohort: 2,
            draw_seed: 5,
        }
    }

    fn round(round: u16, operators: &[(Address, u64)]) -> PaidRound {
        let accepted = operators
            .iter()
            .map(|(operator, samples)| AcceptedUpdate {
                operator: *operator,
                seat: u16::from(*operator == BOB),
                digest: B256::ZERO,
                samples: *samples,
                score: 1,
            })
            .collect();
        PaidRound { round, proposer: KEEPER, accepted, reached: false }
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
    fn the_bonus_goes_with_the_round_that_reaches_the_target() {
        let mut rounds = [round(1, &[(ALICE, 1), (BOB, 1)]), round(2, &[(ALICE, 1), (BOB, 1)])];
        rounds[1].reached = true;
        assert_eq!(earned(&rounds), [(ALICE, 100 + 25), (BOB, 100 + 25), (KEEPER, 14)]);
    }

    #[test]
    fn who_was_not_drawn_misses_no_bonus_but_who_took_over_a_seat_does() {
        let terms = Terms { cohort: 1, rounds: 9, ..terms() };
        let drawn = |round| terms.drawn(round).iter().position(|drawn| *drawn).unwrap();
        let holder = |round| [ALICE, BOB][drawn(round)];
        let rounds: Vec<_> = (1..=9).map(|number| round(number, &[(holder(number), 1)])).collect();
        assert_eq!(present_throughout(&terms, &rounds), [ALICE, BOB]);
        // From some round on another operator holds Bob's seat.
        let change = (2..=9).find(|round| drawn(*round) == 1 && (1..*round).any(|before| drawn(before) == 1)).unwrap();
        let mut rounds = rounds;
        for round in rounds.iter_mut().filter(|round| round.round >= change && drawn(round.round) == 1) {
            round.accepted[0].operator = KEEPER;
        }
        assert_eq!(present_throughout(&terms, &rounds), [ALICE]);
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
