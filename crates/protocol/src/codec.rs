//! The canonical encoding of everything named on chain: DAG-CBOR, one byte string per value.

use alloy_primitives::B256;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Link, Result, link};

/// Most bytes of a manifest: enough for a session of 256 seats, small enough for one block everywhere.
pub const MAX_BLOCK_BYTES: usize = 1 << 20;

/// A value with a canonical block.
pub trait Block: Serialize + DeserializeOwned {
    /// What error messages call it.
    const KIND: &'static str;

    /// The canonical bytes.
    ///
    /// # Errors
    /// When the value has no encoding or is larger than [`MAX_BLOCK_BYTES`].
    fn to_block(&self) -> Result<Vec<u8>> {
        let bytes =
            serde_ipld_dagcbor::to_vec(self).map_err(|e| Error::Encode { what: Self::KIND, reason: e.to_string() })?;
        check_size(Self::KIND, &bytes)?;
        Ok(bytes)
    }

    /// Reads canonical bytes; anything that would not be written the same way is refused.
    ///
    /// # Errors
    /// When the bytes are too large, do not decode, or are not canonical.
    fn from_block(bytes: &[u8]) -> Result<Self> {
        check_size(Self::KIND, bytes)?;
        let value: Self = serde_ipld_dagcbor::from_slice(bytes)
            .map_err(|e| Error::Decode { what: Self::KIND, reason: e.to_string() })?;
        if value.to_block()? != bytes {
            return Err(Error::NotCanonical { what: Self::KIND });
        }
        Ok(value)
    }

    /// The digest that contracts keep.
    ///
    /// # Errors
    /// As [`Block::to_block`].
    fn digest(&self) -> Result<B256> {
        Ok(Link::of_block(link::DAG_CBOR, &self.to_block()?).digest())
    }
}

fn check_size(what: &'static str, bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_BLOCK_BYTES {
        return Err(Error::TooLarge { what, limit: MAX_BLOCK_BYTES, actual: bytes.len() });
    }
    Ok(())
}
