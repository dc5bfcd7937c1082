//! The indexer against a real chain and a real database.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod chain;
mod indexer;
mod reorg;
mod replay;
mod restart;
mod stream;
mod tables;
