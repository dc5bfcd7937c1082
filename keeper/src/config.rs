//! What a keeper has to be told.

use std::{net::SocketAddr, path::PathBuf};

use parity_runner::sandbox::Limits;
use serde::{Deserialize, Serialize};

/// Configuration of a keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeeperConfig {
    /// RPC address of a node.
    pub rpc: String,
    /// Deployments file of its network.
    pub deployments: PathBuf,
    /// Encrypted keystore of the keeper's key.
    pub keystore: PathBuf,
    /// File with the keystore's password.
    pub password_file: PathBuf,
    /// Content stores, as `folder:/path`, `kubo:http://…` or `gateway:http://…`.
    pub stores: Vec<String>,
    /// Folder for transaction journal, sealing key and timings.
    pub state: PathBuf,
    /// Where models are evaluated on the holdout.
    #[serde(default)]
    pub evaluation: Evaluation,
    /// What an evaluation may use.
    #[serde(default = "defaults::limits")]
    pub limits: Limits,
    /// Sessions worked on at the same time.
    #[serde(default = "defaults::concurrency")]
    pub concurrency: usize,
    /// While a session runs, payouts are pushed after every so many final rounds; at its end always.
    #[serde(default = "defaults::push_every")]
    pub push_every: u16,
    /// Most bytes of all updates of a round together; sessions that need more are left to others.
    #[serde(default = "defaults::round_bytes")]
    pub round_bytes: u64,
    /// Address for `/health` and `/metrics`; none: no server.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// Where models are evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Evaluation {
    /// In this process, by the project's own arithmetic. The model is data to it, so there is nothing to isolate.
    #[default]
    BuiltIn,
    /// By the trainer in a container, as runners run it.
    Docker {
        /// Image of the trainer.
        image: String,
    },
    /// By the trainer as a limited process.
    Process {
        /// The trainer.
        program: PathBuf,
        /// Folder of its shared libraries.
        #[serde(default)]
        libraries: Option<PathBuf>,
    },
}

mod defaults {
    use super::Limits;

    /// A proposal waits for the evaluation, so it may not take long.
    pub(super) fn limits() -> Limits {
        Limits { seconds: 120, ..Limits::default() }
    }

    pub(super) fn concurrency() -> usize {
        8
    }

    pub(super) fn round_bytes() -> u64 {
        crate::recompute::ROUND_BYTES
    }

    pub(super) fn push_every() -> u16 {
        1
    }
}
