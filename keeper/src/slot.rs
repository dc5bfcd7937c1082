//! What a running keeper remembers of one session. All of it may be lost at any time.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use parity_protocol::{B256, metrics::Evaluation};

use crate::turns::Turns;

/// Memory of one session.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Session id.
    pub(crate) id: u64,
    turns: Mutex<Turns>,
    lanes: [AtomicBool; 4],
    evaluated: Mutex<Option<(B256, Option<Evaluation>)>>,
    seed: Mutex<Option<((u16, u64), B256)>>,
    prepared: Mutex<Option<(u16, B256)>>,
}

/// Kinds of work that go on side by side for one session, each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Reading and planning.
    Look = 0,
    /// Steps that anybody may take.
    Steps = 1,
    /// Aggregating, proposing, attesting.
    Judge = 2,
    /// Pushing payouts.
    Pay = 3,
}

/// Holds a lane until dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    slot: Arc<Slot>,
    lane: Lane,
}

impl Slot {
    pub(crate) fn new(id: u64) -> Arc<Self> {
        Arc::new(Self { id, ..Self::default() })
    }

    /// Enters a lane unless it is taken.
    pub(crate) fn enter(self: &Arc<Self>, lane: Lane) -> Option<Busy> {
        let was_free = !self.lanes[lane as usize].swap(true, Ordering::AcqRel);
        was_free.then(|| Busy { slot: Arc::clone(self), lane })
    }

    /// True once for every set of updates of a round: what it comes to is worth computing ahead.
    pub(crate) fn prepares(&self, round: u16, accumulator: B256) -> bool {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.replace((round, accumulator)) != Some((round, accumulator))
    }

    pub(crate) fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How good an aggregate is, if it has been evaluated. The inner option is empty when the evaluation failed.
    pub(crate) fn evaluated(&self, aggregate: B256) -> Option<Option<Evaluation>> {
        let kept = self.evaluated.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(digest, _)| *digest == aggregate).map(|(_, evaluation)| evaluation.clone())
    }

    pub(crate) fn keep_evaluation(&self, aggregate: B256, evaluation: Option<Evaluation>) {
        *self.evaluated.lock().unwrap_or_else(PoisonError::into_inner) = Some((aggregate, evaluation));
    }

    /// The seed that orders keepers, if it is known for this round and deadline.
    pub(crate) fn seed(&self, round: (u16, u64)) -> Option<B256> {
        let kept = self.seed.lock().unwrap_or_else(PoisonError::into_inner);
        kept.filter(|(key, _)| *key == round).map(|(_, seed)| seed)
    }

    pub(crate) fn keep_seed(&self, round: (u16, u64), seed: B256) {
        *self.seed.lock().unwrap_or_else(PoisonError::into_inner) = Some((round, seed));
    }
}

impl Busy {
    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.slot.lanes[self.lane as usize].store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_taken_until_its_holder_is_dropped() {
        let slot = Slot::new(1);
        let busy = slot.enter(Lane::Judge).unwrap();
        assert!(slot.enter(Lane::Judge).is_none());
        assert!(slot.enter(Lane::Steps).is_some());
        drop(busy);
        assert!(slot.enter(Lane::Judge).is_some());
    }
}
