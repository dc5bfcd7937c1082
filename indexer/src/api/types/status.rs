//! The state of the indexer itself.

use alloy::primitives::{Address, B256};
use parity_abi::Deployments;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the indexer is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The chain.
    pub chain_id: u64,
    /// First block that is indexed.
    pub start_block: u64,
    /// Height of the chain when the indexer last looked.
    pub head: u64,
    /// Blocks not yet folded in.
    pub lag: u64,
    /// Height of the last safe block.
    pub safe: u64,
    /// Height of the last final block.
    pub finalized: u64,
    /// Fold of all logs; equal for two indexers that are equally far on the same chain.
    #[schema(value_type = String)]
    pub state_hash: B256,
    /// The contracts that are indexed.
    pub contracts: Contracts,
    /// Version of the indexer.
    pub version: String,
}

/// Addresses of the contracts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "each field is the contract of that name")]
pub struct Contracts {
    #[schema(value_type = String)]
    pub usdfc: Address,
    #[schema(value_type = String)]
    pub authority: Address,
    #[schema(value_type = String)]
    pub stakes: Address,
    #[schema(value_type = String)]
    pub escrow: Address,
    #[schema(value_type = String)]
    pub operators: Address,
    #[schema(value_type = String)]
    pub sessions: Address,
    #[schema(value_type = String)]
    pub reputation: Address,
}

impl From<&Deployments> for Contracts {
    fn from(deployments: &Deployments) -> Self {
        Self {
            usdfc: deployments.usdfc,
            authority: deployments.authority,
            stakes: deployments.stakes,
            escrow: deployments.escrow,
            operators: deployments.operators,
            sessions: deployments.sessions,
            reputation: deployments.reputation,
        }
    }
}
