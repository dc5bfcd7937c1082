//! What a contract error means to a person: what was wrong, with which value, what to do next.
//!
//! A test builds every error of every ABI and finds any that has no words here.
#![allow(
    unreachable_patterns,
    reason = "the last arm keeps this compiling when the ABI gains an error; the test then finds the missing words"
)]

use alloy::primitives::{Address, B256, U256};
use parity_protocol::TokenAmount;

use crate::{
    ContractError, DataMode, Phase, State,
    bindings::{
        Authority::AuthorityErrors as A, Escrow::EscrowErrors as E, MockUsdfc::MockUsdfcErrors as T,
        Operators::OperatorsErrors as O, Reputation::ReputationErrors as R, Sessions::SessionsErrors as S,
        Stakes::StakesErrors as K,
    },
};

impl ContractError {
    /// Words for a person; `None` only for an error that this version does not know.
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Sessions(error) => sessions(error),
            Self::Escrow(error) => escrow(error),
            Self::Stakes(error) => stakes(error),
            Self::Operators(error) => operators(error),
            Self::Reputation(error) => reputation(error),
            Self::Authority(error) => authority(error),
            Self::Usdfc(error) => token(error),
            Self::Message(text) => Some(format!("the contract refused: {text}")),
            Self::Panic(code) => Some(format!("the contract failed an internal check (panic code {code:#x})")),
            Self::Silent => {
                Some("the call reverted without a reason; is there a contract at that address on this network?".into())
            }
            Self::Unknown(_) => None,
        }
    }
}

/// USDFC with its unit.
fn usdfc(units: u128) -> String {
    format!("{} USDFC", TokenAmount::from_base_units(units))
}

/// USDFC of a 256-bit amount, which may be more than 128 bits can hold (an "infinite" allowance, say).
fn wide(units: U256) -> String {
    u128::try_from(units).map_or_else(|_| format!("{units} base units"), usdfc)
}

/// A short string that a contract packed into 32 bytes.
fn word(bytes: B256) -> String {
    let text = bytes.as_slice().split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(text) {
        Ok(text) if !text.is_empty() => format!("'{text}'"),
        _ => bytes.to_string(),
    }
}

fn state(value: u8) -> String {
    State::try_from(value).map_or_else(|_| value.to_string(), |state| state.to_string())
}

fn phase(value: u8) -> String {
    Phase::try_from(value).map_or_else(|_| value.to_string(), |phase| phase.to_string())
}

fn mode(value: u8) -> String {
    DataMode::try_from(value).map_or_else(|_| value.to_string(), |mode| mode.to_string())
}

