//! What a node's error means. The words of Lotus, Forest, anvil and geth are known here and nowhere else.

use alloy::{
    primitives::Bytes,
    transports::{RpcError, TransportError, TransportErrorKind},
};

use crate::transport::Exhausted;

/// JSON-RPC error code of a null round in Lotus ("requested epoch was a null round").
const NULL_ROUND: i64 = 12;
/// JSON-RPC error code of Lotus for a range of blocks or a number of results above its limit.
const LIMIT: i64 = -32005;
/// JSON-RPC error codes of reverted calls: Lotus from 1.35.0 on and geth, and Lotus before.
const REVERTED: [i64; 2] = [3, 11];

/// Class of an error that a node answered, or of having no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No answer after all retries.
    Unreachable {
        /// The node.
        url: String,
        /// What the last attempt met.
        reason: String,
    },
    /// Too many requests, or a gateway that is overloaded.
    Busy,
    /// No block has that height; its neighbours exist.
    NullRound,
    /// `eth_getLogs` over too many blocks.
    RangeTooWide,
    /// `eth_getLogs` with too many results.
    TooManyResults,
    /// A block that the node does not have yet.
    NotYetAvailable,
    /// A block or state that the node no longer has.
    Forgotten,
    /// The nonce is used already.
    NonceTooLow,
    /// Earlier nonces are missing.
    NonceGap,
    /// The node has this very transaction.
    AlreadyKnown,
    /// Another transaction with this nonce waits and pays as much.
    Underpriced,
    /// Too many transactions of this sender wait.
    QueueFull,
    /// The sender cannot pay.
    InsufficientFunds,
    /// The fee cap is below the base fee.
    FeeTooLow,
    /// The call reverts, with this data.
    Reverted(Bytes),
    /// Calls are refused for the one epoch of a network upgrade.
    StateFork,
    /// Anything else.
    Other,
}

/// Fragments of messages in lower case, most specific first, and what they mean.
const WORDS: &[(&str, Fault)] = &[
    ("null round", Fault::NullRound),
    ("block range exceeds", Fault::RangeTooWide),
    ("block range is too", Fault::RangeTooWide),
    ("too many results", Fault::TooManyResults),
    ("more than 10000 results", Fault::TooManyResults),
    ("query returned more than", Fault::TooManyResults),
    ("too many logs", Fault::TooManyResults),
    ("events not yet available", Fault::NotYetAvailable),
    ("requested a future epoch", Fault::NotYetAvailable),
    ("block not found", Fault::NotYetAvailable),
    ("header not found", Fault::NotYetAvailable),
    ("blockoutofrange", Fault::NotYetAvailable),
    ("lookbacks of more than", Fault::Forgotten),
    ("missing trie node", Fault::Forgotten),
    ("state not available", Fault::Forgotten),
    ("failed to load tipset", Fault::Forgotten),
    ("state fork", Fault::StateFork),
    ("replace by fee has too low gaspremium", Fault::Underpriced),
    ("replacement transaction underpriced", Fault::Underpriced),
    ("unfulfilled nonce gap", Fault::NonceGap),
    ("nonce too high", Fault::NonceGap),
    ("message with nonce already exists", Fault::AlreadyKnown),
    ("already in mpool", Fault::AlreadyKnown),
    ("transaction already imported", Fault::AlreadyKnown),
    ("already known", Fault::AlreadyKnown),
    ("minimum expected nonce", Fault::NonceTooLow),
    ("nonce too low", Fault::NonceTooLow),
    ("nonce is too low", Fault::NonceTooLow),
    ("too many pending messages", Fault::QueueFull),
    ("txpool is full", Fault::QueueFull),
    ("not enough funds", Fault::InsufficientFunds),
    ("insufficient funds", Fault::InsufficientFunds),
    ("gas fee cap too low", Fault::FeeTooLow),
    ("max fee per gas less than block base fee", Fault::FeeTooLow),
    ("transaction underpriced", Fault::FeeTooLow),
    ("rate limit", Fault::Busy),
    ("too many requests", Fault::Busy),
];

impl Fault {
    /// Classifies the error of a request.
    pub fn of(error: &TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => {
                if let Some(data) = payload.as_revert_data() {
                    return Self::Reverted(data);
                }
                let fault = Self::of_words(payload.code, &payload.message);
                if fault == Self::Other && REVERTED.contains(&payload.code) && payload.message.contains("revert") {
                    return Self::Reverted(Bytes::new());
                }
                fault
            }
            RpcError::Transport(TransportErrorKind::Custom(source)) => match source.downcast_ref::<Exhausted>() {
                Some(Exhausted { url, reason, .. }) => Self::Unreachable { url: url.clone(), reason: reason.clone() },
                None => Self::Other,
            },
            RpcError::Transport(TransportErrorKind::HttpError(http)) if http.status == 429 => Self::Busy,
            RpcError::NullResp => Self::NotYetAvailable,
            _ => Self::Other,
        }
    }

    /// Classifies the code and message of an answer.
    fn of_words(code: i64, message: &str) -> Self {
        if code == NULL_ROUND {
            return Self::NullRound;
        }
        let message = message.to_lowercase();
        match WORDS.iter().find(|(fragment, _)| message.contains(fragment)) {
            Some((_, fault)) => fault.clone(),
            None if code == LIMIT => Self::RangeTooWide,
            None if code == 429 => Self::Busy,
            None => Self::Other,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Busy
                | Self::NotYetAvailable
                | Self::StateFork
                | Self::QueueFull
                | Self::NonceGap
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_lotus_and_anvil_are_understood() {
        let cases = [
            (12, "requested epoch was a null round (77)", Fault::NullRound),
            (-32005, "block range exceeds maximum of 2880 (got 3000)", Fault::RangeTooWide),
            (1, "filter matches too many results: 10000", Fault::TooManyResults),
            (1, "requested a future epoch (beyond 'latest')", Fault::NotYetAvailable),
            (1, "message nonce too low: minimum expected nonce is 9", Fault::NonceTooLow),
            (1, "unfulfilled nonce gap", Fault::NonceGap),
            (1, "failed to push message: replace by fee has too low GasPremium", Fault::Underpriced),
            (1, "message with nonce already exists", Fault::AlreadyKnown),
            (1, "too many pending messages for actor", Fault::QueueFull),
            (1, "not enough funds to execute transaction", Fault::InsufficientFunds),
            (1, "gas fee cap too low", Fault::FeeTooLow),
            (-32003, "Insufficient funds for gas * price + value", Fault::InsufficientFunds),
            (-32003, "nonce too low", Fault::NonceTooLow),
            (-32003, "transaction already imported", Fault::AlreadyKnown),
            (-32003, "replacement transaction underpriced", Fault::Underpriced),
            (-32002, "refusing explicit call due to state fork at epoch", Fault::StateFork),
            (-32000, "something new", Fault::Other),
        ];
        for (code, message, expected) in cases {
            assert_eq!(Fault::of_words(code, message), expected, "{message}");
        }
    }
}
