//! What can go wrong between this process and the chain.

use std::{io, path::PathBuf};

use alloy::{
    primitives::{Address, B256},
    transports::TransportError,
};
use parity_abi::ContractError;

use crate::fault::Fault;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation, with its subject and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The node is on another chain than the contracts.
    #[error(
        "the node at {url} is on chain {actual}, the contracts are deployed on chain {expected}; give the RPC address of \
         chain {expected} or the deployments file of chain {actual}"
    )]
    WrongChain {
        /// The node.
        url: String,
        /// Chain id of the deployments.
        expected: u64,
        /// Chain id of the node.
        actual: u64,
    },
    /// No answer from the node, after retries.
    #[error("the node at {url} cannot be reached ({reason}); check that it runs and that the RPC address is right")]
    Unreachable {
        /// The node.
        url: String,
        /// What the last attempt met.
        reason: String,
    },
    /// The address of the node is not one.
    #[error("'{url}' is not an RPC address: {reason}; write for example http://127.0.0.1:8545")]
    Url {
        /// As typed.
        url: String,
        /// Why it was refused.
        reason: String,
    },
    /// There is no code where a contract should be.
    #[error(
        "there is no contract at {address} ({name}) on chain {chain_id}; is the deployments file of another network?"
    )]
    NoContract {
        /// Name of the contract.
        name: String,
        /// Its address.
        address: Address,
        /// The chain.
        chain_id: u64,
    },
    /// The node answered with an error.
    #[error("the node refused {what}: {source}")]
    Node {
        /// What was asked.
        what: &'static str,
        /// Its class.
        fault: Fault,
        /// The answer.
        source: Box<TransportError>,
    },
    /// The contract refused the call.
    #[error("{0}")]
    Reverted(ContractError),
    /// A contract answered something that does not decode.
    #[error("the contract's answer to {what} does not decode; is the ABI older than the contract?")]
    Answer {
        /// What was asked.
        what: &'static str,
        /// The decoder's words.
        source: Box<alloy::contract::Error>,
    },
    /// A log that is none of our events came back from our own contracts.
    #[error(transparent)]
    Log(#[from] parity_abi::DecodeError),
    /// The signer cannot pay for gas.
    #[error("{address} cannot pay for gas ({reason}); send it some FIL, on a test network from a faucet")]
    NoFunds {
        /// The signer.
        address: Address,
        /// The node's words.
        reason: String,
    },
    /// A transaction's nonce was used, and nothing tells by what.
    #[error(
        "whether transaction {hash} of {address} was executed cannot be found out: its nonce is used, its receipt is gone; \
         look at the account in an explorer before repeating '{action}'"
    )]
    OutcomeUnknown {
        /// The action.
        action: String,
        /// The signer.
        address: Address,
        /// The last transaction sent for it.
        hash: B256,
    },
    /// The chain changed deeper than the reader can undo.
    #[error("the chain was reorganised below block {oldest}, deeper than is remembered; index again from the start")]
    ReorgTooDeep {
        /// Oldest block remembered.
        oldest: u64,
    },
    /// A keystore cannot be used.
    #[error("keystore {path}: {reason}")]
    Keystore {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The journal of the outbox cannot be used.
    #[error("cannot {verb} the transaction journal {path}")]
    Journal {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of the journal is damaged.
    #[error("line {line} of the transaction journal {path} is damaged; restore it or move it away once all is settled")]
    JournalLine {
        /// The file.
        path: PathBuf,
        /// Line number from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// Another process uses the same journal.
    #[error("another process already sends transactions of {address} from {path}; stop it or use another folder")]
    Locked {
        /// The signer.
        address: Address,
        /// The lock file.
        path: PathBuf,
    },
    /// The outbox was closed while the action was under way; it goes on at the next opening.
    #[error("the outbox was closed while '{action}' was under way; it goes on when the outbox is opened again")]
    Closed {
        /// The action.
        action: String,
    },
    /// Signing failed.
    #[error("cannot sign")]
    Sign(#[from] alloy::signers::Error),
}

impl Error {
    /// Whether the same call may succeed later without anything being changed: the node is down, busy or behind.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Node { fault, .. } => fault.is_retryable(),
            _ => false,
        }
    }

    /// The contract's reason, if the call was refused by one.
    pub const fn reverted(&self) -> Option<&ContractError> {
        match self {
            Self::Reverted(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the contract says that the chain has moved past the call: somebody else did it, or its time is over.
    pub fn is_superseded(&self) -> bool {
        self.reverted().is_some_and(ContractError::is_superseded)
    }

    /// Whether the contract says that it is too early for the call.
    pub fn is_early(&self) -> bool {
        self.reverted().is_some_and(ContractError::is_early)
    }

    /// Turns the error of a request into one of ours; `what` completes "the node refused …".
    pub fn node(what: &'static str, source: TransportError) -> Self {
        match Fault::of(&source) {
            Fault::Unreachable { url, reason } => Self::Unreachable { url, reason },
            Fault::Reverted(data) => Self::Reverted(ContractError::decode(&data)),
            fault => Self::Node { what, fault, source: Box::new(source) },
        }
    }

    /// Turns the error of a contract call into one of ours; `what` names the call.
    pub fn contract(what: &'static str, source: alloy::contract::Error) -> Self {
        match source {
            alloy::contract::Error::TransportError(error) => Self::node(what, error),
            other => Self::Answer { what, source: Box::new(other) },
        }
    }
}

impl From<alloy::contract::Error> for Error {
    fn from(source: alloy::contract::Error) -> Self {
        Self::contract("a contract call", source)
    }
}

impl From<TransportError> for Error {
    fn from(source: TransportError) -> Self {
        Self::node("a request", source)
    }
}
