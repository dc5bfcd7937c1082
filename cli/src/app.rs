//! What a command works with: the network it acts on, a client, the wallet, the stores.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use parity_chain::{Client, Outbox, Wallet};
use parity_content::DynStore;
use parity_protocol::Address;

use crate::{args::GlobalArgs, network::Network, output::Output, paths};

/// Name of the wallet when none is given.
pub(crate) const DEFAULT_WALLET: &str = "default";

/// A connected command.
pub(crate) struct App {
    pub(crate) output: Output,
    pub(crate) network: Network,
    pub(crate) client: Client,
    args: GlobalArgs,
}

impl App {
    /// Finds the network and checks that it answers with the expected chain id.
    pub(crate) async fn connect(args: &GlobalArgs) -> anyhow::Result<Self> {
        let network = Network::resolve(args)?;
        let client = Client::connect(&network.rpc, network.deployments.clone()).await?;
        Ok(Self { output: Output::new(args.json), network, client, args: args.clone() })
    }

    /// The stores of the network.
    pub(crate) fn store(&self) -> anyhow::Result<DynStore> {
        Ok(parity_content::open(&self.network.stores)?)
    }

    /// Opens the wallet that `--wallet` names.
    pub(crate) fn wallet(&self) -> anyhow::Result<Wallet> {
        let name = self.args.wallet.as_deref().unwrap_or(DEFAULT_WALLET);
        let path = self.network.wallets.join(name);
        if !path.exists() {
            bail!(
                "there is no wallet '{name}' in {}; create one with 'parity wallet new {name}'",
                self.network.wallets.display()
            );
        }
        let password =
            crate::prompt::password_or_file(self.network.password_file.as_deref(), &format!("Password of '{name}'"))?;
        Wallet::load(&path, &password).with_context(|| format!("opening wallet '{name}'"))
    }

    /// The account that was given, or the wallet's.
    pub(crate) fn account(&self, given: Option<Address>) -> anyhow::Result<Address> {
        given.map_or_else(|| Ok(self.wallet()?.address()), Ok)
    }

    /// Opens the outbox of the wallet and says who signs where.
    pub(crate) async fn outbox(&self) -> anyhow::Result<Outbox> {
        let wallet = self.wallet()?;
        self.output.note(format!("signing as {} on {}", wallet.address(), self.network.name));
        let chain = self.client.deployments().chain_id;
        // A devnet starts its chain anew; its outboxes go with it.
        let root = if self.network.is_devnet { paths::devnet()? } else { paths::home()? };
        let folder = root.join("outbox").join(format!("{chain}-{}", wallet.address()));
        Ok(Outbox::open(&folder, self.client.clone(), wallet).await?)
    }

    /// Asks before money moves on a network where money is real; declining is an error.
    pub(crate) fn confirm(&self, question: &str) -> anyhow::Result<()> {
        if self.args.yes || self.network.is_devnet {
            return Ok(());
        }
        if crate::prompt::confirm(&format!("{question} (on {}) [y/N] ", self.network.name))? {
            return Ok(());
        }
        bail!("nothing was signed")
    }
}

/// An id for something the user asked for once, now.
pub(crate) fn action(kind: &str) -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    format!("{kind}/{nanos}")
}
