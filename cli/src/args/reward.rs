//! What a session pays.

use clap::Args;
use parity_protocol::{TokenAmount, payout::BPS};

/// What a session pays.
#[derive(Clone, Debug, Args)]
pub(crate) struct RewardArgs {
    /// USDFC per round, split among the runners
    #[arg(long, default_value = "3", value_name = "USDFC")]
    pub(crate) reward: TokenAmount,
    /// USDFC for runners present in every round, split among them
    #[arg(long, default_value = "3", value_name = "USDFC")]
    pub(crate) completion_bonus: TokenAmount,
    /// USDFC per round for the keeper
    #[arg(long, default_value = "0.1", value_name = "USDFC")]
    pub(crate) keeper_fee: TokenAmount,
    /// Share of the reward that is split by what updates were worth on the held-out rows, not by rows: 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    pub(crate) performance_share: f64,
}

impl RewardArgs {
    /// The performance share in basis points, rounded.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
    pub(crate) fn performance_bps(&self) -> u16 {
        (self.performance_share * f64::from(BPS)).round() as u16
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("'{text}' is no share; expected 0 (all by rows) to 1 (all by score)")),
    }
}
