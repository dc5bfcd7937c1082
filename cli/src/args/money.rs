//! Commands about money and standing.

use std::path::PathBuf;

use clap::Subcommand;
use parity_protocol::{Address, TokenAmount};

/// `parity wallet`
#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Create a key in an encrypted keystore
    New {
        /// Name of the wallet
        #[arg(default_value = "default")]
        name: String,
    },
    /// Import a private key (hex, from a file or standard input)
    Import {
        /// Name of the wallet
        name: String,
        /// File with the key; standard input when absent
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Wallets on this machine
    List,
    /// USDFC, gas money, stake and credits
    Balance {
        /// Another account than the wallet's
        #[arg(value_name = "ADDRESS")]
        account: Option<Address>,
    },
    /// What came in and went out, newest first
    History {
        /// Another account than the wallet's
        #[arg(value_name = "ADDRESS")]
        account: Option<Address>,
        /// Most entries to show
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Send USDFC
    Transfer {
        /// Recipient
        to: Address,
        /// USDFC, for example 12.5
        amount: TokenAmount,
    },
    /// Pull refunds that wait in escrow
    Withdraw,
}

/// `parity stake`
#[derive(Debug, Subcommand)]
pub(crate) enum StakeCommand {
    /// Bond USDFC
    Deposit {
        /// USDFC, for example 12.5
        amount: TokenAmount,
    },
    /// Start to unbond; withdrawable after the unbonding period
    Unbond {
        /// USDFC, for example 12.5
        amount: TokenAmount,
    },
    /// Withdraw what has finished unbonding
    Withdraw,
    /// Active and unbonding stake
    Status {
        /// Another account than the wallet's
        #[arg(value_name = "ADDRESS")]
        account: Option<Address>,
    },
}

/// `parity reputation`
#[derive(Debug, Subcommand)]
pub(crate) enum ReputationCommand {
    /// Score of an account
    Status {
        /// Another account than the wallet's
        #[arg(value_name = "ADDRESS")]
        account: Option<Address>,
    },
    /// Operators by score
    Leaderboard {
        /// Most operators to show
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
}
