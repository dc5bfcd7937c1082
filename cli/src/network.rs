//! Which network a command acts on: flags first, then a running devnet.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, bail};
use parity_abi::Deployments;
use serde::{Deserialize, Serialize};

use crate::{args::GlobalArgs, paths};

/// What `parity devnet` writes for the other commands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DevnetDescriptor {
    /// Process that holds the devnet together.
    pub(crate) pid: u32,
    /// JSON-RPC endpoint of anvil.
    pub(crate) rpc: String,
    /// Contract addresses.
    pub(crate) deployments: PathBuf,
    /// Read API.
    pub(crate) indexer: String,
    /// Content stores.
    pub(crate) stores: Vec<String>,
    /// Postgres of the indexer.
    pub(crate) database_url: String,
    /// Keystores of the devnet's wallets.
    pub(crate) keystore_dir: PathBuf,
    /// Password of all of them.
    pub(crate) password_file: PathBuf,
    /// Logs of all processes.
    pub(crate) log_dir: PathBuf,
    /// Process ids of the daemons by name.
    pub(crate) processes: BTreeMap<String, u32>,
}

impl DevnetDescriptor {
    /// The devnet that runs now, if one does.
    pub(crate) fn running() -> anyhow::Result<Option<Self>> {
        let path = paths::devnet_descriptor()?;
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let descriptor: Self =
            serde_json::from_slice(&text).with_context(|| format!("{} is not a devnet descriptor", path.display()))?;
        let alive = std::path::Path::new("/proc").join(descriptor.pid.to_string()).exists();
        Ok(alive.then_some(descriptor))
    }
}

/// Default periods in epochs, by how fast blocks come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Periods {
    /// To fill and seal all seats.
    pub(crate) open: u32,
    /// To train in a round.
    pub(crate) round: u32,
    /// To propose, and again to attest.
    pub(crate) propose: u32,
    /// Between proposal and finality.
    pub(crate) challenge: u32,
    /// Keepers that must agree.
    pub(crate) attestations: u16,
}

/// The network of a command.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// How people call it.
    pub(crate) name: String,
    /// JSON-RPC endpoint.
    pub(crate) rpc: String,
    /// Contract addresses.
    pub(crate) deployments: Deployments,
    /// Where they came from.
    pub(crate) deployments_file: PathBuf,
    /// Content stores.
    pub(crate) stores: Vec<String>,
    /// Read API.
    pub(crate) indexer: Option<String>,
    /// Keystores to look into.
    pub(crate) wallets: PathBuf,
    /// Password for all of them, on a devnet.
    pub(crate) password_file: Option<PathBuf>,
    /// Whether money here is play money: nothing is asked before signing.
    pub(crate) is_devnet: bool,
}

impl Network {
    /// Resolves flags, environment and a running devnet.
    pub(crate) fn resolve(args: &GlobalArgs) -> anyhow::Result<Self> {
        match (&args.rpc, DevnetDescriptor::running()?) {
            (Some(rpc), _) => Self::from_flags(rpc, args),
            (None, Some(devnet)) => Ok(Self::of_devnet(devnet)?.with(args)),
            (None, None) => bail!(
                "no network: no devnet is running and --rpc is not set; start one with 'parity devnet' in another \
                 terminal, or name a network with --rpc URL --deployments FILE"
            ),
        }
    }

    fn from_flags(rpc: &str, args: &GlobalArgs) -> anyhow::Result<Self> {
        let Some(file) = &args.deployments else {
            bail!("--rpc {rpc} needs --deployments FILE with the contract addresses of that network");
        };
        let deployments = Deployments::load(file).with_context(|| format!("reading deployments {}", file.display()))?;
        let stores = if args.stores.is_empty() {
            vec![format!("folder:{}", paths::home()?.join("content").display())]
        } else {
            args.stores.clone()
        };
        Ok(Self {
            name: format!("chain {} at {rpc}", deployments.chain_id),
            rpc: rpc.to_owned(),
            deployments,
            deployments_file: file.clone(),
            stores,
            indexer: args.indexer.clone(),
            wallets: args.keystore_dir.clone().map_or_else(paths::wallets, Ok)?,
            password_file: args.password_file.clone(),
            is_devnet: false,
        })
    }

    /// The network of a devnet.
    pub(crate) fn of_devnet(devnet: DevnetDescriptor) -> anyhow::Result<Self> {
        let file = devnet.deployments;
        let deployments =
            Deployments::load(&file).with_context(|| format!("reading deployments {}", file.display()))?;
        Ok(Self {
            name: format!("devnet at {}", devnet.rpc),
            rpc: devnet.rpc,
            deployments,
            deployments_file: file,
            stores: devnet.stores,
            indexer: Some(devnet.indexer),
            wallets: devnet.keystore_dir,
            password_file: Some(devnet.password_file),
            is_devnet: true,
        })
    }

    /// Flags that differ from what the devnet says.
    fn with(mut self, args: &GlobalArgs) -> Self {
        if !args.stores.is_empty() {
            self.stores.clone_from(&args.stores);
        }
        if let Some(folder) = &args.keystore_dir {
            self.wallets.clone_from(folder);
        }
        self.indexer = args.indexer.clone().or(self.indexer);
        self.password_file = args.password_file.clone().or(self.password_file);
        self
    }

    /// Default periods: minutes on a devnet of one-second blocks, hours on Filecoin's 30-second epochs.
    pub(crate) fn periods(&self) -> Periods {
        if self.is_devnet {
            Periods { open: 1800, round: 600, propose: 300, challenge: 0, attestations: 1 }
        } else {
            Periods { open: 2880, round: 240, propose: 480, challenge: 120, attestations: 2 }
        }
    }
}
