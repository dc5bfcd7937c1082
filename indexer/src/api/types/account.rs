//! Accounts and the history of their money.

use alloy::primitives::{Address, B256};
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rows::{self, TransferKind};

/// An address as Escrow knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The address.
    #[schema(value_type = String)]
    pub account: Address,
    /// Refunds not yet withdrawn.
    #[schema(value_type = String)]
    pub credit: TokenAmount,
    /// Where its payouts and refunds go.
    #[schema(value_type = String)]
    pub payee: Address,
}

impl Account {
    /// What Escrow knows of an address; without a row the defaults of the contract.
    pub(crate) fn of(account: Address, row: Option<rows::Account>) -> Self {
        Self {
            account,
            credit: TokenAmount::from_base_units(row.as_ref().map_or(0, |row| row.credit)),
            payee: row.and_then(|row| row.payee).map_or(account, Into::into),
        }
    }
}

/// One movement of an account's money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// What moved.
    pub kind: TransferKind,
    /// How much.
    #[schema(value_type = String)]
    pub amount: TokenAmount,
    /// The other side: an account or a contract.
    #[schema(value_type = String)]
    pub counterparty: Address,
    /// The session it belongs to, if any.
    pub session: Option<u64>,
    /// Height of its block.
    pub number: u64,
    /// Unix time of its block in seconds.
    pub timestamp: u64,
    /// Its transaction.
    #[schema(value_type = String)]
    pub transaction_hash: B256,
}

impl From<(rows::Transfer, u64)> for HistoryEntry {
    fn from((row, timestamp): (rows::Transfer, u64)) -> Self {
        Self {
            kind: row.kind,
            amount: TokenAmount::from_base_units(row.amount),
            counterparty: row.counterparty.into(),
            session: row.session_id,
            number: row.number,
            timestamp,
            transaction_hash: row.transaction_hash.into(),
        }
    }
}
