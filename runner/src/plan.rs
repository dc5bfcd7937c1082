//! What is due, as a pure function of what the chain says and what the journal remembers.
//!
//! A plan is complete and repeatable: the same state gives the same actions, whatever happened before. An action that is
//! already under way is simply planned again; one that is not planned any more is not due any more.

use std::collections::HashMap;

use alloy::primitives::keccak256;
use parity_abi::{Phase, State};
use parity_protocol::Address;

use crate::{
    journal::{Progress, RoundKey, Stored},
    view::{SessionView, View},
};

/// Claims that one session may cost: a seat that is lost so often is not worth the gas.
pub const MAX_CLAIMS: u32 = 20;

/// What the agent knows besides the chain.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Whether the policy takes a session; absent: not yet looked at.
    pub accepts: HashMap<u64, bool>,
    /// Claims made so far per session.
    pub claims: HashMap<u64, u32>,
    /// Where rounds stand; absent: open.
    pub rounds: HashMap<RoundKey, Progress>,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Fetch a session's spec and judge it.
    Inspect {
        /// Session id.
        session: u64,
    },
    /// Claim a seat.
    Claim {
        /// Session id.
        session: u64,
        /// Which seat.
        seat: u16,
        /// How many claims there were before.
        claims: u32,
    },
    /// Train a round and store the update.
    Train(RoundKey),
    /// Post an update that is stored.
    Post {
        /// Which round and seat.
        key: RoundKey,
        /// What to post.
        stored: Stored,
    },
}

/// Everything that is due. `max_sessions` bounds the seats that are held at the same time.
pub fn plan(view: &View, memory: &Memory, max_sessions: usize) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut held = view.sessions.iter().filter(|session| session.seat_of(view.me).is_some()).count();
    for session in &view.sessions {
        match session.seat_of(view.me) {
            Some((seat, _)) => actions.extend(serve(view, memory, session, seat)),
            None if held < max_sessions => {
                let claim = join(view, memory, session);
                held += usize::from(matches!(claim, Some(Action::Claim { .. })));
                actions.extend(claim);
            }
            None => {}
        }
    }
    actions
}

/// A session in which the agent has no seat.
fn join(view: &View, memory: &Memory, session: &SessionView) -> Option<Action> {
    let free = session.free_seats();
    if free.is_empty() || !session.takes_claims_at(view.block) || !view.standing.is_eligible(&session.offer) {
        return None;
    }
    let claims = memory.claims.get(&session.id).copied().unwrap_or(0);
    match memory.accepts.get(&session.id) {
        None => Some(Action::Inspect { session: session.id }),
        Some(true) if claims < MAX_CLAIMS => {
            let seat = free[draw(view.me, session.id, claims, free.len())];
            Some(Action::Claim { session: session.id, seat, claims })
        }
        Some(_) => None,
    }
}

/// A session in which the agent holds a seat.
fn serve(view: &View, memory: &Memory, session: &SessionView, index: u16) -> Option<Action> {
    let seat = session.seats.get(usize::from(index)).and_then(Option::as_ref)?;
    let serving = session.takes_part(index) && seat.joined_round != 0 && seat.joined_round <= session.round;
    let in_training = session.state == State::Active && session.phase == Phase::Training;
    if !serving || !in_training || seat.last_round == session.round || !session.has_time_at(view.block) {
        return None;
    }
    let key = RoundKey { session: session.id, round: session.round, seat: index };
    match memory.rounds.get(&key) {
        None | Some(Progress::Open) => Some(Action::Train(key)),
        Some(Progress::Stored(stored)) => Some(Action::Post { key, stored: stored.clone() }),
        Some(Progress::GivenUp) => None,
    }
}

