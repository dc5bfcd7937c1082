//! Vocabulary and rules of the network: amounts, session spec, manifests, trainer jobs, payout split.
//!
//! Pure: no I/O, no clock, no randomness. What stands here is what two strangers must agree on byte for byte: the
//! canonical encoding ([`codec`]) of everything that is named on chain by digest, and the integer formulas ([`payout`],
//! [`merkle`], [`draw`]) that also exist in Solidity and are checked against it on shared vectors.

pub mod accumulator;
pub mod aggregation;
pub mod amount;
pub mod capability;
pub mod codec;
pub mod compression;
pub mod confusion;
pub mod device;
pub mod draw;
pub mod error;
pub mod forest;
pub mod job;
pub mod link;
pub mod manifest;
pub mod merkle;
pub mod metrics;
pub mod model;
pub mod partition;
pub mod payout;
pub mod schema;
pub mod spec;
pub mod training;
pub mod worker;

pub use alloy_primitives::{Address, B256, U256};
pub use amount::TokenAmount;
pub use error::{Error, Result};
pub use link::Link;
