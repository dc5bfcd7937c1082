//! The fold: events in, changes of rows out. Pure; the chain and the database are elsewhere.
//!
//! ```text
//! event --plan()--> names of rows + changes --apply()--> next State --> rows to write, entries to undo them
//! ```
//! Invariants: the names depend on the event alone; the next rows on the event and the named rows alone; applying a
//! block and undoing it is the identity. Folding the same logs always gives the same rows, so a re-fold can be compared
//! with the tables.

use parity_abi::Event;

use crate::error::Result;

mod authority;
mod escrow;
mod operators;
mod origin;
mod plan;
mod reputation;
mod rounds;
mod seats;
mod sessions;
mod stakes;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod transfers;

pub(crate) use origin::{Origin, Position};
pub(crate) use plan::Plan;
pub(crate) use state::{Keys, State, Undo};

/// What `event` changes.
///
/// # Errors
/// When the event carries a value that no Parity contract emits.
pub(crate) fn plan(event: &Event, at: &Position<'_>) -> Result<Plan> {
    let origin = Origin { event: event.name(), number: at.number };
    let mut plan = Plan::new(origin);
    authority::plan(event, at, &mut plan);
    stakes::plan(event, origin, &mut plan);
    escrow::plan(event, at, origin, &mut plan)?;
    operators::plan(event, at, &mut plan);
    sessions::plan(event, at, origin, &mut plan)?;
    seats::plan(event, origin, &mut plan)?;
    rounds::plan(event, at, origin, &mut plan)?;
    reputation::plan(event, at, &mut plan);
    transfers::plan(event, at, origin, &mut plan)?;
    Ok(plan)
}

/// The session that `event` belongs to, if it belongs to one.
///
/// # Errors
/// When the number of the session is larger than any that a contract hands out.
pub(crate) fn session_of(event: &Event, at: &Position<'_>) -> Result<Option<u64>> {
    let origin = Origin { event: event.name(), number: at.number };
    let budget = |controller, id| {
        if controller == at.contracts.sessions { origin.id("session", id).map(Some) } else { Ok(None) }
    };
    let session = match event {
        Event::BudgetOpened(e) => return budget(e.controller, e.id),
        Event::PayoutsCommitted(e) => return budget(e.controller, e.id),
        Event::PayoutClaimed(e) => return budget(e.controller, e.id),
        // Whoever calls chooses what a skipped claim names.
        Event::ClaimSkipped(e) => return Ok(budget(e.controller, e.id).unwrap_or(None)),
        Event::BudgetClosed(e) => return budget(e.controller, e.id),
        Event::SessionCreated(e) => e.session,
        Event::SeatClaimed(e) => e.session,
        Event::SeatSealed(e) => e.session,
        Event::SeatForfeited(e) => e.session,
        Event::SeatSettled(e) => e.session,
        Event::HoldoutSealed(e) => e.session,
        Event::SessionStarted(e) => e.session,
        Event::RoundStarted(e) => e.session,
        Event::UpdateSubmitted(e) => e.session,
        Event::RoundClosed(e) => e.session,
        Event::RoundRolledOver(e) => e.session,
        Event::SharesPosted(e) => e.session,
        Event::RoundUnmasked(e) => e.session,
        Event::RoundProposed(e) => e.session,
        Event::RoundAttested(e) => e.session,
        Event::RoundFinalized(e) => e.session,
        Event::RoundVoided(e) => e.session,
        Event::SessionCancelling(e) => e.session,
        Event::SessionCompleted(e) => e.session,
        Event::SessionCancelled(e) => e.session,
        Event::SessionExpired(e) => e.session,
        Event::RoleGranted(_)
        | Event::RoleRevoked(_)
        | Event::Sealed(_)
        | Event::GovernorChanged(_)
        | Event::Deposited(_)
        | Event::UnbondRequested(_)
        | Event::UnbondCancelled(_)
        | Event::Withdrawn(_)
        | Event::Slashed(_)
        | Event::CreditWithdrawn(_)
        | Event::PayeeSet(_)
        | Event::OperatorRegistered(_)
        | Event::OperatorUpdated(_)
        | Event::OperatorRetired(_)
        | Event::ReputationChanged(_)
        | Event::Transfer(_)
        | Event::Approval(_)
        | Event::AuthorizationUsed(_)
        | Event::AuthorizationCanceled(_)
        | Event::EIP712DomainChanged(_) => return Ok(None),
    };
    origin.id("session", session).map(Some)
}
