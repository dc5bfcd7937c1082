//! Who earns what: the integer formula of the contract, mirrored.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};

use crate::{
    Error, Result, TokenAmount,
    manifest::{AcceptedUpdate, PayoutLeaf},
};

/// Basis points of the whole.
pub const BPS: u16 = 10_000;

/// Shares of a round's reward: what the contract calls `rewardOf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundReward {
    /// Reward of the round, for all updates together.
    pub reward: TokenAmount,
    /// Share split by score instead of samples, 0 to 10000.
    pub performance_bps: u16,
}

impl RoundReward {
    /// Reward of one accepted update, rounded down:
    /// `R (10000-b) w / (10000 W) + R b q / (10000 Q)`, each term floored, a term with an empty total being 0.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`] when the result does not fit 128 bits (never while `w <= W` and `q <= Q`).
    pub fn of(&self, samples: u64, total_samples: U256, score: u32, total_score: U256) -> Result<TokenAmount> {
        let by_samples =
            share(self.reward, BPS.saturating_sub(self.performance_bps), U256::from(samples), total_samples);
        let by_score = share(self.reward, self.performance_bps, U256::from(score), total_score);
        u128::try_from(by_samples + by_score)
            .map(TokenAmount::from_base_units)
            .map_err(|_| Error::AmountOverflow { operation: "a reward" })
    }
}

fn share(reward: TokenAmount, bps: u16, part: U256, total: U256) -> U256 {
    if total.is_zero() {
        return U256::ZERO;
    }
    U256::from(reward.base_units()) * U256::from(bps) * part / (U256::from(BPS) * total)
}

/// Cumulative earnings of a session, folded round by round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger(BTreeMap<Address, TokenAmount>);

impl Ledger {
    /// Starts from the leaves of the last final round.
    pub fn from_leaves(leaves: &[PayoutLeaf]) -> Self {
        Self(leaves.iter().map(|leaf| (leaf.operator, leaf.cumulative)).collect())
    }

    /// Adds what one operator earned.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`].
    pub fn credit(&mut self, operator: Address, amount: TokenAmount) -> Result<()> {
        if amount.is_zero() {
            return Ok(());
        }
        let earned = self.0.entry(operator).or_default();
        *earned = earned.add(amount)?;
        Ok(())
    }

    /// Adds the rewards of a round's accepted updates.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`].
    pub fn credit_round(&mut self, reward: RoundReward, accepted: &[AcceptedUpdate]) -> Result<()> {
        let total_samples = accepted.iter().map(|update| U256::from(update.samples)).sum();
        let total_score = accepted.iter().map(|update| U256::from(update.score)).sum();
        for update in accepted {
            self.credit(update.operator, reward.of(update.samples, total_samples, update.score, total_score)?)?;
        }
        Ok(())
    }

    /// Splits the completion bonus evenly, rounded down.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`].
    pub fn credit_bonus(&mut self, bonus: TokenAmount, operators: &[Address]) -> Result<()> {
        let count = operators.len() as u128;
        if count == 0 {
            return Ok(());
        }
        let each = TokenAmount::from_base_units(bonus.base_units() / count);
        operators.iter().try_for_each(|operator| self.credit(*operator, each))
    }

    /// The leaves, sorted by operator.
    pub fn leaves(&self) -> Vec<PayoutLeaf> {
        self.0
            .iter()
            .map(|(operator, cumulative)| PayoutLeaf { operator: *operator, cumulative: *cumulative })
            .collect()
    }
}
