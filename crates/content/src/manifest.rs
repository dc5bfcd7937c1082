//! Manifests in a store: single DAG-CBOR blocks that contracts name by their bare digest.

use bytes::Bytes;
use parity_protocol::{B256, Link, codec::Block, link};

use crate::{Result, Store};

/// Stores a manifest and returns the digest that goes on chain.
///
/// # Errors
/// When the manifest has no canonical block, else what the store answers.
pub async fn put_manifest<B: Block + Sync>(store: &dyn Store, manifest: &B) -> Result<B256> {
    let link = store.put_block(link::DAG_CBOR, Bytes::from(manifest.to_block()?)).await?;
    store.keep(&link).await?;
    Ok(link.digest())
}

/// The manifest that a contract names by `digest`.
///
/// # Errors
/// [`crate::Error::Protocol`] when the bytes are no canonical manifest of this kind, else what the store answers.
pub async fn get_manifest<B: Block>(store: &dyn Store, digest: B256) -> Result<B> {
    Ok(B::from_block(&store.get_block(&Link::from_digest(digest)).await?)?)
}
