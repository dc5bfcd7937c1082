//! A connection to one network: the node, the contracts behind it, how requests are made.

use std::{fmt, sync::Arc, time::Duration};

use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::ClientBuilder,
    transports::http::{Http, reqwest},
};
use parity_abi::{Authority, Contract, Deployments, Escrow, MockUsdfc, Operators, Reputation, Sessions, Stakes};

use crate::{
    Error, Result,
    transport::{Retry, RetryLayer},
};

/// How a client talks to its node.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Pause between two looks at the head; by default 100 ms for a node on this machine, 3 s for others.
    pub poll: Option<Duration>,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Attempts for each request.
    pub attempts: u32,
    /// Pause before the second attempt; doubles each time.
    pub pause: Duration,
    /// Most blocks in one `eth_getLogs`; Lotus allows 2,880 by default.
    pub range: u64,
    /// Depth in blocks below which the chain does not change any more, if the node knows no better: the static fallback of
    /// Lotus.
    pub finality: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            poll: None,
            timeout: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(150),
            range: 2_880,
            finality: 900,
        }
    }
}

/// A connection to a node and the contracts behind it. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    provider: DynProvider,
    url: String,
    software: String,
    deployments: Deployments,
    options: ClientOptions,
    poll: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.0.url).field("deployments", &self.0.deployments).finish()
    }
}

impl Client {
    /// Connects to the node at `rpc` and checks that it is on the chain of the deployments.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Unreachable`] or [`Error::WrongChain`].
    pub async fn connect(rpc: &str, deployments: Deployments) -> Result<Self> {
        Self::connect_with(rpc, deployments, ClientOptions::default()).await
    }

    /// [`Self::connect`] with other than the default options.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with(rpc: &str, deployments: Deployments, options: ClientOptions) -> Result<Self> {
        let url: reqwest::Url =
            rpc.parse().map_err(|error| Error::Url { url: rpc.to_owned(), reason: format!("{error}") })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Url { url: rpc.to_owned(), reason: "only http and https are supported".to_owned() });
        }
        let nearby = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let shown = printable(&url);
        let http = reqwest::Client::builder()
            .timeout(options.timeout)
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| Error::Url { url: shown.clone(), reason: error.to_string() })?;
        let retry = Retry { attempts: options.attempts.max(1), pause: options.pause };
        let rpc_client = ClientBuilder::default()
            .layer(RetryLayer { retry, url: shown.clone() })
            .transport(Http::with_client(http, url), nearby);
        // No fillers: the outbox owns nonces, gas and fees.
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(rpc_client).erased();
        let actual = provider.get_chain_id().await.map_err(|error| Error::node("to tell its chain id", error))?;
        if actual != deployments.chain_id {
            return Err(Error::WrongChain { url: shown, expected: deployments.chain_id, actual });
        }
        // Not every gateway tells; nothing but gas margins depends on it.
        let software = provider.get_client_version().await.unwrap_or_default();
        let default_poll = if nearby { Duration::from_millis(100) } else { Duration::from_secs(3) };
        let poll = options.poll.unwrap_or(default_poll);
        Ok(Self(Arc::new(Inner { provider, url: shown, software, deployments, options, poll })))
    }

    /// Checks that every contract of the deployments has code.
    ///
    /// # Errors
    /// [`Error::NoContract`] naming the first that has none.
    pub async fn check_contracts(&self) -> Result<()> {
        for contract in Contract::ALL {
            let address = self.0.deployments.address(*contract);
            let code =
                self.0.provider.get_code_at(address).await.map_err(|error| Error::node("to show code", error))?;
            if code.is_empty() {
                return Err(Error::NoContract {
                    name: contract.to_string(),
                    address,
                    chain_id: self.0.deployments.chain_id,
                });
            }
        }
        Ok(())
    }

    /// The plain alloy provider, without fillers.
    pub fn provider(&self) -> &DynProvider {
        &self.0.provider
    }

    /// Addresses of the contracts.
    pub fn deployments(&self) -> &Deployments {
        &self.0.deployments
    }

    /// Address of the node, without credentials.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Chain id of node and contracts.
    pub fn chain_id(&self) -> u64 {
        self.0.deployments.chain_id
    }

    /// Whether the node is anvil: a local network whose tokens are worth nothing.
    pub fn is_local(&self) -> bool {
        self.0.software.to_lowercase().contains("anvil")
    }

    /// Options in force.
    pub fn options(&self) -> &ClientOptions {
        &self.0.options
    }

    /// Pause between two looks at the head.
    pub fn poll_interval(&self) -> Duration {
        self.0.poll
    }

    /// `Authority` of this network.
    pub fn authority(&self) -> Authority::AuthorityInstance<DynProvider> {
        Authority::new(self.0.deployments.authority, self.0.provider.clone())
    }

    /// `Stakes` of this network.
    pub fn stakes(&self) -> Stakes::StakesInstance<DynProvider> {
        Stakes::new(self.0.deployments.stakes, self.0.provider.clone())
    }

    /// `Escrow` of this network.
    pub fn escrow(&self) -> Escrow::EscrowInstance<DynProvider> {
        Escrow::new(self.0.deployments.escrow, self.0.provider.clone())
    }

    /// `Operators` of this network.
    pub fn operators(&self) -> Operators::OperatorsInstance<DynProvider> {
        Operators::new(self.0.deployments.operators, self.0.provider.clone())
    }

    /// `Sessions` of this network.
    pub fn sessions(&self) -> Sessions::SessionsInstance<DynProvider> {
        Sessions::new(self.0.deployments.sessions, self.0.provider.clone())
    }

    /// `Reputation` of this network.
    pub fn reputation(&self) -> Reputation::ReputationInstance<DynProvider> {
        Reputation::new(self.0.deployments.reputation, self.0.provider.clone())
    }

    /// The token of this network. Away from a local network it is the real USDFC, which has no `mint`.
    pub fn usdfc(&self) -> MockUsdfc::MockUsdfcInstance<DynProvider> {
        MockUsdfc::new(self.0.deployments.usdfc, self.0.provider.clone())
    }
}

/// The address without password and query, which may hold keys.
fn printable(url: &reqwest::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    if !url.username().is_empty() || url.password().is_some() {
        // Cannot fail for http and https addresses, which have a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    url.to_string()
}
