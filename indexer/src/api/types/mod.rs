//! What the API answers: every amount a decimal string of base units, every height an epoch, and with every answer the
//! block as of which it holds.

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod account;
mod event;
mod operator;
mod round;
mod seat;
mod session;
mod status;

pub use account::{Account, HistoryEntry};
pub use event::{LogEvent, Rollback};
pub use operator::{Operator, Reputation, Stake};
pub use round::{Proposal, Round, Update};
pub use seat::{Payout, Seat};
pub use session::{Session, Terms};
pub use status::{Contracts, Status};

/// How settled a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// A reorganisation may still take it back.
    Latest,
    /// A reorganisation is very unlikely.
    Safe,
    /// It stays.
    Finalized,
}

/// The block as of which an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockRef {
    /// Its height.
    pub number: u64,
    /// Its hash.
    #[schema(value_type = String)]
    pub hash: B256,
    /// How settled it is.
    pub finality: Finality,
}

/// One thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer<T> {
    /// As of this block.
    pub block: BlockRef,
    /// The thing.
    pub data: T,
}

/// Some of many things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// As of this block.
    pub block: BlockRef,
    /// The things.
    pub data: Vec<T>,
    /// Value of `cursor` for the next page; null on the last.
    pub next: Option<String>,
}
