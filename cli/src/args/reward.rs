//! What a session pays.

use clap::Args;
use parity_protocol::TokenAmount;

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
}
