//! What an indexer has to be told.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Configuration of an indexer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexerConfig {
    /// JSON-RPC endpoint of a node.
    pub rpc: String,
    /// Deployments file of the network.
    pub deployments: PathBuf,
    /// Postgres, as `postgres://user:password@host:port/database`.
    pub database_url: String,
    /// Where the API listens.
    pub listen: SocketAddr,
}
