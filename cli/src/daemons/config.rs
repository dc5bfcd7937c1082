//! Configurations of daemons, from the network and the flags.

use std::path::{Path, PathBuf};

use anyhow::Context;
use parity_keeper::{Evaluation, KeeperConfig};
use parity_runner::{RunnerConfig, SandboxConfig, SandboxKind, policy::Policy, sandbox::Limits};

use crate::{
    args::{GlobalArgs, RunnerStartArgs, local},
    network::Network,
    paths,
};

/// Trainer image where none is named: what `script/trainer-image` tags.
const DEFAULT_IMAGE: &str = "parity-trainer:latest";

/// Whose key a daemon signs with.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    /// Encrypted keystore.
    pub(crate) keystore: PathBuf,
    /// Its password.
    pub(crate) password_file: PathBuf,
}

impl Signer {
    /// The wallet of the flags; a daemon has nobody to ask, so the password must be in a file.
    pub(crate) fn of(network: &Network, global: &GlobalArgs) -> anyhow::Result<Self> {
        let name = global.wallet.as_deref().unwrap_or(crate::app::DEFAULT_WALLET);
        let password_file = network
            .password_file
            .clone()
            .context("a daemon reads its password from a file; name it with --password-file FILE")?;
        Ok(Self { keystore: network.wallets.join(name), password_file })
    }
}

/// A runner's configuration.
pub(crate) fn runner_config(
    network: &Network,
    signer: &Signer,
    state: Option<&Path>,
    start: Option<&RunnerStartArgs>,
) -> anyhow::Result<RunnerConfig> {
    let mut policy = Policy::default();
    let mut limits = Limits::default();
    let mut sandbox = SandboxConfig::default();
    if let Some(start) = start {
        policy.min_seat_reward = start.min_reward;
        policy.max_sessions = start.max_sessions;
        limits.cpus = start.sandbox.cpus;
        sandbox = sandbox_config(&start.sandbox);
    }
    Ok(RunnerConfig {
        rpc: network.rpc.clone(),
        deployments: network.deployments_file.clone(),
        keystore: signer.keystore.clone(),
        password_file: signer.password_file.clone(),
        stores: network.stores.clone(),
        state: paths::daemon_state(state, "runner")?,
        sandbox,
        limits,
        policy,
        auto_stake: None,
        attempts: 3,
        holdout_share: parity_learning::defaults::HOLDOUT_SHARE,
        listen: None,
    })
}

/// A keeper's configuration.
pub(crate) fn keeper_config(
    network: &Network,
    signer: &Signer,
    state: Option<&Path>,
    sandbox: Option<&local::SandboxArgs>,
) -> anyhow::Result<KeeperConfig> {
    let state = paths::daemon_state(state, "keeper")?;
    let (evaluation, limits) = match sandbox {
        Some(args) => (evaluation(args), Limits { cpus: args.cpus, seconds: 120, ..Limits::default() }),
        None => (Evaluation::default(), Limits::default()),
    };
    Ok(KeeperConfig {
        rpc: network.rpc.clone(),
        deployments: network.deployments_file.clone(),
        keystore: signer.keystore.clone(),
        password_file: signer.password_file.clone(),
        stores: network.stores.clone(),
        state,
        evaluation,
        limits,
        concurrency: 8,
        push_every: 1,
        listen: None,
    })
}

fn sandbox_config(args: &local::SandboxArgs) -> SandboxConfig {
    let fallback = SandboxConfig::default();
    SandboxConfig {
        kind: match args.sandbox {
            local::SandboxKind::Docker => SandboxKind::Docker,
            local::SandboxKind::Process => SandboxKind::Process,
        },
        image: args.trainer_image.clone().unwrap_or_else(|| DEFAULT_IMAGE.to_owned()),
        trainer: args.trainer.clone().unwrap_or(fallback.trainer),
        libraries: args.libraries.clone(),
    }
}

fn evaluation(args: &local::SandboxArgs) -> Evaluation {
    let sandbox = sandbox_config(args);
    match args.sandbox {
        local::SandboxKind::Docker => Evaluation::Docker { image: sandbox.image },
        local::SandboxKind::Process => Evaluation::Process { program: sandbox.trainer, libraries: sandbox.libraries },
    }
}