/// An index that differs between operators, so that they seldom reach for the same seat.
fn draw(me: Address, session: u64, claims: u32, count: usize) -> usize {
    let mut bytes = me.to_vec();
    bytes.extend_from_slice(&session.to_be_bytes());
    bytes.extend_from_slice(&claims.to_be_bytes());
    let hash = keccak256(&bytes);
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let count = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
    usize::try_from(number % count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use parity_protocol::{B256, TokenAmount};

    use super::*;
    use crate::testing::{ME, seat, session, view};

    const LIMIT: usize = 2;

    fn accepting(ids: &[u64]) -> Memory {
        Memory { accepts: ids.iter().map(|id| (*id, true)).collect(), ..Memory::default() }
    }

    fn active(round: u16) -> SessionView {
        let mut session = session(1);
        (session.state, session.phase, session.round) = (State::Active, Phase::Training, round);
        session.seats[1] = Some(seat(ME));
        session
    }

    #[test]
    fn an_unknown_session_is_inspected_then_claimed_or_left() {
        let view = view(vec![session(1)]);
        assert_eq!(plan(&view, &Memory::default(), LIMIT), [Action::Inspect { session: 1 }]);
        let actions = plan(&view, &accepting(&[1]), LIMIT);
        assert!(matches!(actions[..], [Action::Claim { session: 1, claims: 0, .. }]), "{actions:?}");
        let refusing = Memory { accepts: HashMap::from([(1, false)]), ..Memory::default() };
        assert_eq!(plan(&view, &refusing, LIMIT), []);
    }

    #[test]
    fn only_free_seats_are_claimed() {
        let mut open = session(1);
        open.seats[0] = Some(seat(Address::repeat_byte(7)));
        let actions = plan(&view(vec![open.clone()]), &accepting(&[1]), LIMIT);
        assert!(matches!(actions[..], [Action::Claim { seat: 1, .. }]), "{actions:?}");
        open.seats[1] = Some(seat(Address::repeat_byte(8)));
        assert_eq!(plan(&view(vec![open]), &accepting(&[1]), LIMIT), []);
    }

    #[test]
    fn seats_are_claimed_up_to_the_limit_of_sessions() {
        let sessions = || vec![active(1), session(2), session(3), session(4)];
        let actions = plan(&view(sessions()), &accepting(&[2, 3, 4]), LIMIT);
        let claims: Vec<_> = actions.iter().filter(|action| matches!(action, Action::Claim { .. })).collect();
        assert_eq!(claims.len(), 1, "{actions:?}");
    }

    #[test]
    fn nothing_is_claimed_late_or_without_eligibility() {
        let memory = accepting(&[1]);
        let mut late = view(vec![session(1)]);
        late.block = late.sessions[0].deadline;
        assert_eq!(plan(&late, &memory, LIMIT), []);
        let changes: [fn(&mut View); 4] = [
            |view| view.standing.active = false,
            |view| view.standing.stake = TokenAmount::ZERO,
            |view| view.standing.capabilities = 0,
            |view| view.standing.reputation = 1,
        ];
        for change in changes {
            let mut view = view(vec![session(1)]);
            change(&mut view);
            assert_eq!(plan(&view, &memory, LIMIT), []);
        }
    }

    #[test]
    fn a_session_that_keeps_costing_seats_is_left_alone() {
        let mut memory = accepting(&[1]);
        memory.claims.insert(1, MAX_CLAIMS);
        assert_eq!(plan(&view(vec![session(1)]), &memory, LIMIT), []);
    }

    #[test]
    fn a_reopened_seat_is_claimed_between_rounds_but_not_after_the_last() {
        let mut running = active(1);
        running.seats[1] = None;
        running.phase = Phase::Closed;
        assert_eq!(plan(&view(vec![running.clone()]), &accepting(&[1]), LIMIT).len(), 1);
        running.cancelling = true;
        assert_eq!(plan(&view(vec![running.clone()]), &accepting(&[1]), LIMIT), []);
        (running.cancelling, running.round) = (false, running.offer.rounds);
        assert_eq!(plan(&view(vec![running]), &accepting(&[1]), LIMIT), []);
    }

    #[test]
    fn a_round_is_trained_then_posted_then_left() {
        let key = RoundKey { session: 1, round: 2, seat: 1 };
        let mut memory = Memory::default();
        assert_eq!(plan(&view(vec![active(2)]), &memory, LIMIT), [Action::Train(key)]);
        let stored = Stored { digest: B256::repeat_byte(5), samples: 10 };
        memory.rounds.insert(key, Progress::Stored(stored.clone()));
        assert_eq!(plan(&view(vec![active(2)]), &memory, LIMIT), [Action::Post { key, stored }]);
        let mut posted = active(2);
        posted.seats[1].as_mut().unwrap().last_round = 2;
        assert_eq!(plan(&view(vec![posted]), &memory, LIMIT), []);
        memory.rounds.insert(key, Progress::GivenUp);
        assert_eq!(plan(&view(vec![active(2)]), &memory, LIMIT), []);
    }

    #[test]
    fn nothing_is_trained_out_of_turn() {
        let memory = Memory::default();
        for phase in [Phase::Closed, Phase::Unmasking, Phase::Proposed] {
            let mut session = active(2);
            session.phase = phase;
            assert_eq!(plan(&view(vec![session]), &memory, LIMIT), []);
        }
        for joined in [0, 3] {
            let mut session = active(2);
            session.seats[1].as_mut().unwrap().joined_round = joined;
            assert_eq!(plan(&view(vec![session]), &memory, LIMIT), []);
        }
        let mut late = view(vec![active(2)]);
        late.block = late.sessions[0].deadline;
        assert_eq!(plan(&late, &memory, LIMIT), []);
        let trains = |round| {
            let mut sampled = active(round);
            sampled.offer.cohort = 1;
            (sampled.takes_part(1), !plan(&view(vec![sampled]), &memory, LIMIT).is_empty())
        };
        let rounds: Vec<_> = (1..=20).map(trains).collect();
        assert!(rounds.iter().all(|(takes_part, trains)| takes_part == trains), "{rounds:?}");
        assert!(rounds.contains(&(true, true)) && rounds.contains(&(false, false)), "{rounds:?}");
    }

    #[test]
    fn operators_reach_for_different_seats() {
        let drawn: std::collections::HashSet<_> = (0..32).map(|i| draw(Address::repeat_byte(i), 1, 0, 8)).collect();
        assert!(drawn.len() > 4, "{drawn:?}");
    }
}
