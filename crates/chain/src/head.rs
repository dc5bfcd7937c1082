//! Blocks: the head, a height, what is final. Null rounds are heights without a block.

use alloy::{eips::BlockNumberOrTag, primitives::B256, providers::Provider};

use crate::{Client, Error, Fault, Result};

/// What a reader needs of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    /// Height; Filecoin leaves gaps.
    pub number: u64,
    /// Hash of the block (tipset).
    pub hash: B256,
    /// Hash of the block before, which may be more than one height below.
    pub parent_hash: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
}

impl Client {
    /// Height of the head.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn block_number(&self) -> Result<u64> {
        self.provider().get_block_number().await.map_err(|error| Error::node("to tell its height", error))
    }

    /// The head.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn head(&self) -> Result<Header> {
        self.header(BlockNumberOrTag::Latest).await?.ok_or_else(|| Error::Node {
            what: "to show its head",
            fault: Fault::NotYetAvailable,
            source: Box::new(alloy::transports::RpcError::NullResp),
        })
    }

    /// The block at a height; `None` for a null round and for a height that the node does not have yet.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn header_at(&self, number: u64) -> Result<Option<Header>> {
        self.header(BlockNumberOrTag::Number(number)).await
    }

    /// Height up to which the chain will not change, by the node's own word, kept within 20 and `finality` blocks of the
    /// head (nodes disagree widely on it).
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn finalized(&self) -> Result<u64> {
        let head = self.block_number().await?;
        let told = match self.header(BlockNumberOrTag::Finalized).await {
            Ok(header) => header.map_or(0, |header| header.number),
            Err(error) if error.is_retryable() => return Err(error),
            Err(_) => 0,
        };
        Ok(told.clamp(head.saturating_sub(self.options().finality), head.saturating_sub(20)))
    }

    async fn header(&self, at: BlockNumberOrTag) -> Result<Option<Header>> {
        match self.provider().get_block_by_number(at).await {
            Ok(block) => Ok(block.map(|block| Header {
                number: block.header.number,
                hash: block.header.hash,
                parent_hash: block.header.parent_hash,
                timestamp: block.header.timestamp,
            })),
            Err(error) => match Fault::of(&error) {
                Fault::NullRound | Fault::NotYetAvailable => Ok(None),
                _ => Err(Error::node("to show a block", error)),
            },
        }
    }

    /// Waits until the chain has reached a height and returns the height it has.
    ///
    /// # Errors
    /// When the node does not answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn wait_for_block(&self, number: u64) -> Result<u64> {
        loop {
            let head = self.block_number().await?;
            if head >= number {
                return Ok(head);
            }
            tokio::time::sleep(self.poll_interval()).await;
        }
    }
}
