//! A trustless HTTP gateway, read only: `GET /ipfs/{cid}?format=raw` answers one block, which is hashed here.

use async_trait::async_trait;
use bytes::Bytes;
use parity_protocol::Link;
use reqwest::{StatusCode, header::ACCEPT};

use super::{
    MAX_BLOCK_BYTES, Store,
    http::{Answer, Http},
    verified,
};
use crate::{Error, Result};

/// A store behind a gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    http: Http,
}

impl Gateway {
    /// The gateway at `address`, such as `https://trustless-gateway.link`; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Location`] when that is no HTTP address.
    pub fn new(address: &str) -> Result<Self> {
        Ok(Self { http: Http::new("gateway", address)? })
    }

    async fn fetch(&self, link: &Link) -> Result<Answer> {
        let build = || {
            let (client, url) = self.http.at(&format!("ipfs/{link}"))?;
            Ok(client.get(url).query(&[("format", "raw")]).header(ACCEPT, "application/vnd.ipld.raw"))
        };
        self.http.call("fetch a block", MAX_BLOCK_BYTES, build).await
    }
}

#[async_trait]
impl Store for Gateway {
    async fn put_block(&self, _codec: u64, _block: Bytes) -> Result<Link> {
        Err(Error::ReadOnly { place: self.http.place.clone() })
    }

    async fn get_block(&self, link: &Link) -> Result<Bytes> {
        let answer = self.fetch(link).await?;
        match answer.status {
            status if status.is_success() => verified(link, answer.body, &self.http.place).await,
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Error::NotFound { link: *link, place: self.http.place.clone() })
            }
            _ => Err(self.http.refused("fetch a block", &answer)),
        }
    }

    /// Fetches the block: what a gateway says without the bytes proves nothing.
    async fn has_block(&self, link: &Link) -> Result<bool> {
        match self.get_block(link).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_writable(&self) -> bool {
        false
    }
}
