//! Where an event stands in the chain, and the checked arithmetic of its fold.

use alloy::primitives::{Address, B256, U256};
use parity_abi::Deployments;

use crate::error::{Error, Result};

/// The event that a change comes from: what an error has to name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Name of the event.
    pub(crate) event: &'static str,
    /// Its block.
    pub(crate) number: u64,
}

impl Origin {
    /// Sum of two amounts.
    pub(crate) fn add(self, what: &'static str, left: u128, right: u128) -> Result<u128> {
        left.checked_add(right).ok_or_else(|| self.arithmetic(what))
    }

    /// Difference of two amounts.
    pub(crate) fn sub(self, what: &'static str, left: u128, right: u128) -> Result<u128> {
        left.checked_sub(right).ok_or_else(|| self.arithmetic(what))
    }

    /// One more.
    pub(crate) fn up(self, what: &'static str, count: u16) -> Result<u16> {
        count.checked_add(1).ok_or_else(|| self.arithmetic(what))
    }

    /// One less.
    pub(crate) fn down(self, what: &'static str, count: u16) -> Result<u16> {
        count.checked_sub(1).ok_or_else(|| self.arithmetic(what))
    }

    /// An identifier that a contract counts up.
    pub(crate) fn id(self, what: &'static str, id: U256) -> Result<u64> {
        i64::try_from(id).ok().and_then(|id| u64::try_from(id).ok()).ok_or_else(|| self.out_of_range(what, id))
    }

    /// A value that this fold cannot hold.
    pub(crate) fn out_of_range(self, what: &'static str, value: impl ToString) -> Error {
        Error::OutOfRange { event: self.event, number: self.number, what, value: value.to_string() }
    }

    /// A row that should exist.
    pub(crate) fn missing(self, table: &'static str, key: String) -> Error {
        Error::Missing { event: self.event, number: self.number, table, key }
    }

    fn arithmetic(self, what: &'static str) -> Error {
        Error::Arithmetic { event: self.event, number: self.number, what }
    }
}

/// Position of a log and what surrounds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position<'a> {
    /// Its block.
    pub(crate) number: u64,
    /// Place within the block.
    pub(crate) log_index: u64,
    /// Transaction that emitted it.
    pub(crate) transaction_hash: B256,
    /// Contract that emitted it.
    pub(crate) address: Address,
    /// The deployment that is indexed.
    pub(crate) contracts: &'a Deployments,
}
