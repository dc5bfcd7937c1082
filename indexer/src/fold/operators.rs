//! Events of Operators.

use parity_abi::Event;

use super::{Plan, Position};
use crate::rows::{Operator, OperatorKey};

pub(super) fn plan(event: &Event, at: &Position<'_>, plan: &mut Plan) {
    match event {
        Event::OperatorRegistered(e) => plan.put(Operator {
            operator: e.operator.into(),
            metadata: e.metadata.into(),
            sealing_key: e.key.into(),
            capabilities: e.capabilities,
            active: true,
            registered_at: at.number,
        }),
        Event::OperatorUpdated(e) => {
            let (metadata, sealing_key, capabilities) = (e.metadata.into(), e.key.into(), e.capabilities);
            plan.change::<Operator>(OperatorKey { operator: e.operator.into() }, move |row| {
                row.metadata = metadata;
                row.sealing_key = sealing_key;
                row.capabilities = capabilities;
                Ok(())
            });
        }
        Event::OperatorRetired(e) => plan.change::<Operator>(OperatorKey { operator: e.operator.into() }, |row| {
            row.active = false;
            Ok(())
        }),
        _ => {}
    }
}
