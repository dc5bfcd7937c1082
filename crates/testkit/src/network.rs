//! A local network for one test: anvil, a client, wallets with money, and reorganisations at will.

use alloy::{
    primitives::{Address, B256, U256},
    providers::{DynProvider, Provider, ext::AnvilApi},
    rpc::types::{
        TransactionRequest,
        anvil::{MineOptions, ReorgOptions},
    },
    signers::local::PrivateKeySigner,
    sol_types::SolCall,
};
use anyhow::Context;
use parity_abi::{Deployments, MockUsdfc};
use parity_chain::{Client, ClientOptions, Outbox, Wallet};
use parity_protocol::TokenAmount;
use tempfile::TempDir;

use crate::{
    anvil::{self, Anvil, Mining},
    proxy::Proxy,
    quirks::Quirks,
};

/// anvil with the contracts deployed, and a client of it.
#[derive(Debug)]
pub struct Network {
    anvil: Anvil,
    client: Client,
    control: DynProvider,
    folder: TempDir,
}

impl Network {
    /// Starts a network that makes a block for each transaction at once.
    ///
    /// # Errors
    /// When anvil is not installed or does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Mining::Instant).await
    }

    /// Starts a network.
    ///
    /// # Errors
    /// When anvil is not installed or does not answer.
    pub async fn start_with(mining: Mining) -> anyhow::Result<Self> {
        let anvil = Anvil::start(mining).await?;
        let control = anvil.provider()?;
        let client = Client::connect(&anvil.rpc(), anvil::deployments()?).await?;
        Ok(Self { anvil, client, control, folder: tempfile::tempdir()? })
    }

    /// The node.
    pub fn anvil(&self) -> &Anvil {
        &self.anvil
    }

    /// JSON-RPC endpoint.
    pub fn rpc(&self) -> String {
        self.anvil.rpc()
    }

    /// A client straight to the node.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Addresses of the contracts.
    pub fn deployments(&self) -> &Deployments {
        self.client.deployments()
    }

    /// A folder of this network, removed with it.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The node's own provider, for what only a test may do.
    pub fn control(&self) -> &DynProvider {
        &self.control
    }

    /// A proxy before the node with the quirks of a public Filecoin node.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn proxy(&self, quirks: Quirks) -> anyhow::Result<Proxy> {
        Proxy::start(&self.rpc(), quirks).await
    }

    /// A client through a proxy, which gives up soon.
    ///
    /// # Errors
    /// When the proxy does not answer.
    pub async fn client_through(&self, proxy: &Proxy) -> anyhow::Result<Client> {
        let options = ClientOptions {
            attempts: 3,
            pause: std::time::Duration::from_millis(20),
            poll: Some(std::time::Duration::from_millis(50)),
            ..ClientOptions::default()
        };
        Ok(Client::connect_with(&proxy.rpc(), self.deployments().clone(), options).await?)
    }

    /// Account `index` of anvil, which has gas money. Account 0 has all the mock USDFC, others have none.
    ///
    /// # Errors
    /// Never below [`anvil::ACCOUNTS`].
    pub fn wallet(&self, index: u32) -> anyhow::Result<Wallet> {
        let key = anvil::account(index)?.to_bytes();
        Ok(Wallet::from_key(&key)?)
    }

    /// Account `index` with `amount` of mock USDFC more.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn funded(&self, index: u32, amount: TokenAmount) -> anyhow::Result<Wallet> {
        let wallet = self.wallet(index)?;
        self.mint(wallet.address(), amount).await?;
        Ok(wallet)
    }

    /// An outbox of account `index`, with its journal in this network's folder.
    ///
    /// # Errors
    /// When another outbox of the same account is open.
    pub async fn outbox(&self, index: u32) -> anyhow::Result<Outbox> {
        Ok(Outbox::open(self.folder.path(), self.client.clone(), self.wallet(index)?).await?)
    }

    /// Creates mock USDFC. Uses anvil's last account, which nothing else does and which the node itself signs for.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn mint(&self, to: Address, amount: TokenAmount) -> anyhow::Result<()> {
        let call = MockUsdfc::mintCall { to, amount: U256::from(amount.base_units()) };
        let request = TransactionRequest::default()
            .from(anvil::address(anvil::ACCOUNTS - 1)?)
            .to(self.deployments().usdfc)
            .input(call.abi_encode().into());
        let hash: B256 =
            self.control.raw_request("eth_sendTransaction".into(), (request,)).await.context("minting mock USDFC")?;
        while self.control.get_transaction_receipt(hash).await?.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Makes `blocks` empty blocks (or with what the pool holds).
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn mine(&self, blocks: u64) -> anyhow::Result<()> {
        for _ in 0..blocks {
            self.control.evm_mine(None::<MineOptions>).await?;
        }
        Ok(())
    }

    /// Stops or starts making blocks for each transaction.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn automine(&self, on: bool) -> anyhow::Result<()> {
        Ok(self.control.anvil_set_auto_mine(on).await?)
    }

    /// Replaces the last `depth` blocks by as many empty ones in one step. Their transactions are lost.
    ///
    /// # Errors
    /// When the chain is shorter.
    pub async fn reorg(&self, depth: u64) -> anyhow::Result<()> {
        Ok(self.control.anvil_reorg(ReorgOptions { depth, tx_block_pairs: Vec::new() }).await?)
    }

    /// Takes the last `depth` blocks away, so that the head retreats, and makes `blocks` others. Transactions are lost.
    ///
    /// # Errors
    /// When the chain is shorter.
    pub async fn rollback(&self, depth: u64, blocks: u64) -> anyhow::Result<()> {
        self.control.anvil_rollback(Some(depth)).await?;
        // Another coinbase, so that equal blocks get other hashes.
        self.control.anvil_set_coinbase(PrivateKeySigner::random().address()).await?;
        self.mine(blocks).await
    }
}
