//! The plan: which steps the rules of `Sessions` and `Escrow` allow at this block. Pure; the contract has the last word.
//!
//! | state, phase | condition | action |
//! |---|---|---|
//! | Open | every seat serves | [`Action::Start`] |
//! | Open | late | [`Action::Expire`] |
//! | Training | all who take part posted, or late with quorum | [`Action::Close`] |
//! | Training | late without quorum | [`Action::Forfeit`] of the missing, then [`Action::RollOver`] |
//! | Unmasking | late | [`Action::CloseUnmasking`] |
//! | Closed | in time / late | [`Action::Propose`] / [`Action::VoidRound`] |
//! | Proposed | agreed, window over | [`Action::Finalize`] |
//! | Proposed | not agreed, in time / late | [`Action::Attest`] / [`Action::VoidRound`] |
//! | any later phase | a seat missed the round | [`Action::Forfeit`] |
//! | ended | a seat with finished rounds | [`Action::Settle`] |
//! | any | earned but not paid, see [`due`] | [`Action::PushPayouts`] |
//! | ended | refund waits | [`Action::Withdraw`] |

use parity_protocol::{Address, B256};

use crate::view::{Phase, SessionView, State};

/// One step for one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open -> Active.
    Start,
    /// Open -> Expired.
    Expire,
    /// Training -> Closed.
    Close {
        /// Current round.
        round: u16,
    },
    /// Extends or voids a round without quorum.
    RollOver {
        /// Current round.
        round: u16,
        /// Extensions so far.
        rollovers: u16,
    },
    /// Empties a seat that missed the round.
    Forfeit {
        /// Current round.
        round: u16,
        /// The seat.
        seat: u16,
        /// Its holder.
        operator: Address,
    },
    /// Unmasking -> Closed.
    CloseUnmasking {
        /// Current round.
        round: u16,
    },
    /// Aggregates and proposes.
    Propose {
        /// Current round.
        round: u16,
        /// Fold of the updates to aggregate.
        accumulator: B256,
    },
    /// Recomputes and agrees.
    Attest {
        /// Current round.
        round: u16,
        /// Hash of the standing proposal.
        proposal: B256,
    },
    /// Proposed -> Final.
    Finalize {
        /// Current round.
        round: u16,
    },
    /// The round is void.
    VoidRound {
        /// Current round.
        round: u16,
    },
    /// Records what a seat's holder finished.
    Settle {
        /// The seat.
        seat: u16,
        /// Its holder.
        operator: Address,
    },
    /// Pays what has been earned.
    PushPayouts {
        /// Root of the payout tree.
        root: B256,
    },
    /// Pays the requester's refunds.
    Withdraw {
        /// The requester.
        owner: Address,
    },
}

impl Action {
    /// Whether a bonded keeper's own judgement is needed, which takes work; other steps are open to anybody.
    pub fn needs_work(&self) -> bool {
        matches!(self, Self::Propose { .. } | Self::Attest { .. } | Self::PushPayouts { .. })
    }

    /// Whether only bonded keepers may take the step.
    pub fn needs_bond(&self) -> bool {
        matches!(self, Self::Propose { .. } | Self::Attest { .. })
    }
}

/// Steps that are due for the session, in the order in which to take them. While rounds run, payouts are pushed after every
/// `push_every`-th final round; once the session has ended, always.
pub fn due(view: &SessionView, push_every: u16) -> Vec<Action> {
    let mut actions = match view.progress.state {
        State::Open => opening(view),
        State::Active => round(view),
        State::Ended => ending(view),
    };
    let pushing = view.progress.state == State::Ended || view.progress.final_rounds.is_multiple_of(push_every.max(1));
    if pushing && view.budget.claimed < view.budget.committed {
        actions.push(Action::PushPayouts { root: view.budget.root });
    }
    actions
}

/// Whether nothing will ever be due again for an ended session, apart from seats that [`due`] cannot know to be settled.
pub fn is_paid_out(view: &SessionView) -> bool {
    view.progress.state == State::Ended && view.budget.claimed >= view.budget.committed && view.credit.is_zero()
}

fn opening(view: &SessionView) -> Vec<Action> {
    if view.progress.occupied == view.terms.seats {
        vec![Action::Start]
    } else if view.is_late() {
        vec![Action::Expire]
    } else {
        Vec::new()
    }
}

fn round(view: &SessionView) -> Vec<Action> {
    let round = view.progress.round;
    let mut actions = Vec::new();
    match view.progress.phase {
        Phase::None => {}
        Phase::Training => {
            if view.everyone_posted() || (view.is_late() && view.progress.posted >= view.terms.quorum) {
                actions.push(Action::Close { round });
            } else if view.is_late() {
                actions.extend(missed(view));
                actions.push(Action::RollOver { round, rollovers: view.progress.rollovers });
            }
            return actions;
        }
        Phase::Unmasking => {
            if view.is_late() {
                actions.push(Action::CloseUnmasking { round });
            }
        }
        Phase::Closed => actions.push(if view.is_late() {
            Action::VoidRound { round }
        } else {
            Action::Propose { round, accumulator: view.progress.accumulator }
        }),
        Phase::Proposed => actions.extend(proposed(view)),
    }
    actions.extend(missed(view));
    actions
}

fn proposed(view: &SessionView) -> Option<Action> {
    let round = view.progress.round;
    let proposal = view.proposal.as_ref()?;
    if proposal.attested >= view.terms.attestations {
        let final_from = proposal.proposed_at.saturating_add(view.terms.challenge_window);
        return (view.block >= final_from).then_some(Action::Finalize { round });
    }
    if view.is_late() {
        return Some(Action::VoidRound { round });
    }
    (!view.attested).then(|| Action::Attest { round, proposal: proposal.claim.hash(view.id, round) })
}

/// Seats that take part in this round and have not posted in it; the caller knows that it is too late for them.
fn missed(view: &SessionView) -> impl Iterator<Item = Action> {
    let round = view.progress.round;
    let drawn = view.terms.drawn(round);
    seats(view)
        .filter(move |(index, _)| drawn.get(usize::from(*index)) == Some(&true))
        .filter(move |(_, seat)| (1..=round).contains(&seat.joined_round) && seat.last_round != round)
        .map(move |(index, seat)| Action::Forfeit { round, seat: index, operator: seat.operator })
}

fn ending(view: &SessionView) -> Vec<Action> {
    let settle = seats(view)
        .filter(|(_, seat)| seat.finished > 0)
        .map(|(index, seat)| Action::Settle { seat: index, operator: seat.operator });
    let withdraw = (!view.credit.is_zero()).then_some(Action::Withdraw { owner: view.progress.requester });
    withdraw.into_iter().chain(settle).collect()
}

fn seats(view: &SessionView) -> impl Iterator<Item = (u16, crate::view::Seat)> {
    (0u16..).zip(&view.seats).filter_map(|(index, seat)| seat.map(|seat| (index, seat)))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
