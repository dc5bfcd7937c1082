//! Whose turn it is: lets competing keepers act one after the other, and a failing step back off. Pure.
//!
//! Keepers are ordered by a hash that depends on the round's beacon randomness. The first acts at once, the next one
//! [`EPOCHS_PER_RANK`] epochs after the step became due, and so on: normally one transaction is sent, and a keeper that is
//! down or unwilling costs a short wait. Nothing depends on the order being agreed; the contract takes the first.

use std::collections::HashMap;

use alloy::primitives::keccak256;
use parity_protocol::{Address, B256};

use crate::plan::Action;

/// Epochs that each keeper gives to the one before it: the transaction of the first needs one to be included.
pub const EPOCHS_PER_RANK: u64 = 2;
/// Epochs before a step that was taken and is still due (a reorganisation, a lost race) is taken again.
const REPEAT_AFTER: u64 = 3;
/// Longest pause after repeated failures, in epochs.
const LONGEST_PAUSE: u64 = 64;
/// Longest pause while something is awaited that may come at any time, in epochs.
const LONGEST_WAIT: u64 = 2;
/// Failures in a row from which on a person should hear of it; fewer may come from a reorganisation under way.
pub const WORTH_AN_ERROR: u32 = 4;
/// Failures after which an ended session's step counts as hopeless.
pub const HOPELESS: u32 = 12;

/// Position of `own` among `keepers` for a seed: the number of keepers with a smaller hash. A keeper that is not in the list
/// comes after all of them.
pub fn rank(seed: B256, own: Address, keepers: &[Address]) -> u64 {
    if !keepers.contains(&own) {
        return u64::try_from(keepers.len()).unwrap_or(u64::MAX);
    }
    let place = |keeper: &Address| keccak256([seed.as_slice(), keeper.as_slice()].concat());
    let own = place(&own);
    u64::try_from(keepers.iter().filter(|keeper| place(keeper) < own).count()).unwrap_or(u64::MAX)
}

/// What this keeper remembers about the due steps of one session.
#[derive(Debug, Default)]
pub struct Turns(HashMap<Action, Turn>);

#[derive(Clone, Copy, Debug)]
struct Turn {
    due_since: u64,
    not_before: u64,
    failures: u32,
}

impl Turns {
    /// Of the steps that are due at `block`, those that this keeper takes now. Steps that are no
    /// longer due are forgotten.
    pub fn take(&mut self, due: &[Action], block: u64, wait: impl Fn(&Action) -> u64) -> Vec<Action> {
        self.0.retain(|action, _| due.contains(action));
        let mut ready = Vec::new();
        for action in due {
            let turn = self.0.entry(action.clone()).or_insert(Turn { due_since: block, not_before: 0, failures: 0 });
            // A reorganisation may lower the height.
            turn.due_since = turn.due_since.min(block);
            if block >= turn.due_since.saturating_add(wait(action)) && block >= turn.not_before {
                ready.push(action.clone());
            }
        }
        ready
    }

    /// The step was taken: it should not be due any more once its effect is seen.
    pub fn succeeded(&mut self, action: &Action, block: u64) {
        if let Some(turn) = self.0.get_mut(action) {
            turn.failures = 0;
            turn.not_before = block.saturating_add(REPEAT_AFTER);
        }
    }

    /// The step is done for good although the plan cannot see it.
    pub fn finished(&mut self, action: &Action) {
        if let Some(turn) = self.0.get_mut(action) {
            turn.not_before = u64::MAX;
        }
    }

    /// Whether all of `due` were [`finished`](Self::finished).
    pub fn all_finished(&self, due: &[Action]) -> bool {
        due.iter().all(|action| self.0.get(action).is_some_and(|turn| turn.not_before == u64::MAX))
    }

    /// The step failed: the pause doubles with every failure. Returns the number of failures in a row.
    pub fn failed(&mut self, action: &Action, block: u64) -> u32 {
        self.pause(action, block, LONGEST_PAUSE)
    }

    /// The step needs something that is not there yet.
    pub fn waits(&mut self, action: &Action, block: u64) -> u32 {
        self.pause(action, block, LONGEST_WAIT)
    }

    fn pause(&mut self, action: &Action, block: u64, longest: u64) -> u32 {
        let Some(turn) = self.0.get_mut(action) else { return 0 };
        let pause = 1u64.checked_shl(turn.failures).map_or(longest, |epochs| epochs.min(longest));
        turn.failures = turn.failures.saturating_add(1).min(32);
        turn.not_before = block.saturating_add(pause);
        turn.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSE: Action = Action::Close { round: 1 };

    #[test]
    fn ranks_are_a_permutation_and_depend_on_the_seed() {
        let keepers: Vec<Address> = (1..=8).map(Address::repeat_byte).collect();
        let order = |seed| keepers.iter().map(|keeper| rank(seed, *keeper, &keepers)).collect::<Vec<_>>();
        let (first, second) = (order(B256::repeat_byte(1)), order(B256::repeat_byte(2)));
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..8).collect::<Vec<_>>());
        assert_ne!(first, second);
    }

    #[test]
    fn a_stranger_comes_after_all_keepers() {
        let keepers = [Address::repeat_byte(1), Address::repeat_byte(2)];
        assert_eq!(rank(B256::ZERO, Address::repeat_byte(3), &keepers), 2);
        assert_eq!(rank(B256::ZERO, Address::repeat_byte(3), &[]), 0);
    }

    #[test]
    fn a_later_keeper_waits_from_the_block_in_which_the_step_became_due() {
        let mut turns = Turns::default();
        assert_eq!(turns.take(&[CLOSE], 10, |_| 2), []);
        assert_eq!(turns.take(&[CLOSE], 11, |_| 2), []);
        assert_eq!(turns.take(&[CLOSE], 12, |_| 2), [CLOSE]);
    }

    #[test]
    fn a_step_that_stopped_being_due_starts_to_wait_anew() {
        let mut turns = Turns::default();
        turns.take(&[CLOSE], 10, |_| 2);
        turns.take(&[], 11, |_| 2);
        assert_eq!(turns.take(&[CLOSE], 12, |_| 2), []);
    }

    #[test]
    fn a_taken_step_is_repeated_only_if_it_stays_due() {
        let mut turns = Turns::default();
        turns.take(&[CLOSE], 10, |_| 0);
        turns.succeeded(&CLOSE, 10);
        assert_eq!(turns.take(&[CLOSE], 12, |_| 0), []);
        assert_eq!(turns.take(&[CLOSE], 13, |_| 0), [CLOSE]);
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut turns = Turns::default();
        turns.take(&[CLOSE], 10, |_| 0);
        let pause = |turns: &mut Turns, fail: fn(&mut Turns)| {
            fail(turns);
            (10..).find(|block| !turns.take(&[CLOSE], *block, |_| 0).is_empty()).unwrap() - 10
        };
        let failing = |turns: &mut Turns| assert!(turns.failed(&CLOSE, 10) > 0);
        let pauses: Vec<u64> = (0..9).map(|_| pause(&mut turns, failing)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(pause(&mut turns, |turns| assert!(turns.waits(&CLOSE, 10) > 0)), LONGEST_WAIT);
    }

    #[test]
    fn a_finished_step_never_comes_back_while_it_stays_due() {
        let mut turns = Turns::default();
        turns.take(&[CLOSE], 10, |_| 0);
        assert!(!turns.all_finished(&[CLOSE]));
        turns.finished(&CLOSE);
        assert!(turns.all_finished(&[CLOSE]));
        assert_eq!(turns.take(&[CLOSE], 1_000_000, |_| 0), []);
    }
}
