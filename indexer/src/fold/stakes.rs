//! Events of Stakes.

use alloy::primitives::Address;
use parity_abi::Event;

use super::{Origin, Plan};
use crate::{
    error::Result,
    rows::{Stake, StakeKey},
};

pub(super) fn plan(event: &Event, origin: Origin, plan: &mut Plan) {
    match event {
        Event::Deposited(e) => {
            let amount = e.amount;
            account(e.operator, plan, move |row| {
                row.active = origin.add("active stake", row.active, amount)?;
                Ok(())
            });
        }
        Event::UnbondRequested(e) => {
            let (amount, from) = (e.amount, e.withdrawableFrom.to::<u64>());
            account(e.operator, plan, move |row| {
                row.active = origin.sub("active stake", row.active, amount)?;
                row.unbonding = origin.add("unbonding stake", row.unbonding, amount)?;
                row.withdrawable_from = from;
                Ok(())
            });
        }
        Event::UnbondCancelled(e) => {
            let amount = e.amount;
            account(e.operator, plan, move |row| {
                row.unbonding = origin.sub("unbonding stake", row.unbonding, amount)?;
                row.active = origin.add("active stake", row.active, amount)?;
                Ok(())
            });
        }
        Event::Withdrawn(e) => {
            let amount = e.amount;
            account(e.operator, plan, move |row| {
                row.unbonding = origin.sub("unbonding stake", row.unbonding, amount)?;
                Ok(())
            });
        }
        Event::Slashed(e) => {
            let amount = e.amount;
            account(e.operator, plan, move |row| {
                let from_active = amount.min(row.active);
                row.active -= from_active;
                row.unbonding = origin.sub("unbonding stake", row.unbonding, amount - from_active)?;
                row.slashed = origin.add("slashed stake", row.slashed, amount)?;
                Ok(())
            });
        }
        _ => {}
    }
}

fn account(operator: Address, plan: &mut Plan, change: impl FnOnce(&mut Stake) -> Result<()> + Send + 'static) {
    let operator = operator.into();
    plan.make::<Stake>(StakeKey { operator }, move |_, row| {
        let none = Stake { operator, active: 0, unbonding: 0, withdrawable_from: 0, slashed: 0 };
        let mut row = row.unwrap_or(none);
        change(&mut row)?;
        Ok(row)
    });
}
