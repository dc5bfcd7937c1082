//! Events of Authority.

use parity_abi::Event;

use super::{Plan, Position};
use crate::rows::{AuthorityState, AuthorityStateKey, Role, RoleKey};

pub(super) fn plan(event: &Event, at: &Position<'_>, plan: &mut Plan) {
    match event {
        Event::RoleGranted(e) => plan.put(Role {
            role: e.role.into(),
            account: e.account.into(),
            active_from: e.activeFrom.to::<u64>(),
            revoked: false,
        }),
        Event::RoleRevoked(e) => {
            let (role, account) = (e.role.into(), e.account.into());
            plan.make::<Role>(RoleKey { role, account }, move |_, row| {
                let active_from = row.map_or(0, |row| row.active_from);
                Ok(Role { role, account, active_from, revoked: true })
            });
        }
        Event::GovernorChanged(e) => {
            let governor = Some(e.governor.into());
            contract(at, plan, move |row| row.governor = governor);
        }
        Event::Sealed(_) => contract(at, plan, |row| row.sealed = true),
        _ => {}
    }
}

fn contract(at: &Position<'_>, plan: &mut Plan, change: impl FnOnce(&mut AuthorityState) + Send + 'static) {
    let authority = at.address.into();
    plan.make::<AuthorityState>(AuthorityStateKey { authority }, move |_, row| {
        let mut row = row.unwrap_or(AuthorityState { authority, governor: None, sealed: false });
        change(&mut row);
        Ok(row)
    });
}
