//! The keeper against a real chain: anvil with the deployed contracts, a folder as content store, runners played by the test.

mod chaos;
mod hostile;
mod money;
mod paths;
mod private;
mod session;
mod spec;
mod updates;
mod world;
