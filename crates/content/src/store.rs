//! The stores: where blocks lie.
//!
//! [`Folder`] is the embedded default, [`Kubo`] a node of IPFS, [`Gateway`] somebody's read-only HTTP service, [`Many`]
//! several of them at once. A store is a dumb box for blocks; files and manifests are built on top, the same for all.

mod folder;
mod gateway;
mod http;
mod kubo;
mod location;
mod many;

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use parity_protocol::Link;

use crate::{Error, Result, task::blocking};

pub use folder::Folder;
pub use gateway::Gateway;
pub use kubo::Kubo;
pub use location::open;
pub use many::Many;

/// Most bytes of a block: what Bitswap and trustless gateways carry.
pub const MAX_BLOCK_BYTES: usize = 2 << 20;

/// A store shared by tasks.
pub type DynStore = Arc<dyn Store>;

/// A place that keeps blocks by their link.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Keeps a block and returns its link. Putting a block again is harmless, and repairs a damaged one.
    ///
    /// # Errors
    /// [`Error::TooLarge`] over [`MAX_BLOCK_BYTES`], [`Error::ReadOnly`], [`Error::Unavailable`], [`Error::Refused`] or
    /// [`Error::Io`].
    async fn put_block(&self, codec: u64, block: Bytes) -> Result<Link>;

    /// The bytes of a block, hashed and equal to their name.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Corrupt`], [`Error::TooLarge`], [`Error::Unavailable`], [`Error::Refused`] or
    /// [`Error::Io`].
    async fn get_block(&self, link: &Link) -> Result<Bytes>;

    /// Whether the store says that it holds the block; the bytes are not looked at.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Refused`] or [`Error::Io`].
    async fn has_block(&self, link: &Link) -> Result<bool>;

    /// Asks the store not to forget a file or manifest that is complete in it. Stores that never forget do nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Refused`].
    async fn keep(&self, _root: &Link) -> Result<()> {
        Ok(())
    }

    /// Whether [`Store::put_block`] can succeed.
    fn is_writable(&self) -> bool {
        true
    }
}

/// The link of a block that is small enough to be kept, computed off the threads that drive futures when that takes long.
async fn link_of(codec: u64, block: &Bytes) -> Result<Link> {
    /// Hashing this much takes 0.1 ms with SHA instructions and 0.6 ms without.
    const INLINE_BYTES: usize = 128 << 10;

    check_size(block.len())?;
    if block.len() <= INLINE_BYTES {
        return Ok(Link::of_block(codec, block));
    }
    let block = block.clone();
    blocking(move || Ok(Link::of_block(codec, &block))).await
}

/// The block, if it is the one that `link` names.
async fn verified(link: &Link, block: Bytes, place: &str) -> Result<Bytes> {
    if link_of(link.codec(), &block).await? == *link {
        Ok(block)
    } else {
        Err(Error::Corrupt { link: *link, place: place.to_owned() })
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes > MAX_BLOCK_BYTES {
        let (limit, actual) = (MAX_BLOCK_BYTES as u64, bytes as u64);
        return Err(Error::TooLarge { what: "a block".to_owned(), limit, actual });
    }
    Ok(())
}
