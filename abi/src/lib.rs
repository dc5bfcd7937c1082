//! The boundary between Solidity and Rust: bindings, events, errors and deployments.
//!
//! Everything here is generated from or checked against `abi/json`, which `script/export-abi` writes from the contracts:
//!
//! - [`bindings`]: typed calls and instances, one module per contract (alloy's `sol!`).
//! - [`Event`]: the closed set of events of all contracts; a test compares it with the JSON.
//! - [`ContractError`]: revert data as typed errors with words for a person; a test finds any error without words.
//! - [`State`], [`Phase`], [`DataMode`]: the enums that the ABI knows only as numbers.
//! - [`Deployments`]: the addresses of one network.
//!
//! No I/O but reading and writing a deployments file; no opinion on how a call is sent.

pub mod bindings;
mod deployments;
mod describe;
mod error;
mod event;
mod roles;
mod state;

pub use bindings::{
    Authority, Escrow, IEscrow, IOperators, IReputation, ISessions, IStakes, MockUsdfc, Operators, Reputation,
    Sessions, Stakes,
};
pub use deployments::{Deployments, DeploymentsError};
pub use error::ContractError;
pub use event::{Contract, DecodeError, Event};
pub use roles::{CONTROLLER, RECORDER, SLASHER};
pub use state::{DataMode, Phase, State, UnknownState};
