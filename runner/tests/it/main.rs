//! The agent and its sandbox against real parts: Docker, processes, anvil with the contracts, content stores.

mod hostile;
mod sandbox;
