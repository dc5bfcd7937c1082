//! What can go wrong between asking for bytes and having the right ones.

use std::{io, path::PathBuf};

use parity_protocol::{B256, Link};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bytes could not be named, stored, fetched or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store answered, and has no such block.
    #[error("{link} is not in {place}")]
    NotFound {
        /// The block.
        link: Link,
        /// The store.
        place: String,
    },
    /// The store answered with bytes that do not hash to the name asked for.
    #[error("the bytes of {link} in {place} are not the bytes of that name: they are damaged or forged")]
    Corrupt {
        /// The block.
        link: Link,
        /// The file or store that holds the wrong bytes.
        place: String,
    },
    /// More bytes than the caller or the protocol allows.
    #[error("{what} has {actual} bytes or more, at most {limit} are allowed")]
    TooLarge {
        /// What was too large.
        what: String,
        /// Most bytes allowed.
        limit: u64,
        /// Bytes seen or announced.
        actual: u64,
    },
    /// The store did not answer in time, or said that it cannot answer now.
    #[error("{place} is not available to {operation}: {reason}")]
    Unavailable {
        /// The store.
        place: String,
        /// What was tried.
        operation: &'static str,
        /// What it said, or what the connection said.
        reason: String,
    },
    /// The store answered with a refusal.
    #[error("{place} refused to {operation}: {reason}")]
    Refused {
        /// The store.
        place: String,
        /// What was tried.
        operation: &'static str,
        /// Its words.
        reason: String,
    },
    /// No store among those given takes writes.
    #[error("{place} can only be read; add a store that takes writes, such as folder:/path/to/blocks")]
    ReadOnly {
        /// The store.
        place: String,
    },
    /// The local file system failed.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are the right ones, but not a file of the profile or not what their manifest says.
    #[error("{link} is not usable: {reason}")]
    Malformed {
        /// The block.
        link: Link,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A manifest or a link breaks the rules of the protocol.
    #[error(transparent)]
    Protocol(#[from] parity_protocol::Error),
    /// Text that names no store.
    #[error("'{text}' names no store: {reason}")]
    Location {
        /// The text as typed.
        text: String,
        /// Why it was refused, and what would be right.
        reason: String,
    },
    /// A public key that nothing can be sealed to.
    #[error("{key} is not an X25519 public key to which bytes can be sealed")]
    Recipient {
        /// The key.
        key: B256,
    },
    /// The bytes are sealed, and not to this key.
    #[error("{link} is sealed to {recipients} other key(s)")]
    NotRecipient {
        /// The sealed bytes.
        link: Link,
        /// How many keys it is sealed to.
        recipients: usize,
    },
    /// Sealed bytes that this key does not open.
    #[error("cannot open the sealed bytes {link}: {reason}")]
    Unseal {
        /// The sealed bytes.
        link: Link,
        /// What failed.
        reason: &'static str,
    },
    /// A file that should hold a sealing key does not, or others may read it.
    #[error("the sealing key in {} cannot be used: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl Error {
    /// Whether asking again later may succeed without anyone doing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether every store answered that it has no such block.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether a store held wrong bytes under the right name.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    /// Whether the bytes match their name and are wrong in themselves, so that everyone who fetches them finds the same.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::Unseal { .. } | Self::Protocol(_) | Self::TooLarge { .. })
    }

    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }
}
