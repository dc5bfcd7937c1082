//! Configurations of daemons: flag > environment > `--config` file > default.

use std::path::{Path, PathBuf};

use anyhow::Context;
use parity_keeper::KeeperConfig;
use parity_runner::RunnerConfig;
use serde_json::{Map, Value, json};

use crate::{
    args::{
        GlobalArgs, RunnerStartArgs,
        local::{SandboxArgs, SandboxKind},
    },
    network::Network,
    paths,
};

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
    let mut flags = shared(network, signer, &paths::daemon_state(state, "runner")?);
    let mut file = None;
    if let Some(start) = start {
        file = start.config.as_deref();
        set(&mut flags, "/policy/min_seat_reward", start.min_reward.map(|amount| json!(amount)));
        set(&mut flags, "/policy/max_sessions", start.max_sessions.map(Value::from));
        set(&mut flags, "/limits/cpus", start.sandbox.cpus.map(Value::from));
        set(&mut flags, "/limits/cuda", start.cuda.then_some(Value::from(true)));
        set(&mut flags, "/sandbox/kind", start.sandbox.sandbox.map(|kind| Value::from(kind.name())));
        set(&mut flags, "/sandbox/image", start.sandbox.trainer_image.clone().map(Value::from));
        set(&mut flags, "/sandbox/trainer", path(start.sandbox.trainer.as_deref()));
        set(&mut flags, "/sandbox/libraries", path(start.sandbox.libraries.as_deref()));
    }
    Ok(parity_service::load_config(json!({}), file, "PARITY_RUNNER", Value::Object(flags))?)
}

/// A keeper's configuration.
pub(crate) fn keeper_config(
    network: &Network,
    signer: &Signer,
    state: Option<&Path>,
    start: Option<(&SandboxArgs, Option<&Path>)>,
) -> anyhow::Result<KeeperConfig> {
    let mut flags = shared(network, signer, &paths::daemon_state(state, "keeper")?);
    let mut file = None;
    if let Some((sandbox, config)) = start {
        file = config;
        flags.insert("evaluation".to_owned(), evaluation(sandbox));
    }
    Ok(parity_service::load_config(json!({}), file, "PARITY_KEEPER", Value::Object(flags))?)
}

/// What every daemon that signs is told.
fn shared(network: &Network, signer: &Signer, state: &Path) -> Map<String, Value> {
    let mut flags = Map::new();
    for (key, value) in [
        ("rpc", Value::from(network.rpc.clone())),
        ("deployments", json!(network.deployments_file)),
        ("keystore", json!(signer.keystore)),
        ("password_file", json!(signer.password_file)),
        ("stores", json!(network.stores)),
        ("state", json!(state)),
    ] {
        flags.insert(key.to_owned(), value);
    }
    flags
}

/// Sets `/group/key` if there is a value.
fn set(flags: &mut Map<String, Value>, pointer: &str, value: Option<Value>) {
    let (Some(value), Some((group, key))) = (value, pointer.trim_start_matches('/').split_once('/')) else { return };
    let group = flags.entry(group.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(group) = group {
        group.insert(key.to_owned(), value);
    }
}

fn path(path: Option<&Path>) -> Option<Value> {
    path.map(|path| json!(path))
}

/// Keepers evaluate where runners train: in the same container, or by the same program.
fn evaluation(args: &SandboxArgs) -> Value {
    let defaults = parity_runner::SandboxConfig::default();
    match args.sandbox.unwrap_or(SandboxKind::Docker) {
        SandboxKind::Docker => {
            json!({"type": "docker", "image": args.trainer_image.clone().unwrap_or(defaults.image)})
        }
        SandboxKind::Process => json!({
            "type": "process",
            "program": args.trainer.clone().unwrap_or(defaults.trainer),
            "libraries": args.libraries,
        }),
    }
}