fn sessions(error: &S) -> Option<String> {
    Some(match error {
        S::Sessions_UnknownSession(e) => {
            format!("there is no session {}; `parity fl list` shows those of this network", e.session)
        }
        S::Sessions_WrongState(e) => {
            format!("the session is {}, this needs it to be {}; look at it again", state(e.actual), state(e.expected))
        }
        S::Sessions_WrongPhase(e) => format!(
            "the round is in phase {}, this needs {}; somebody may have been faster",
            phase(e.actual),
            phase(e.expected)
        ),
        S::Sessions_WrongRound(e) => {
            format!("the session is in round {}, this was for round {}; look at it again", e.expected, e.actual)
        }
        S::Sessions_NotRequester(e) => {
            format!(
                "only the requester {} may do this, not {}; use the wallet that created the session",
                e.expected, e.actual
            )
        }
        S::Sessions_InvalidTerms(e) => {
            format!("the session's terms are refused because of {}; choose another value for it", word(e.field))
        }
        S::Sessions_SeatOutOfRange(e) => {
            format!("the session has {} seats, there is no seat {}; seats count from 0", e.seats, e.seat)
        }
        S::Sessions_NoTarget(e) => format!("session {} has no target that could be reached", e.session),
        S::Sessions_SeatTaken(e) => format!("seat {} is held by {}; choose a free seat", e.seat, e.holder),
        S::Sessions_SeatEmpty(e) => format!("nobody holds seat {}", e.seat),
        S::Sessions_NotSeatHolder(e) => {
            format!("the seat is held by {}, not by {}; it may have been forfeited", e.expected, e.actual)
        }
        S::Sessions_AlreadySeated(e) => {
            format!("{} already holds a seat in this session; one each is allowed", e.operator)
        }
        S::Sessions_SeatNotServing(e) => {
            format!("seat {} does not take part in this round: it serves from a later one on, or was not drawn", e.seat)
        }
        S::Sessions_InsufficientStake(e) => format!(
            "an active stake of {} is needed, it is {}; deposit with `parity stake deposit`",
            usdfc(e.expected),
            usdfc(e.actual)
        ),
        S::Sessions_InsufficientReputation(e) => {
            format!("a reputation of {} is needed, it is {}; finished rounds raise it", e.expected, e.actual)
        }
        S::Sessions_NotCapable(e) => format!(
            "{} is not registered as capable of what the session asks for (capability bits {:#x}); register with `parity \
             runner register`",
            e.operator, e.required
        ),
        S::Sessions_ZeroKey(_) => "the key for sealed data is zero; register a real X25519 public key".into(),
        S::Sessions_ZeroDigest(_) => "the digest is zero; store the content first and give its digest".into(),
        S::Sessions_ZeroSamples(_) => "an update over 0 samples is refused; train on at least one row".into(),
        S::Sessions_AlreadyPosted(e) => {
            format!("seat {} has already posted in round {}; nothing is left to do", e.seat, e.round)
        }
        S::Sessions_SeatsNotReady(e) => {
            format!("{} of {} seats are ready; the session starts when all are", e.actual, e.expected)
        }
        S::Sessions_DeadlinePassed(e) => {
            format!("the deadline was epoch {}, it is epoch {} now; this can no longer be done", e.deadline, e.actual)
        }
        S::Sessions_TooEarly(e) => {
            format!("this is possible from epoch {}, it is epoch {} now; wait", e.expected, e.actual)
        }
        S::Sessions_QuorumReached(e) => {
            format!("{} updates are in and the quorum is {}; close the round instead", e.posted, e.quorum)
        }
        S::Sessions_QuorumMissed(e) => {
            format!("{} updates are in, the quorum is {}; the round rolls over at its deadline", e.posted, e.quorum)
        }
        S::Sessions_PayoutTooHigh(e) => format!(
            "the proposal pays {}, at most {} may be paid by now; recompute the payouts",
            usdfc(e.actual),
            usdfc(e.expected)
        ),
        S::Sessions_PayoutDecreased(e) => format!(
            "the proposal pays {} in total, {} are paid already; payouts are cumulative",
            usdfc(e.actual),
            usdfc(e.expected)
        ),
        S::Sessions_AlreadyAttested(e) => {
            format!("{} has already attested this proposal; nothing is left to do", e.keeper)
        }
        S::Sessions_ProposalMismatch(e) => {
            format!("the standing proposal is {}, this attests {}; read the proposal again", e.expected, e.actual)
        }
        S::Sessions_NotForfeitable(e) => format!("the holder of seat {} has missed no deadline", e.seat),
        S::Sessions_NothingToSettle(e) => format!("seat {} has nothing left to settle", e.seat),
        S::Sessions_WrongDataMode(e) => format!(
            "this is for sessions with {} data, this one has {} data",
            mode(e.expected).to_lowercase(),
            mode(e.actual).to_lowercase()
        ),
        S::Sessions_AlreadySealed(e) => format!("seat {} is sealed already; nothing is left to do", e.seat),
        S::Sessions_LengthMismatch(e) => {
            format!("the lists of the call must be equally long: one has {} entries, another {}", e.expected, e.actual)
        }
        S::Beacon_FutureEpoch(e) => {
            format!("the randomness of epoch {} is not known yet, it is epoch {} now; wait", e.expected, e.actual)
        }
        S::Beacon_Unavailable(e) => format!(
            "the chain gives no randomness for epoch {}; on a local network the beacon mock is missing (script/devnet-state)",
            e.epoch
        ),
        S::SafeToken_AllowanceTooLow(e) => allowance_too_low(wide(e.expected), wide(e.actual)),
        other => return openzeppelin(&format!("{other:?}")),
    })
}

