//! Events of Escrow.

use alloy::primitives::{Address, U256};
use parity_abi::Event;

use super::{Origin, Plan, Position};
use crate::{
    error::Result,
    rows::{Account, AccountKey, Budget, BudgetKey, Bytes32, Payout, PayoutKey},
};

pub(super) fn plan(event: &Event, at: &Position<'_>, origin: Origin, plan: &mut Plan) -> Result<()> {
    match event {
        Event::BudgetOpened(e) => plan.put(Budget {
            controller: e.controller.into(),
            budget_id: budget_id(origin, e.id)?,
            funder: e.funder.into(),
            deposited: e.amount,
            committed: 0,
            claimed: 0,
            refunded: 0,
            root: Bytes32::ZERO,
            closed: false,
        }),
        Event::PayoutsCommitted(e) => {
            let (root, committed) = (e.root.into(), e.committed);
            plan.change::<Budget>(key(origin, e.controller, e.id)?, move |row| {
                row.root = root;
                row.committed = committed;
                Ok(())
            });
        }
        Event::PayoutClaimed(e) => {
            let (amount, cumulative, payee) = (e.amount, e.cumulative, e.payee.into());
            plan.change::<Budget>(key(origin, e.controller, e.id)?, move |row| {
                row.claimed = origin.add("claimed payouts", row.claimed, amount)?;
                Ok(())
            });
            let (operator, updated_at) = (e.operator.into(), at.number);
            let BudgetKey { controller, budget_id } = key(origin, e.controller, e.id)?;
            plan.make::<Payout>(PayoutKey { controller, budget_id, operator }, move |_, row| {
                let claims = row.map_or(0, |row| row.claims).saturating_add(1);
                Ok(Payout { controller, budget_id, operator, payee, claimed: cumulative, claims, updated_at })
            });
        }
        // Anyone may make a claim that is skipped, with any content: the log is kept, nothing follows from it.
        Event::ClaimSkipped(_) => {}
        Event::BudgetClosed(e) => {
            let refunded = e.refunded;
            plan.change::<Budget>(key(origin, e.controller, e.id)?, move |row| {
                row.refunded = refunded;
                row.closed = true;
                Ok(())
            });
            account(e.funder, plan, move |row| {
                row.credit = origin.add("credit", row.credit, refunded)?;
                Ok(())
            });
        }
        Event::CreditWithdrawn(e) => {
            let amount = e.amount;
            account(e.owner, plan, move |row| {
                row.credit = origin.sub("credit", row.credit, amount)?;
                Ok(())
            });
        }
        Event::PayeeSet(e) => {
            let payee = e.payee.into();
            account(e.owner, plan, move |row| {
                row.payee = Some(payee);
                Ok(())
            });
        }
        _ => {}
    }
    Ok(())
}

fn budget_id(origin: Origin, id: U256) -> Result<u128> {
    u128::try_from(id).map_err(|_| origin.out_of_range("budget", id))
}

fn key(origin: Origin, controller: Address, id: U256) -> Result<BudgetKey> {
    Ok(BudgetKey { controller: controller.into(), budget_id: budget_id(origin, id)? })
}

fn account(owner: Address, plan: &mut Plan, change: impl FnOnce(&mut Account) -> Result<()> + Send + 'static) {
    let account = owner.into();
    plan.make::<Account>(AccountKey { account }, move |_, row| {
        let mut row = row.unwrap_or(Account { account, credit: 0, payee: None });
        change(&mut row)?;
        Ok(row)
    });
}
