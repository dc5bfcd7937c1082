//! The `parity` binary as people use it: whole networks on real anvil, Postgres, trainers and daemons that are killed.
//!
//! Networks run one at a time ([`devnet::Devnet`] holds a lock), for each wants the whole machine. Trainers run where
//! `PARITY_SANDBOX` says, in Docker by default; `script/test` prepares everything.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stdout, reason = "a test says what it measured")]

mod bad_input;
mod chain;
mod command;
mod devnet;
mod files;
mod foreign_files;
mod images;
mod interruptions;
mod killing;
mod kubo;
mod main_job;
mod offline;
#[path = "../../../crates/learning/tests/it/onnxruntime.rs"]
mod onnxruntime;
mod partition;
mod private_data;
mod random;
mod reindex;
mod reorgs;
mod report;
mod settlement;
mod simulate;
mod wait;
