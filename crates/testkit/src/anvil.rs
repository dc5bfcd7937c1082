//! A real anvil that looks like Filecoin Calibration: its chain id, its genesis time, the contracts already deployed.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use alloy::{
    primitives::Address,
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::{MnemonicBuilder, PrivateKeySigner, coins_bip39::English},
};
use anyhow::Context;
use parity_abi::Deployments;
use tempfile::TempDir;

use crate::{
    child::{TiedChild, tied_command},
    port::free_port,
};

/// Chain id of Filecoin Calibration and of every local network.
pub const CHAIN_ID: u64 = 314_159;
/// Accounts that anvil funds with gas money.
pub const ACCOUNTS: u32 = 40;
/// Genesis time of Calibration.
const GENESIS: &str = "1667326380";
/// Anvil's public test mnemonic: its keys guard nothing.
const MNEMONIC: &str = "test test test test test test test test test test test junk";
/// How long anvil may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

const STATE: &[u8] = include_bytes!("../../../abi/devnet/state.json");
const DEPLOYMENTS: &str = include_str!("../../../abi/devnet/deployments.json");

/// How blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// A block per transaction, at once.
    Instant,
    /// A block every so many milliseconds, by the clock alone, as on Filecoin.
    Interval(u64),
}

/// A running anvil; stopped on drop.
#[derive(Debug)]
pub struct Anvil {
    child: TiedChild,
    port: u16,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Anvil {
    /// Starts anvil with the contracts deployed, in a temporary folder.
    ///
    /// # Errors
    /// When anvil is not installed or does not answer.
    pub async fn start(mining: Mining) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = temporary.path().to_owned();
        Self::start_in(&folder, mining, Some(temporary)).await
    }

    /// Starts anvil with its state and log in `folder`.
    ///
    /// # Errors
    /// When anvil is not installed or does not answer.
    pub async fn start_at(folder: &Path, mining: Mining) -> anyhow::Result<Self> {
        Self::start_in(folder, mining, None).await
    }

    async fn start_in(folder: &Path, mining: Mining, temporary: Option<TempDir>) -> anyhow::Result<Self> {
        let port = free_port()?;
        let state = folder.join("state.json");
        std::fs::write(&state, STATE).context("writing anvil's first state")?;
        let mut command = tied_command("anvil");
        command
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--chain-id", &CHAIN_ID.to_string()])
            .args(["--timestamp", GENESIS, "--slots-in-an-epoch", "15", "--accounts", &ACCOUNTS.to_string()])
            .arg("--load-state")
            .arg(&state);
        match mining {
            Mining::Instant => {}
            Mining::Interval(millis) => {
                let seconds = Duration::from_millis(millis).as_secs_f64();
                command.args(["--block-time", &seconds.to_string()]);
            }
        }
        let log = folder.join("anvil.log");
        let child = TiedChild::spawn("anvil", command, &log)?;
        let mut anvil = Self { child, port, folder: folder.to_owned(), _temporary: temporary };
        anvil.wait(&log).await?;
        Ok(anvil)
    }

    async fn wait(&mut self, log: &Path) -> anyhow::Result<()> {
        let provider = self.provider()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match provider.get_chain_id().await {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error).context("anvil does not answer"),
                Err(_) => {
                    self.child.check(log)?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// JSON-RPC endpoint.
    pub fn rpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Folder of state and log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A provider without a signer.
    ///
    /// # Errors
    /// Never for this URL.
    pub fn provider(&self) -> anyhow::Result<DynProvider> {
        Ok(ProviderBuilder::new().connect_http(self.rpc().parse()?).erased())
    }
}

/// Addresses of the contracts on every local network.
///
/// # Errors
/// When the committed file is broken.
pub fn deployments() -> anyhow::Result<Deployments> {
    serde_json::from_str(DEPLOYMENTS).context("abi/devnet/deployments.json")
}

/// Account `index` of anvil's mnemonic. Account 0 deployed the contracts and holds the mock USDFC.
///
/// # Errors
/// Never below [`ACCOUNTS`].
pub fn account(index: u32) -> anyhow::Result<PrivateKeySigner> {
    Ok(MnemonicBuilder::<English>::default().phrase(MNEMONIC).index(index)?.build()?)
}

/// Address of account `index`.
///
/// # Errors
/// As [`account`].
pub fn address(index: u32) -> anyhow::Result<Address> {
    Ok(account(index)?.address())
}
