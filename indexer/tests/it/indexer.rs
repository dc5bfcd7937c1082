//! A running indexer with a database of its own.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy::providers::Provider;
use parity_indexer::IndexerConfig;
use parity_testkit::{Network, Postgres, port::free_port};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long an indexer may take to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An indexer; killed on drop.
pub(crate) struct Indexer {
    address: SocketAddr,
    pub(crate) database_url: String,
    task: JoinHandle<anyhow::Result<()>>,
    shutdown: CancellationToken,
}

/// Writes the deployments of a network to a file and says where.
pub(crate) fn deployments(network: &Network) -> PathBuf {
    let path = network.folder().join("deployments.json");
    network.deployments().save(&path).unwrap();
    path
}

impl Indexer {
    /// Starts one on a new database.
    pub(crate) fn start(network: &Network, postgres: &Postgres, database: &str) -> Self {
        let url = postgres.create_database(database).unwrap();
        Self::resume(network, &url, &network.rpc())
    }

    /// Starts one on a database that exists, with a node at `rpc`.
    pub(crate) fn resume(network: &Network, database_url: &str, rpc: &str) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let config = IndexerConfig {
            rpc: rpc.to_owned(),
            deployments: deployments(network),
            database_url: database_url.to_owned(),
            listen: address,
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(parity_indexer::run(config, shutdown.clone()));
        Self { address, database_url: database_url.to_owned(), task, shutdown }
    }

    /// Address of a route.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and JSON of a route.
    pub(crate) async fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        let answer = reqwest::get(self.url(path)).await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// JSON of a route that answers well.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, json) = self.try_get(path).await.unwrap();
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    /// Every row of a list, page by page.
    pub(crate) async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit={limit}{cursor}")).await;
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// Waits until the indexer stands at the head of the chain.
    pub(crate) async fn caught_up(&self, network: &Network) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let head = network.control().get_block_by_number(Default::default()).await.unwrap().unwrap();
            let status = self.try_get("/v1/status").await;
            if let Some((200, status)) = &status
                && status["block"]["hash"] == format!("{:?}", head.header.hash)
            {
                return;
            }
            assert!(!self.task.is_finished(), "the indexer ended");
            assert!(Instant::now() < deadline, "{status:?} is not at {}", head.header.number);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it between any two steps, as a SIGKILL would.
    pub(crate) async fn kill(self) {
        self.task.abort();
        // Aborted tasks are dropped at their next await.
        while !self.task.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops it as SIGTERM would.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        (&mut self.task).await.unwrap()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(mut self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, &mut self.task).await.expect("it goes on").unwrap()
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
