//! Transfers: money of one account that moved or changed its standing. The history of a wallet is its transfers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Bytes20, Bytes32, row};

/// One movement of USDFC seen from one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) number: u64,
    pub(crate) log_index: u64,
    /// Which of the rows that one log gives.
    pub(crate) part: u16,
    pub(crate) account: Bytes20,
    pub(crate) kind: TransferKind,
    /// The other side: an account or a contract.
    pub(crate) counterparty: Bytes20,
    /// Base units; what exceeds 128 bits (only a mock token can) is cut to them.
    pub(crate) amount: u128,
    pub(crate) session_id: Option<u64>,
    pub(crate) transaction_hash: Bytes32,
}

row!(Transfer in "transfers" by TransferKey { number: u64, log_index: u64, part: u16 });

/// What moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Came from another wallet.
    Received,
    /// Went to another wallet.
    Sent,
    /// Was created for the account.
    Minted,
    /// Was destroyed.
    Burned,
    /// Became active stake.
    StakeDeposited,
    /// Active stake began to unbond.
    UnbondRequested,
    /// Unbonding stake became active again.
    UnbondCancelled,
    /// Unbonded stake came back.
    StakeWithdrawn,
    /// Stake was taken by a ruling.
    StakeSlashed,
    /// Stake of somebody else was awarded to the account.
    SlashReceived,
    /// Was locked as the budget of a session.
    BudgetLocked,
    /// What a session did not spend became credit.
    BudgetRefunded,
    /// Credit of the account was paid out.
    CreditWithdrawn,
    /// Credit of somebody who named the account as payee was paid to it.
    CreditReceived,
    /// A payout of the account was paid out.
    PayoutClaimed,
    /// A payout of somebody who named the account as payee was paid to it.
    PayoutReceived,
}
