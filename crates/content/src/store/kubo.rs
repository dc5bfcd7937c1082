//! A Kubo node over its RPC (`/api/v0`).
//!
//! Blocks go in one by one with `block/put`; the node's own chunker is never used, so the names are ours, and the node is
//! asked to confirm each. A complete file is pinned, so that the node's garbage collection leaves it alone.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parity_protocol::{Link, link};
use reqwest::multipart::{Form, Part};

use super::{
    MAX_BLOCK_BYTES, Store,
    http::{Answer, Http},
    link_of, verified,
};
use crate::{Error, Result};

/// How long the node may search the network for a block; less than the client waits.
const SEARCH: &str = "30s";
/// Pinning walks the whole file: 100 GiB at 1 GiB/s and some rest.
const PIN: Duration = Duration::from_secs(300);
/// Answers other than blocks are a few lines.
const ANSWER_BYTES: usize = 64 << 10;

/// A store in a Kubo node.
#[derive(Clone, Debug)]
pub struct Kubo {
    http: Http,
}

#[derive(serde::Deserialize)]
struct Put {
    #[serde(rename = "Key")]
    key: String,
}

#[derive(serde::Deserialize)]
struct Failure {
    #[serde(rename = "Message")]
    message: String,
}

impl Kubo {
    /// A node whose RPC listens at `address`, such as `http://127.0.0.1:5001`; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Location`] when that is no HTTP address.
    pub fn new(address: &str) -> Result<Self> {
        Ok(Self { http: Http::new("kubo", address)? })
    }

    async fn ask(
        &self,
        operation: &'static str,
        command: &str,
        query: &[(&str, &str)],
        limit: usize,
    ) -> Result<Answer> {
        let timeout = if command == "pin/add" { PIN } else { Duration::from_secs(60) };
        let build = || {
            let (client, url) = self.http.at(&format!("api/v0/{command}"))?;
            Ok(client.post(url).query(query).timeout(timeout))
        };
        self.http.call(operation, limit, build).await
    }

    /// What the node's failure means.
    fn failure(&self, operation: &'static str, link: &Link, answer: &Answer) -> Error {
        let message =
            serde_json::from_slice::<Failure>(&answer.body).map(|failure| failure.message).unwrap_or_default();
        let place = self.http.place.clone();
        if message.contains("not found") || message.contains("could not find") {
            return Error::NotFound { link: *link, place };
        }
        if message.contains("deadline exceeded") {
            return Error::Unavailable { place, operation, reason: format!("{link} was not found within {SEARCH}") };
        }
        self.http.refused(operation, answer)
    }
}

#[async_trait]
impl Store for Kubo {
    async fn put_block(&self, codec: u64, block: Bytes) -> Result<Link> {
        const OPERATION: &str = "store a block";

        let link = link_of(codec, &block).await?;
        let name = match codec {
            link::RAW => "raw",
            link::DAG_PB => "dag-pb",
            _ => "dag-cbor",
        };
        let build = || {
            let (client, url) = self.http.at("api/v0/block/put")?;
            let query = [("cid-codec", name), ("mhtype", "sha2-256"), ("pin", "false")];
            let form = Form::new().part("data", Part::stream(block.clone()).file_name("block"));
            Ok(client.post(url).query(&query).multipart(form))
        };
        let answer = self.http.call(OPERATION, ANSWER_BYTES, build).await?;
        let stored = serde_json::from_slice::<Put>(&answer.body).ok().and_then(|put| put.key.parse().ok());
        match stored {
            Some(stored) if answer.status.is_success() && link == stored => Ok(link),
            _ => Err(self.http.refused(OPERATION, &answer)),
        }
    }

    async fn get_block(&self, link: &Link) -> Result<Bytes> {
        const OPERATION: &str = "fetch a block";

        let name = link.to_string();
        let answer = self.ask(OPERATION, "block/get", &[("arg", &name), ("timeout", SEARCH)], MAX_BLOCK_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.failure(OPERATION, link, &answer));
        }
        verified(link, answer.body, &self.http.place).await
    }

    async fn has_block(&self, link: &Link) -> Result<bool> {
        const OPERATION: &str = "look for a block";

        let name = link.to_string();
        let answer = self.ask(OPERATION, "block/stat", &[("arg", &name), ("offline", "true")], ANSWER_BYTES).await?;
        if answer.status.is_success() {
            return Ok(true);
        }
        match self.failure(OPERATION, link, &answer) {
            Error::NotFound { .. } => Ok(false),
            error => Err(error),
        }
    }

    async fn keep(&self, root: &Link) -> Result<()> {
        const OPERATION: &str = "pin a file";

        // The links of a manifest are other files, pinned on their own or not held here at all.
        let recursive = if root.codec() == link::DAG_CBOR { "false" } else { "true" };
        let name = root.to_string();
        let answer = self.ask(OPERATION, "pin/add", &[("arg", &name), ("recursive", recursive)], ANSWER_BYTES).await?;
        if answer.status.is_success() { Ok(()) } else { Err(self.failure(OPERATION, root, &answer)) }
    }
}
