//! What the event stream carries.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BlockRef;

/// An event of a contract (stream event `log`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogEvent {
    /// Its block.
    pub block: BlockRef,
    /// Place within the block.
    pub log_index: u64,
    /// Its transaction.
    #[schema(value_type = String)]
    pub transaction_hash: B256,
    /// The contract.
    #[schema(value_type = String)]
    pub address: Address,
    /// Name of the event as in Solidity.
    pub event: String,
    /// The session it belongs to, if any.
    pub session: Option<u64>,
    /// Its fields by name; integers of more than 48 bits are decimal strings.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}

/// A reorganisation (stream event `rollback`): whatever came from blocks above this one did not happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rollback {
    /// The last block that still stands.
    pub to: BlockRef,
}
