//! Content-addressed bytes: how they are named, where they lie, and who may read them.
//!
//! - Naming: a file is a UnixFS DAG by the profile `unixfs-v1-2025` (1 MiB chunks, 1024 links a node, balanced, raw
//!   leaves, CIDv1, sha2-256), computed here ([`cid_of_file`]) and equal to what Kubo computes. A manifest is one
//!   DAG-CBOR block, named on chain by its bare digest ([`put_manifest`], [`get_manifest`]).
//! - Stores: a [`Store`] keeps blocks. There is a local folder, a Kubo node over its RPC, a trustless gateway to read
//!   from, and several of them at once ([`open`]). Whatever a store answers is hashed before anyone sees it.
//! - Sealing: [`put_sealed`] encrypts bytes under a fresh key and wraps that key to X25519 recipients; [`get_artifact`]
//!   reads both plain and sealed bytes.
//!
//! Not here: what the bytes mean (`parity-protocol`, `parity-learning`) and which of them are named on chain.
//!
//! Assumptions: sha2-256 has no collisions; the clock is not needed; a store may lie, lose blocks or hang, and the worst
//! that follows is an [`Error`]. Memory use does not grow with the size of a file, except where bytes are handed over as
//! [`bytes::Bytes`].

mod artifact;
mod cid;
mod dagpb;
mod error;
mod get;
mod manifest;
mod put;
mod retry;
mod seal;
mod sha256_pair;
mod store;
mod task;
mod tree;

pub use artifact::{get_artifact, put_sealed};
pub use cid::{FileLink, ReadAt, cid_of, cid_of_bytes, cid_of_file};
pub use error::{Error, Result};
pub use get::{get_bytes, get_file};
pub use manifest::{get_manifest, put_manifest};
pub use put::{put_bytes, put_file};
pub use seal::SealingKey;
pub use store::{DynStore, Folder, Gateway, Kubo, MAX_BLOCK_BYTES, Many, Store, open};
