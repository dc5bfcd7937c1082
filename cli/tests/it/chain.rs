//! What the contracts say, read straight from the chain: the yardstick for what commands and tables say.

use std::path::Path;

use alloy::{
    primitives::{Address, U256},
    providers::Provider,
};
use parity_abi::{Deployments, IEscrow, ISessions, State};
use parity_chain::Client;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// A reader of one network.
#[derive(Debug)]
pub(crate) struct Chain {
    runtime: Runtime,
    client: Client,
}

impl Chain {
    pub(crate) fn connect(rpc: &str, deployments: &Path) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let deployments = Deployments::load(deployments).unwrap();
        let client = runtime.block_on(Client::connect(rpc, deployments)).unwrap();
        Self { runtime, client }
    }

    /// A session's state.
    pub(crate) fn session(&self, id: u64) -> ISessions::Session {
        self.runtime.block_on(self.client.session(U256::from(id))).unwrap()
    }

    /// Whether a session has reached its natural end.
    pub(crate) fn is_completed(&self, id: u64) -> bool {
        State::try_from(self.session(id).state).unwrap() == State::Completed
    }

    /// Number of sessions, which is the id of the newest.
    pub(crate) fn session_count(&self) -> u64 {
        self.runtime.block_on(async { self.client.sessions().sessionCount().call().await }).unwrap().to()
    }

    /// What was locked, earned, paid and returned for a session.
    pub(crate) fn budget(&self, id: u64) -> IEscrow::Budget {
        let controller = self.client.deployments().sessions;
        let escrow = self.client.escrow();
        self.runtime.block_on(async { escrow.budget(controller, U256::from(id)).call().await }).unwrap()
    }

    /// What an operator was paid for a session.
    pub(crate) fn claimed_by(&self, id: u64, operator: Address) -> u128 {
        let controller = self.client.deployments().sessions;
        let escrow = self.client.escrow();
        self.runtime.block_on(async { escrow.claimedBy(controller, U256::from(id), operator).call().await }).unwrap()
    }

    /// Refunds of an account that wait in escrow.
    pub(crate) fn credit(&self, owner: Address) -> u128 {
        let escrow = self.client.escrow();
        self.runtime.block_on(async { escrow.credit(owner).call().await }).unwrap()
    }

    /// USDFC of an account.
    pub(crate) fn usdfc(&self, owner: Address) -> u128 {
        self.runtime.block_on(self.client.usdfc_balance(owner)).unwrap().base_units()
    }

    /// USDFC that the escrow holds.
    pub(crate) fn escrowed(&self) -> u128 {
        self.usdfc(self.client.deployments().escrow)
    }

    /// Everybody who ever registered.
    pub(crate) fn operators(&self) -> Vec<Address> {
        let operators = self.client.operators();
        self.runtime.block_on(async { operators.page(U256::ZERO, U256::from(1000)).call().await }).unwrap()
    }

    /// Transactions that an account has sent.
    pub(crate) fn nonce(&self, account: Address) -> u64 {
        self.runtime.block_on(async { self.client.provider().get_transaction_count(account).await }).unwrap()
    }

    /// Height of the chain.
    pub(crate) fn height(&self) -> u64 {
        self.runtime.block_on(self.client.block_number()).unwrap()
    }

    /// Hash of the block at a height.
    pub(crate) fn hash_at(&self, height: u64) -> Value {
        self.call("eth_getBlockByNumber", json!([format!("{height:#x}"), false]))["hash"].clone()
    }

    /// A plain JSON-RPC call.
    pub(crate) fn call(&self, method: &'static str, parameters: Value) -> Value {
        self.try_call(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// A plain JSON-RPC call that the node may refuse.
    pub(crate) fn try_call(&self, method: &'static str, parameters: Value) -> Result<Value, String> {
        let request = self.client.provider().raw_request::<_, Value>(method.into(), parameters);
        self.runtime.block_on(request).map_err(|error| error.to_string())
    }
}
