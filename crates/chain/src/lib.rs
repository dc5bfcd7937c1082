//! Everything between this process and the chain.
//!
//! - [`Client`]: typed reads. Its transport alone repeats requests, bounded and jittered; a node that stays silent is
//!   [`Error::Unreachable`], and [`Error::is_retryable`] says what may be tried again later.
//! - [`LogStream`]: blocks and events in order, with a [`Step::Rollback`] for every reorganisation. It knows what Filecoin
//!   does differently: null rounds, limits on ranges and results, a head that first retreats.
//! - [`Outbox`]: transactions. It writes each one to disk before it sends it, so that a process killed at any instant
//!   neither forgets nor repeats one.
//! - [`Wallet`]: keystores that `cast wallet` understands too. [`Permit`]: allowances by signature.
//!
//! Assumptions. Correctness: the deployments are right, and nobody else's journal is used with the same key. Liveness: the
//! node answers in the end, and forgets no block younger than [`ClientOptions::finality`].

mod client;
mod error;
mod fault;
mod fees;
mod head;
mod logs;
mod outbox;
mod permit;
mod reads;
mod stream;
mod transport;
mod wallet;

pub use client::{Client, ClientOptions};
pub use error::{Error, Result};
pub use fault::Fault;
pub use head::Header;
pub use outbox::{Call, Outbox, OutboxOptions, Receipt};
pub use parity_abi as abi;
pub use permit::Permit;
pub use stream::{LogStream, Step};
pub use wallet::{Wallet, WalletFile};
