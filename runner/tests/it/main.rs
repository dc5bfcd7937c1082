//! The agent and its sandbox against real parts: Docker, processes, anvil with the contracts, content stores.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panic")]

mod agent;
mod hostile;
mod kills;
mod pilot;
mod private;
mod sandbox;
mod trainer;
mod trouble;
mod world;