fn allowance_too_low(expected: String, actual: String) -> String {
    format!("an allowance of {expected} is needed, it is {actual}; approve the contract or sign a permit first")
}

fn transfer_refused(from: Address, to: Address, amount: String) -> String {
    format!("USDFC refused the transfer of {amount} from {from} to {to}; check the balance and the recipient")
}

fn escrow(error: &E) -> Option<String> {
    Some(match error {
        E::Escrow_NotController(e) => {
            format!("{} is no controller of Escrow; budgets are opened by Sessions", e.actual)
        }
        E::Escrow_BudgetExists(e) => format!("budget {} is already open", e.id),
        E::Escrow_UnknownBudget(e) => format!("{} has no budget {}", e.controller, e.id),
        E::Escrow_BudgetClosed(e) => format!("budget {} is closed; only its payouts can still be claimed", e.id),
        E::Escrow_ZeroAmount(_) => "the amount is zero; give a positive amount".into(),
        E::Escrow_SumDecreased(e) => format!(
            "{} are committed already, {} would be less; payouts are cumulative",
            usdfc(e.expected),
            usdfc(e.actual)
        ),
        E::Escrow_OverBudget(e) => format!("the budget is {}, {} would exceed it", usdfc(e.expected), usdfc(e.actual)),
        E::Escrow_InvalidProof(e) => format!(
            "the proof leads to {}, the committed root is {}; build it from the latest payouts",
            e.actual, e.expected
        ),
        E::Escrow_NothingToClaim(e) => {
            format!("{} has already been paid {} in this session; nothing is left", e.operator, usdfc(e.cumulative))
        }
        E::Escrow_NoCredit(e) => format!("Escrow holds no credit of {}", e.owner),
        E::SafeToken_TransferRefused(e) => transfer_refused(e.from, e.to, wide(e.amount)),
        E::Escrow_InvalidPayee(e) => format!("USDFC cannot be sent to {}; name another payee", e.payee),
        other => return openzeppelin(&format!("{other:?}")),
    })
}

fn stakes(error: &K) -> Option<String> {
    Some(match error {
        K::Stakes_ZeroAmount(_) => "the amount is zero; give a positive amount".into(),
        K::Stakes_InsufficientActive(e) => {
            format!("the active stake is {}, {} were asked for", usdfc(e.expected), usdfc(e.actual))
        }
        K::Stakes_NothingUnbonding(e) => {
            format!("{} has no stake unbonding; start with `parity stake unbond`", e.operator)
        }
        K::Stakes_NotWithdrawable(e) => {
            format!("the stake can be withdrawn from epoch {}, it is epoch {} now; wait", e.expected, e.actual)
        }
        K::Stakes_UnbondingTooLong(e) => format!(
            "the unbonding period of {} epochs must be shorter than the {} epochs after which a new role counts",
            e.unbondingPeriod, e.delay
        ),
        K::SafeToken_AllowanceTooLow(e) => allowance_too_low(wide(e.expected), wide(e.actual)),
        K::SafeToken_TransferRefused(e) => transfer_refused(e.from, e.to, wide(e.amount)),
        K::Stakes_NotSlasher(e) => format!("{} may not slash", e.actual),
        K::Stakes_AmountTooLarge(e) => format!("{} base units are more than exist", e.amount),
        other => return openzeppelin(&format!("{other:?}")),
    })
}

fn operators(error: &O) -> Option<String> {
    Some(match error {
        O::Operators_AlreadyRegistered(e) => format!("{} is already registered; update it instead", e.operator),
        O::Operators_NotRegistered(e) => format!("{} is not registered; use `parity runner register`", e.operator),
        O::Operators_MaskedAddress(e) => {
            format!("{} is a masked id of a native Filecoin account; use an Ethereum-style (f4) account", e.operator)
        }
        O::Operators_ZeroKey(_) => "the key for sealed data is zero; register a real X25519 public key".into(),
        _ => return None,
    })
}

