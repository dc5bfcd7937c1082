//! Why a keeper could not recompute or judge a round.

use parity_protocol::{Address, B256};

use crate::proposal::Difference;

/// Result of this crate's library functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A round that could not be recomputed, and why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chain could not be read.
    #[error("cannot read {what} from the chain")]
    Chain {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        source: Box<parity_chain::Error>,
    },
    /// A session is in a state that this version does not know, or does not exist (any more, after a reorganisation).
    #[error("the session is in state {state}, phase {phase}, which this version does not know")]
    UnknownState {
        /// State as a number.
        state: u8,
        /// Phase as a number.
        phase: u8,
    },
    /// Content could not be read or written.
    #[error("cannot {operation}")]
    Content {
        /// What was tried.
        operation: String,
        /// Why not.
        source: Box<parity_content::Error>,
    },
    /// The protocol does not allow a value.
    #[error(transparent)]
    Protocol(#[from] parity_protocol::Error),
    /// The mathematics refused its input.
    #[error(transparent)]
    Learning(#[from] parity_learning::Error),
    /// The events at hand do not fold to the accumulator on chain: some are missing or from another fork.
    #[error("the updates found for round {round} fold to {actual}, the contract has {expected}")]
    Incomplete {
        /// Round.
        round: u16,
        /// On chain.
        expected: B256,
        /// From the events found.
        actual: B256,
    },
    /// An event that must exist was not found.
    #[error("no {event} event was found for round {round}; ask a node that keeps older logs")]
    NoEvent {
        /// Name of the event.
        event: &'static str,
        /// Round.
        round: u16,
    },
    /// Content of some updates has not appeared yet.
    #[error("the content of {missing} update(s) of round {round} is not there yet")]
    NotYet {
        /// Round.
        round: u16,
        /// How many.
        missing: usize,
    },
    /// The round's updates are sealed to keepers, and this one is not (surely) among the recipients.
    #[error("the updates of round {round} are sealed to other keepers")]
    Sealed {
        /// Round.
        round: u16,
    },
    /// The payouts derived from the final rounds are not those on chain.
    #[error("the payouts derived from the final rounds have root {actual}, Escrow has {expected}")]
    Payouts {
        /// On chain.
        expected: B256,
        /// As derived.
        actual: B256,
    },
    /// The token cannot be sent to some payees.
    #[error("the token cannot be sent to the payees of {operators:?}")]
    Unpayable {
        /// Whose payees.
        operators: Vec<Address>,
    },
    /// The standing proposal is wrong.
    #[error("the standing proposal is wrong: {0}")]
    WrongProposal(Difference),
    /// The round must be scored on the holdout, which this process has not.
    #[error("round {round} is scored on the holdout, and it is not at hand: {reason}")]
    NoHoldout {
        /// Round.
        round: u16,
        /// Why not.
        reason: String,
    },
    /// The evaluation failed; it says nothing about the aggregate.
    #[error("cannot evaluate the model of round {round}: {reason}")]
    Evaluation {
        /// Round.
        round: u16,
        /// Why.
        reason: String,
    },
    /// The thread of a computation panicked.
    #[error("a computation ended unexpectedly")]
    Computation,
    /// The updates of a round need more memory than this process grants.
    #[error("the updates of round {round} may have {actual} bytes, at most {limit} are granted")]
    TooLarge {
        /// Round.
        round: u16,
        /// Bytes granted.
        limit: u64,
        /// Bytes that the spec allows all updates together.
        actual: u64,
    },
}

impl Error {
    /// Whether waiting may help without anyone changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain { .. } | Self::NotYet { .. } | Self::Incomplete { .. } | Self::NoHoldout { .. } => true,
            Self::Content { source, .. } => source.is_retryable() || source.is_not_found(),
            _ => false,
        }
    }

    pub(crate) fn chain(what: &'static str) -> impl FnOnce(parity_chain::Error) -> Self {
        move |source| Self::Chain { what, source: Box::new(source) }
    }

    pub(crate) fn content(operation: impl Into<String>) -> impl FnOnce(parity_content::Error) -> Self {
        let operation = operation.into();
        move |source| Self::Content { operation, source: Box::new(source) }
    }
}
