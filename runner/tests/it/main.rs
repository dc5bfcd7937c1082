//! The agent and its sandbox against real parts: Docker, processes, anvil with the contracts, content stores.

mod agent;
mod hostile;
mod kills;
mod pilot;
mod private;
mod sandbox;
mod world;
