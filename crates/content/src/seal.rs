//! Sealing: bytes that only chosen keys can read.
//!
//! The bytes are encrypted under a fresh key ([`body`]); that key is wrapped to each recipient by HPKE ([`envelope`]). The
//! context (what the bytes are, for which session) is bound into the wrapping: an envelope moved elsewhere does not open.

pub(crate) mod body;
pub(crate) mod envelope;
mod key;

pub use key::SealingKey;

use zeroize::Zeroizing;

/// A symmetric key used for one body only, wiped when dropped.
pub(crate) type ContentKey = Zeroizing<[u8; 32]>;
