//! Links: how bytes are named.
//!
//! On chain a block is named by its bare sha2-256 digest and is always DAG-CBOR. Inside blocks, files are named by full
//! CIDs (UnixFS, profile `unixfs-v1-2025`).

use std::{fmt, str::FromStr};

use alloy_primitives::B256;
use cid::Cid;
use multihash_codetable::{Code, Multihash, MultihashDigest};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Multicodec of DAG-CBOR.
pub const DAG_CBOR: u64 = 0x71;
/// Multicodec of raw bytes.
pub const RAW: u64 = 0x55;
/// Multicodec of DAG-PB.
pub const DAG_PB: u64 = 0x70;
const SHA2_256: u64 = 0x12;

/// A version 1 CID with a sha2-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Link(Cid);

impl Link {
    /// The link of a block with this codec.
    pub fn of_block(codec: u64, block: &[u8]) -> Self {
        Self(Cid::new_v1(codec, Code::Sha2_256.digest(block)))
    }

    /// The link of the DAG-CBOR block that a contract names by digest.
    pub fn from_digest(digest: B256) -> Self {
        let hash = Multihash::wrap(SHA2_256, digest.as_slice()).expect("32 bytes fit a multihash of 64");
        Self(Cid::new_v1(DAG_CBOR, hash))
    }

    /// Accepts a CID if it is version 1 with sha2-256 and one of the three codecs in use.
    ///
    /// # Errors
    /// [`Error::Link`] otherwise.
    pub fn from_cid(cid: Cid) -> Result<Self> {
        let refuse = |reason: &str| Error::Link { text: cid.to_string(), reason: reason.to_owned() };
        if cid.version() != cid::Version::V1 {
            return Err(refuse("only version 1 is used"));
        }
        if cid.hash().code() != SHA2_256 || cid.hash().size() != 32 {
            return Err(refuse("only sha2-256 is used"));
        }
        if ![DAG_CBOR, DAG_PB, RAW].contains(&cid.codec()) {
            return Err(refuse("the codec is neither raw, dag-pb nor dag-cbor"));
        }
        Ok(Self(cid))
    }

    /// The CID.
    pub fn cid(&self) -> &Cid {
        &self.0
    }

    /// The multicodec of the block.
    pub fn codec(&self) -> u64 {
        self.0.codec()
    }

    /// The sha2-256 digest of the block.
    pub fn digest(&self) -> B256 {
        B256::try_from(self.0.hash().digest()).unwrap_or_default()
    }

    /// Whether `block` is the block named by this link.
    pub fn matches(&self, block: &[u8]) -> bool {
        Self::of_block(self.codec(), block) == *self
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Link {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let cid = Cid::try_from(text).map_err(|e| Error::Link { text: text.to_owned(), reason: e.to_string() })?;
        Self::from_cid(cid)
    }
}
