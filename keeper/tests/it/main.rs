//! The keeper against a real chain: anvil with the deployed contracts, a folder as content store, runners played by the test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod chaos;
mod hostile;
mod money;
mod paths;
mod private;
mod scores;
mod session;
mod spec;
mod updates;
mod world;