fn reputation(error: &R) -> Option<String> {
    Some(match error {
        R::Reputation_NotRecorder(e) => format!("{} may not write reputation; only Sessions does", e.actual),
        _ => return None,
    })
}

fn authority(error: &A) -> Option<String> {
    Some(match error {
        A::Authority_NotGovernor(e) => format!("only the governor {} may do this, not {}", e.expected, e.actual),
        A::Authority_ZeroAddress(_) => "the zero address cannot be given a role".into(),
        _ => return None,
    })
}

fn token(error: &T) -> Option<String> {
    Some(match error {
        T::ERC20InsufficientBalance(e) => {
            format!("{} has {}, {} are needed; fund the wallet first", e.sender, wide(e.balance), wide(e.needed))
        }
        T::ERC20InsufficientAllowance(e) => format!(
            "{} is allowed to take {}, {} are needed; approve more first",
            e.spender,
            wide(e.allowance),
            wide(e.needed)
        ),
        T::ERC20InvalidApprover(e) => format!("{} cannot approve anything", e.approver),
        T::ERC20InvalidReceiver(e) => format!("USDFC cannot be sent to {}", e.receiver),
        T::ERC20InvalidSender(e) => format!("USDFC cannot be sent from {}", e.sender),
        T::ERC20InvalidSpender(e) => format!("{} cannot be approved", e.spender),
        T::ERC2612ExpiredSignature(e) => format!("the permit expired at Unix time {}; sign a new one", e.deadline),
        T::ERC2612InvalidSigner(e) => {
            format!("the permit is signed by {}, not by the owner {}; it may have been used already", e.signer, e.owner)
        }
        T::InvalidAccountNonce(e) => {
            format!("the permit nonce of {} is {} by now; sign a new permit", e.account, e.currentNonce)
        }
        T::MockUsdfc_AuthorizationNotActive(e) => format!(
            "the authorization is valid from Unix time {} to {}, it is {} now; sign a new one",
            e.validAfter, e.validBefore, e.actual
        ),
        T::MockUsdfc_AuthorizationUsed(e) => {
            format!("authorization {} of {} was already used or cancelled; sign a new one", e.nonce, e.authorizer)
        }
        T::MockUsdfc_InvalidSigner(e) => format!("the authorization is signed by {}, not by {}", e.actual, e.expected),
        T::MockUsdfc_NotPayee(e) => {
            format!("only the payee {} may use this authorization, not {}", e.expected, e.actual)
        }
        T::MockUsdfc_RefusedRecipient(e) => format!("USDFC cannot be sent to {}", e.recipient),
        other => return openzeppelin(&format!("{other:?}")),
    })
}

/// Errors of OpenZeppelin's libraries, which several contracts declare alike; found by the name they are printed with.
fn openzeppelin(printed: &str) -> Option<String> {
    const WORDS: &[(&str, &str)] = &[
        ("ECDSAInvalidSignature", "the signature is not a valid one; sign again with the right key"),
        ("SafeERC20FailedOperation", "the token refused the transfer; check balance, allowance and recipient"),
        ("SafeCastOverflowedUintDowncast", "a number is too large for the contract"),
        ("ReentrancyGuardReentrantCall", "the contract was called again from inside its own call"),
        ("InvalidShortString", "the contract's name does not fit its storage"),
        ("StringTooLong", "a text is too long for the contract"),
        ("AddressInsufficientBalance", "the contract lacks the balance for this"),
        ("AddressEmptyCode", "there is no contract at the target address"),
        ("FailedInnerCall", "a call inside the contract failed"),
        ("FailedCall", "a call inside the contract failed"),
    ];
    WORDS
        .iter()
        .find(|(name, _)| printed.starts_with(name) || printed.contains(&format!("({name}")))
        .map(|(_, words)| (*words).to_owned())
}
