//! What to pay for gas (EIP-1559).
//!
//! Rule: the tip is the highest of the node's suggestion, the 60th percentile of recent tips and a floor; the cap is twice the
//! highest base fee of the last 20 blocks plus the tip. Filecoin charges the tip on the gas *limit*, and since FIP-0115
//! the base fee follows tips, so that spikes are real.

use alloy::{eips::BlockNumberOrTag, providers::Provider};

use crate::{Client, Error, Result};

/// Blocks that the estimate looks back on.
const WINDOW: u64 = 20;
/// Smallest tip in attoFIL per gas; Lotus suggests 100k to 200k.
const FLOOR: u128 = 100_000;

/// Fee per unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fees {
    /// `maxPriorityFeePerGas`, the premium.
    pub(crate) premium: u128,
    /// `maxFeePerGas`, the cap.
    pub(crate) cap: u128,
}

impl Fees {
    /// What the chain asks for now.
    pub(crate) async fn current(client: &Client) -> Result<Self> {
        let provider = client.provider();
        let history = provider
            .get_fee_history(WINDOW, BlockNumberOrTag::Latest, &[60.0])
            .await
            .map_err(|error| Error::node("to show recent fees", error))?;
        // A suggestion only; the history alone will do.
        let suggested = provider.get_max_priority_fee_per_gas().await.unwrap_or(0);
        let mut tips: Vec<u128> = history.reward.iter().flatten().filter_map(|tips| tips.first().copied()).collect();
        tips.sort_unstable();
        let median = tips.get(tips.len() / 2).copied().unwrap_or(0);
        let premium = suggested.max(median).max(FLOOR);
        let base = history.base_fee_per_gas.iter().copied().max().unwrap_or(0);
        Ok(Self { premium, cap: base.saturating_mul(2).saturating_add(premium) })
    }

    /// These fees, or what a replacement must at least pay: a premium of 1.25 times the old one (Lotus asks for 1.10 and
    /// looks at nothing else) and a cap raised alike (Ethereum nodes look at both).
    pub(crate) fn replacing(self, old: Self) -> Self {
        let raised = |fee: u128| fee.saturating_add(fee.div_ceil(4)).saturating_add(1);
        Self { premium: self.premium.max(raised(old.premium)), cap: self.cap.max(raised(old.cap)) }
    }

    /// These fees, lowered so that `gas` units never cost more than `budget`.
    pub(crate) fn within(self, gas: u64, budget: u128) -> Self {
        let most = budget / u128::from(gas.max(1));
        Self { premium: self.premium.min(most), cap: self.cap.min(most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_pays_a_quarter_more_at_least() {
        let old = Fees { premium: 100_000, cap: 1_000_001 };
        let cheap = Fees { premium: 1, cap: 1 };
        assert_eq!(cheap.replacing(old), Fees { premium: 125_001, cap: 1_250_003 });
        let dear = Fees { premium: 900_000, cap: 9_000_000 };
        assert_eq!(dear.replacing(old), dear);
    }

    #[test]
    fn a_budget_bounds_the_fee() {
        let fees = Fees { premium: 10, cap: 1_000 };
        assert_eq!(fees.within(100, 20_000), Fees { premium: 10, cap: 200 });
    }
}
