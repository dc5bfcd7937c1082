//! The closed set of events of all contracts.
//!
//! Invariant: every event in `abi/json` is a variant (a test compares the topics), and no two share a topic, so that a
//! log's first topic alone says what it is. Whether it was emitted by *our* contract is the reader's filter by address.

use std::fmt;

use alloy::{
    primitives::{B256, Log as PlainLog},
    rpc::types::Log,
    sol_types::SolEvent,
};
use serde::{Deserialize, Serialize};

use crate::bindings as b;

/// One of our contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// Roles.
    Authority,
    /// Bonds.
    Stakes,
    /// Budgets and payouts.
    Escrow,
    /// Register of operators.
    Operators,
    /// Federated sessions.
    Sessions,
    /// Scores.
    Reputation,
    /// The token.
    Usdfc,
}

impl Contract {
    /// Every contract, the token included.
    pub const ALL: &[Self] =
        &[Self::Authority, Self::Stakes, Self::Escrow, Self::Operators, Self::Sessions, Self::Reputation, Self::Usdfc];

    /// Every contract that only Parity uses: all but the token, whose logs are those of the whole chain.
    pub const OWN: &[Self] =
        &[Self::Authority, Self::Stakes, Self::Escrow, Self::Operators, Self::Sessions, Self::Reputation];

    /// Topics of the events that this contract emits.
    pub fn topics(self) -> impl Iterator<Item = B256> {
        Event::TOPICS.iter().filter(move |(contract, _, _)| *contract == self).map(|(_, _, topic)| *topic)
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Authority => "Authority",
            Self::Stakes => "Stakes",
            Self::Escrow => "Escrow",
            Self::Operators => "Operators",
            Self::Sessions => "Sessions",
            Self::Reputation => "Reputation",
            Self::Usdfc => "USDFC",
        })
    }
}

/// A log that is none of our events.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The first topic is unknown.
    #[error("a log of {address} with the topic {topic:?} is none of Parity's events")]
    UnknownTopic {
        /// Emitter.
        address: alloy::primitives::Address,
        /// First topic, if any.
        topic: Option<B256>,
    },
    /// The topic is known, the data does not fit.
    #[error("a log with the topic of {event} does not decode; is the ABI older than the contract?")]
    Malformed {
        /// Name of the event.
        event: &'static str,
        /// The decoder's words.
        source: alloy::sol_types::Error,
    },
}

macro_rules! events {
    ($($contract:ident($binding:ident) { $($event:ident,)* })*) => {
        /// An event of one of our contracts, decoded.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "event", content = "data")]
        #[allow(missing_docs, reason = "each variant is the event of that name; the Solidity interface describes it")]
        #[allow(clippy::large_enum_variant, reason = "events are decoded one at a time and rarely stored")]
        pub enum Event {
            $($($event(b::$binding::$event),)*)*
        }

        impl Event {
            /// Contract, name and first topic of every event.
            pub const TOPICS: &[(Contract, &'static str, B256)] = &[
                $($((Contract::$contract, stringify!($event), b::$binding::$event::SIGNATURE_HASH),)*)*
            ];

            /// Name as in Solidity.
            pub const fn name(&self) -> &'static str {
                match self { $($(Self::$event(_) => stringify!($event),)*)* }
            }

            /// Which contract emits it.
            pub const fn contract(&self) -> Contract {
                match self { $($(Self::$event(_) => Contract::$contract,)*)* }
            }

            /// Decodes the topics and data of a log.
            ///
            /// # Errors
            /// [`DecodeError`] when it is none of our events or does not fit its topic.
            pub fn decode_plain(log: &PlainLog) -> Result<Self, DecodeError> {
                let topic = log.topics().first().copied();
                match topic {
                    $($(Some(b::$binding::$event::SIGNATURE_HASH) => b::$binding::$event::decode_log(log)
                        .map(|decoded| Self::$event(decoded.data))
                        .map_err(|source| DecodeError::Malformed { event: stringify!($event), source }),)*)*
                    _ => Err(DecodeError::UnknownTopic { address: log.address, topic }),
                }
            }
        }

        $($(impl From<b::$binding::$event> for Event {
            fn from(event: b::$binding::$event) -> Self {
                Self::$event(event)
            }
        })*)*
    };
}

events! {
    Authority(Authority) { RoleGranted, RoleRevoked, Sealed, GovernorChanged, }
    Stakes(Stakes) { Deposited, UnbondRequested, UnbondCancelled, Withdrawn, Slashed, }
    Escrow(Escrow) {
        BudgetOpened, PayoutsCommitted, PayoutClaimed, ClaimSkipped, BudgetClosed, CreditWithdrawn, PayeeSet,
    }
    Operators(Operators) { OperatorRegistered, OperatorUpdated, OperatorRetired, }
    Sessions(Sessions) {
        SessionCreated, SeatClaimed, SeatSealed, SeatForfeited, SeatSettled, HoldoutSealed, SessionStarted, RoundStarted,
        UpdateSubmitted, RoundClosed, RoundRolledOver, SharesPosted, RoundUnmasked, RoundProposed, RoundAttested,
        RoundFinalized, RoundVoided, SessionCancelling, SessionCompleted, SessionCancelled, SessionExpired,
    }
    Reputation(Reputation) { ReputationChanged, }
    Usdfc(MockUsdfc) { Transfer, Approval, AuthorizationUsed, AuthorizationCanceled, EIP712DomainChanged, }
}

impl Event {
    /// Decodes a log as a node returns it.
    ///
    /// # Errors
    /// [`DecodeError`] when it is none of our events or does not fit its topic.
    pub fn decode(log: &Log) -> Result<Self, DecodeError> {
        Self::decode_plain(&log.inner)
    }
}
