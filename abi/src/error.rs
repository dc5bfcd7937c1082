//! Revert data as typed errors.

use std::fmt;

use alloy::{
    primitives::Bytes,
    sol_types::{ContractError as Decoded, Panic, SolInterface},
};

use crate::bindings::{
    Authority::AuthorityErrors, Escrow::EscrowErrors, MockUsdfc::MockUsdfcErrors, Operators::OperatorsErrors,
    Reputation::ReputationErrors, Sessions::SessionsErrors, Stakes::StakesErrors,
};

/// Why a call to one of our contracts reverted. Its `Display` says what was wrong, with which value, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContractError {
    /// Thrown by `Sessions`.
    Sessions(SessionsErrors),
    /// Thrown by `Escrow`.
    Escrow(EscrowErrors),
    /// Thrown by `Stakes`.
    Stakes(StakesErrors),
    /// Thrown by `Operators`.
    Operators(OperatorsErrors),
    /// Thrown by `Reputation`.
    Reputation(ReputationErrors),
    /// Thrown by `Authority`.
    Authority(AuthorityErrors),
    /// Thrown by the token.
    Usdfc(MockUsdfcErrors),
    /// `require(condition, message)` of a foreign contract.
    Message(String),
    /// An assertion of the compiler failed, with its code.
    Panic(u64),
    /// Reverted without a reason: a foreign contract, or a call to an address without code.
    Silent,
    /// Revert data that no known error explains.
    Unknown(Bytes),
}

impl ContractError {
    /// Decodes revert data. An error that several contracts declare alike is attributed to the first of them.
    pub fn decode(data: &[u8]) -> Self {
        if data.is_empty() {
            return Self::Silent;
        }
        fn read<E: SolInterface>(data: &[u8]) -> Option<Decoded<E>> {
            Decoded::abi_decode(data).ok()
        }
        match read::<SessionsErrors>(data) {
            Some(Decoded::CustomError(error)) => return Self::Sessions(error),
            Some(Decoded::Revert(revert)) => return Self::Message(revert.reason),
            Some(Decoded::Panic(Panic { code })) => return Self::Panic(code.saturating_to()),
            None => {}
        }
        EscrowErrors::abi_decode(data)
            .map(Self::Escrow)
            .or_else(|_| StakesErrors::abi_decode(data).map(Self::Stakes))
            .or_else(|_| OperatorsErrors::abi_decode(data).map(Self::Operators))
            .or_else(|_| ReputationErrors::abi_decode(data).map(Self::Reputation))
            .or_else(|_| AuthorityErrors::abi_decode(data).map(Self::Authority))
            .or_else(|_| MockUsdfcErrors::abi_decode(data).map(Self::Usdfc))
            .unwrap_or_else(|_| Self::Unknown(Bytes::copy_from_slice(data)))
    }

    /// Whether the state of the chain has moved past the call: somebody else did it, or its time is over. A reconciler
    /// that sees this re-reads the state instead of trying again.
    pub const fn is_superseded(&self) -> bool {
        use EscrowErrors as E;
        use SessionsErrors as S;
        match self {
            Self::Sessions(error) => matches!(
                error,
                S::Sessions_WrongState(_)
                    | S::Sessions_WrongPhase(_)
                    | S::Sessions_WrongRound(_)
                    | S::Sessions_AlreadyPosted(_)
                    | S::Sessions_AlreadyAttested(_)
                    | S::Sessions_AlreadySealed(_)
                    | S::Sessions_AlreadySeated(_)
                    | S::Sessions_SeatTaken(_)
                    | S::Sessions_SeatEmpty(_)
                    | S::Sessions_NotSeatHolder(_)
                    | S::Sessions_NotForfeitable(_)
                    | S::Sessions_NothingToSettle(_)
                    | S::Sessions_ProposalMismatch(_)
                    | S::Sessions_DeadlinePassed(_)
            ),
            Self::Escrow(error) => {
                matches!(error, E::Escrow_NothingToClaim(_) | E::Escrow_NoCredit(_) | E::Escrow_BudgetClosed(_))
            }
            Self::Operators(error) => matches!(error, OperatorsErrors::Operators_AlreadyRegistered(_)),
            _ => false,
        }
    }

    /// Whether the call only came too soon and will pass later as it is.
    pub const fn is_early(&self) -> bool {
        matches!(
            self,
            Self::Sessions(
                SessionsErrors::Sessions_TooEarly(_)
                    | SessionsErrors::Sessions_SeatsNotReady(_)
                    | SessionsErrors::Beacon_FutureEpoch(_)
            ) | Self::Stakes(StakesErrors::Stakes_NotWithdrawable(_))
        )
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.describe() {
            Some(words) => f.write_str(&words),
            None => write!(f, "the contract refused: {self:?}"),
        }
    }
}

impl std::error::Error for ContractError {}
