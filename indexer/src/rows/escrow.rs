//! Escrow: budgets, what operators had from them, and credits.

use serde::{Deserialize, Serialize};

use super::{Bytes20, Bytes32, row};

/// A budget: claimed <= committed, and committed + refunded <= deposited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) controller: Bytes20,
    pub(crate) budget_id: u128,
    pub(crate) funder: Bytes20,
    pub(crate) deposited: u128,
    pub(crate) committed: u128,
    pub(crate) claimed: u128,
    pub(crate) refunded: u128,
    /// Latest cumulative Merkle-sum root, zero before the first.
    pub(crate) root: Bytes32,
    pub(crate) closed: bool,
}

row!(Budget in "budgets" by BudgetKey { controller: Bytes20, budget_id: u128 });

/// What an operator claimed from a budget so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) controller: Bytes20,
    pub(crate) budget_id: u128,
    pub(crate) operator: Bytes20,
    /// Who received the last claim.
    pub(crate) payee: Bytes20,
    /// Cumulative.
    pub(crate) claimed: u128,
    pub(crate) claims: u32,
    pub(crate) updated_at: u64,
}

row!(Payout in "payouts" by PayoutKey { controller: Bytes20, budget_id: u128, operator: Bytes20 });

/// An address as Escrow knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) account: Bytes20,
    /// Refunds not yet withdrawn.
    pub(crate) credit: u128,
    /// Where its money goes; itself when none was named.
    pub(crate) payee: Option<Bytes20>,
}

row!(Account in "accounts" by AccountKey { account: Bytes20 });
