//! What a runner agent needs to know to start.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use alloy::primitives::keccak256;
use parity_protocol::TokenAmount;
use serde::{Deserialize, Serialize};

use crate::{
    policy::Policy,
    sandbox::{self, Docker, Limits, Process, Sandbox},
};

/// Configuration of [`crate::run`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunnerConfig {
    /// RPC address of the node.
    pub rpc: String,
    /// Deployments file.
    pub deployments: PathBuf,
    /// Keystore of the operator.
    pub keystore: PathBuf,
    /// File with the password of the keystore.
    pub password_file: PathBuf,
    /// Content stores: `folder:…`, `kubo:…`, `gateway:…`.
    pub stores: Vec<String>,
    /// Folder of journal, outbox, keys and local data; one agent each.
    pub state: PathBuf,
    /// Where trainers run.
    #[serde(default)]
    pub sandbox: SandboxConfig,
    /// What a trainer may use.
    #[serde(default)]
    pub limits: Limits,
    /// Which sessions are served.
    #[serde(default)]
    pub policy: Policy,
    /// Registers the operator at start and keeps at least this much bonded; none: `parity runner register` did it.
    #[serde(default)]
    pub auto_stake: Option<TokenAmount>,
    /// Trainings of a round that may fail before the seat stays silent in it.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
    /// Share of local data kept back to measure the model (private mode), 0 to below 1.
    #[serde(default = "default_holdout_share")]
    pub holdout_share: f64,
    /// Address of `/health` and `/metrics`; none: not served.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// Where trainers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Docker or process.
    pub kind: SandboxKind,
    /// Docker: the trainer image, a tag or `sha256:…`.
    pub image: String,
    /// Process: the trainer program.
    pub trainer: PathBuf,
    /// Process: where its shared libraries lie, if the system does not find them.
    pub libraries: Option<PathBuf>,
}

/// Kind of sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxKind {
    /// A container per job.
    #[default]
    Docker,
    /// A process per job, which isolates less.
    Process,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            kind: SandboxKind::Docker,
            image: "parity-trainer:latest".into(),
            trainer: "parity-trainer".into(),
            libraries: None,
        }
    }
}

impl SandboxConfig {
    /// Opens the sandbox for the agent with this state folder, and removes what an earlier life of it left running.
    ///
    /// # Errors
    /// When there is no daemon, no image or no program.
    pub async fn open(&self, state: &Path) -> sandbox::Result<Sandbox> {
        Ok(match self.kind {
            SandboxKind::Docker => Sandbox::Docker(Docker::open(&self.image, &owner(state)).await?),
            SandboxKind::Process => Sandbox::Process(Process::open(&self.trainer, self.libraries.as_deref()).await?),
        })
    }
}

/// A name for the agent that is the same in its next life and differs from other agents on the machine.
fn owner(state: &Path) -> String {
    let path = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let hash = keccak256(path.as_os_str().as_encoded_bytes());
    alloy::hex::encode(&hash[..8])
}

fn default_attempts() -> u32 {
    3
}

fn default_holdout_share() -> f64 {
    0.2
}
