//! Events of Reputation.

use parity_abi::Event;

use super::{Plan, Position};
use crate::rows::Reputation;

pub(super) fn plan(event: &Event, at: &Position<'_>, plan: &mut Plan) {
    if let Event::ReputationChanged(e) = event {
        plan.put(Reputation {
            operator: e.operator.into(),
            score: e.score,
            finished: e.finished,
            missed: e.missed,
            updated_at: at.number,
        });
    }
}
