//! Every event that concerns somebody's money, as the history of the accounts concerned.
//!
//! Transfers to and from the money contracts appear once, with their reason (a deposit, a payout), not a second time as
//! token transfers.

use alloy::primitives::{Address, U256};
use parity_abi::Event;

use super::{Origin, Plan, Position};
use crate::{
    error::Result,
    rows::{Transfer, TransferKind as Kind},
};

pub(super) fn plan(event: &Event, at: &Position<'_>, origin: Origin, plan: &mut Plan) -> Result<()> {
    let (stakes, escrow) = (at.contracts.stakes, at.contracts.escrow);
    let is_session = |controller: Address| controller == at.contracts.sessions;
    let session = |controller: Address, id: U256| is_session(controller).then(|| origin.id("session", id)).transpose();
    let mut book = Book { at, plan, part: 0 };
    match event {
        Event::Deposited(e) => book.add(e.operator, Kind::StakeDeposited, stakes, e.amount, None),
        Event::UnbondRequested(e) => book.add(e.operator, Kind::UnbondRequested, stakes, e.amount, None),
        Event::UnbondCancelled(e) => book.add(e.operator, Kind::UnbondCancelled, stakes, e.amount, None),
        Event::Withdrawn(e) => book.add(e.operator, Kind::StakeWithdrawn, stakes, e.amount, None),
        Event::Slashed(e) => {
            book.add(e.operator, Kind::StakeSlashed, e.beneficiary, e.amount, None);
            book.add(e.beneficiary, Kind::SlashReceived, e.operator, e.amount, None);
        }
        Event::BudgetOpened(e) => {
            book.add(e.funder, Kind::BudgetLocked, e.controller, e.amount, session(e.controller, e.id)?);
        }
        Event::BudgetClosed(e) if e.refunded > 0 => {
            book.add(e.funder, Kind::BudgetRefunded, e.controller, e.refunded, session(e.controller, e.id)?);
        }
        Event::CreditWithdrawn(e) => {
            book.add(e.owner, Kind::CreditWithdrawn, e.payee, e.amount, None);
            if e.payee != e.owner {
                book.add(e.payee, Kind::CreditReceived, e.owner, e.amount, None);
            }
        }
        Event::PayoutClaimed(e) => {
            let session = session(e.controller, e.id)?;
            book.add(e.operator, Kind::PayoutClaimed, e.payee, e.amount, session);
            if e.payee != e.operator {
                book.add(e.payee, Kind::PayoutReceived, e.operator, e.amount, session);
            }
        }
        Event::Transfer(e) => {
            let is_ours = |account: Address| account == stakes || account == escrow;
            if is_ours(e.from) || is_ours(e.to) {
                return Ok(());
            }
            let amount = e.value.saturating_to::<u128>();
            match (e.from, e.to) {
                (Address::ZERO, to) => book.add(to, Kind::Minted, Address::ZERO, amount, None),
                (from, Address::ZERO) => book.add(from, Kind::Burned, Address::ZERO, amount, None),
                (from, to) => {
                    book.add(from, Kind::Sent, to, amount, None);
                    book.add(to, Kind::Received, from, amount, None);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Numbers the rows that one log gives.
struct Book<'a> {
    at: &'a Position<'a>,
    plan: &'a mut Plan,
    part: u16,
}

impl Book<'_> {
    fn add(&mut self, account: Address, kind: Kind, counterparty: Address, amount: u128, session_id: Option<u64>) {
        self.plan.put(Transfer {
            number: self.at.number,
            log_index: self.at.log_index,
            part: self.part,
            account: account.into(),
            kind,
            counterparty: counterparty.into(),
            amount,
            session_id,
            transaction_hash: self.at.transaction_hash.into(),
        });
        self.part = self.part.saturating_add(1);
    }
}
