//! The indexer against a real chain and a real database.

mod api;
mod chain;
mod indexer;
mod reorg;
mod replay;
mod restart;
mod stream;
mod tables;
