//! What can be wrong with a value of the protocol.

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A value that the protocol does not allow, with the value and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text is not an amount of tokens.
    #[error("'{text}' is not an amount: {reason}; write for example 12.5")]
    Amount {
        /// The text as typed.
        text: String,
        /// Why it was refused.
        reason: &'static str,
    },
    /// Integer money left the range of 128 bits.
    #[error("token arithmetic left the range of 0 to 2^128-1 base units while computing {operation}")]
    AmountOverflow {
        /// What was being computed.
        operation: &'static str,
    },
    /// A block is larger than the protocol allows.
    #[error("a {what} may have at most {limit} bytes, this one has {actual}")]
    TooLarge {
        /// What kind of block.
        what: &'static str,
        /// Most bytes allowed.
        limit: usize,
        /// Bytes found.
        actual: usize,
    },
    /// Bytes do not decode to the expected value.
    #[error("cannot decode a {what}: {reason}")]
    Decode {
        /// What kind of block.
        what: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// A value cannot be encoded.
    #[error("cannot encode a {what}: {reason}")]
    Encode {
        /// What kind of block.
        what: &'static str,
        /// The encoder's words.
        reason: String,
    },
    /// Bytes decode, but are not the canonical encoding.
    #[error("these bytes are not the canonical encoding of a {what}")]
    NotCanonical {
        /// What kind of block.
        what: &'static str,
    },
    /// A link does not name a block of the expected kind.
    #[error("'{text}' is not a usable content id: {reason}")]
    Link {
        /// The text or rendering of the CID.
        text: String,
        /// Why it was refused.
        reason: String,
    },
    /// A field of a session spec is out of range.
    #[error("session spec: {field} is {value}, expected {expected}")]
    Spec {
        /// Path of the field.
        field: &'static str,
        /// The value found.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// Text does not name an aggregation.
    #[error("'{text}' is not an aggregation: {reason}")]
    Aggregation {
        /// The text as typed.
        text: String,
        /// Why it was refused, and what would be right.
        reason: String,
    },
    /// Text does not name a way to deal rows.
    #[error("'{text}' is no partition: {reason}")]
    Partition {
        /// The text as typed.
        text: String,
        /// Why it was refused, and what would be right.
        reason: String,
    },
    /// Counts are no confusion matrix.
    #[error("confusion matrix: {0}")]
    Confusion(String),
    /// A Merkle proof or tree input is unusable.
    #[error("payout tree: {0}")]
    Tree(String),
}
