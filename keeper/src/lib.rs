//! The keeper: carries sessions from step to step, so that nobody's silence holds them up.
//!
//! A reconciler without a database. At every new block it reads the state of all sessions that have not ended
//! ([`snapshot`]), plans which steps the contracts allow ([`plan`], pure), waits for its turn among the other keepers
//! ([`turns`]) and acts through the transaction outbox, whose journal is all that must survive a crash. Any number of keepers
//! may run at once; what one does, the others see done.
//!
//! The work behind a proposal is in [`recompute`]: posted updates are found in events and proved complete by the accumulator
//! on chain ([`history`]), their content is fetched and checked ([`updates`]), averaged and scored ([`aggregate`], [`holdout`]) and
//! paid for ([`ledger`]). It is a pure function of chain and content, so attesting keepers and `parity fl verify` run the same code.
//!
//! Assumptions. Correctness: none beyond the contracts; a keeper that errs proposes what others will not attest. Liveness: one
//! keeper runs, its node answers, and content stays available for a quarter of the proposal period.

pub mod aggregate;
pub mod config;
pub mod error;
pub mod evaluate;
pub mod events;
pub mod history;
pub mod holdout;
pub mod ledger;
pub mod plan;
pub mod proposal;
pub mod recompute;
pub mod roster;
pub mod snapshot;
pub mod timings;
pub mod trial;
pub mod turns;
pub mod updates;
pub mod verify;
pub mod view;

mod act;
mod judge;
mod keeper;
mod meters;
mod payouts;
mod reconcile;
mod register;
mod slot;
mod target;

pub use config::{Evaluation, KeeperConfig};
pub use error::{Error, Result};
pub use reconcile::{run, run_as};
pub use register::{Registration, register, register_as};
