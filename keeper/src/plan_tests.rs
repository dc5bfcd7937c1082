//! Every arrow of the plan, one behaviour each.

use parity_protocol::TokenAmount;

use super::*;
use crate::{
    proposal::Claim,
    view::{Budget, Progress, Proposal, Seat, Terms},
};

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const REQUESTER: Address = Address::repeat_byte(0xee);

fn money(units: u128) -> TokenAmount {
    TokenAmount::from_base_units(units)
}

/// Two seats, quorum 1, three rounds; Alice and Bob serve in round 2, whose deadline is block 100; it is block 90.
fn training() -> SessionView {
    let seat = |operator| Some(Seat { operator, joined_round: 1, last_round: 1, finished: 1 });
    SessionView {
        id: 1,
        block: 90,
        terms: Terms {
            spec: B256::repeat_byte(1),
            seats: 2,
            quorum: 1,
            rounds: 3,
            attestations: 2,
            performance_bps: 0,
            propose_period: 20,
            challenge_window: 5,
            round_reward: money(100),
            keeper_fee: money(10),
            completion_bonus: money(50),
            keeper_bond: money(1),
            uploaded: false,
            targeted: false,
            cohort: 2,
            draw_seed: 5,
        },
        progress: Progress {
            requester: REQUESTER,
            state: State::Active,
            phase: Phase::Training,
            round: 2,
            final_rounds: 1,
            occupied: 2,
            expected: 2,
            posted: 0,
            rollovers: 0,
            deadline: 100,
            model: Some(B256::repeat_byte(9)),
            accumulator: B256::ZERO,
        },
        seats: vec![seat(ALICE), seat(BOB)],
        proposal: None,
        attested: false,
        budget: Budget { committed: TokenAmount::ZERO, claimed: TokenAmount::ZERO, root: B256::ZERO },
        credit: TokenAmount::ZERO,
    }
}

fn post(view: &mut SessionView, seat: usize) {
    let holder = view.seats[seat].as_mut().unwrap();
    holder.last_round = view.progress.round;
    holder.finished += 1;
    view.progress.posted += 1;
}

fn in_phase(phase: Phase) -> SessionView {
    let mut view = training();
    post(&mut view, 0);
    post(&mut view, 1);
    view.progress.phase = phase;
    if phase == Phase::Proposed {
        let claim = Claim {
            aggregate: B256::repeat_byte(5),
            updates_root: B256::repeat_byte(6),
            payouts_root: B256::repeat_byte(7),
            payout_sum: money(110),
            reached: false,
        };
        view.proposal =
            Some(Proposal { proposer: ALICE, proposed_at: 88, attested: 1, claim, report: B256::repeat_byte(8) });
    }
    view
}

fn opening_view() -> SessionView {
    let mut view = training();
    view.progress.state = State::Open;
    view.progress.phase = Phase::None;
    view.progress.round = 0;
    (view.progress.occupied, view.progress.expected) = (1, 0);
    view
}

fn ended() -> SessionView {
    let mut view = training();
    view.progress.state = State::Ended;
    view.progress.phase = Phase::None;
    view.progress.deadline = 0;
    view
}

fn plan(view: &SessionView) -> Vec<Action> {
    due(view, 1)
}

#[test]
fn an_open_session_waits_for_its_seats() {
    assert_eq!(plan(&opening_view()), []);
}

#[test]
fn a_full_session_starts_even_after_its_deadline() {
    let mut view = opening_view();
    view.progress.occupied = 2;
    assert_eq!(plan(&view), [Action::Start]);
    view.block = 101;
    assert_eq!(plan(&view), [Action::Start]);
}

#[test]
fn an_open_session_expires_after_its_deadline_and_not_in_it() {
    let mut view = opening_view();
    view.block = 100;
    assert_eq!(plan(&view), []);
    view.block = 101;
    assert_eq!(plan(&view), [Action::Expire]);
}

#[test]
fn a_round_closes_early_only_when_everyone_posted() {
    let mut view = training();
    post(&mut view, 0);
    assert_eq!(plan(&view), []);
    post(&mut view, 1);
    assert_eq!(plan(&view), [Action::Close { round: 2 }]);
}

#[test]
fn everyone_is_not_enough_below_the_quorum() {
    let mut view = training();
    view.terms.quorum = 2;
    view.seats[1] = None;
    (view.progress.occupied, view.progress.expected) = (1, 1);
    post(&mut view, 0);
    assert_eq!(plan(&view), []);
}

#[test]
fn a_late_round_with_quorum_closes_before_anyone_is_forfeited() {
    let mut view = training();
    post(&mut view, 0);
    view.block = 101;
    assert_eq!(plan(&view), [Action::Close { round: 2 }]);
}

#[test]
fn a_late_round_without_quorum_forfeits_the_missing_and_rolls_over() {
    let mut view = training();
    view.terms.quorum = 2;
    post(&mut view, 1);
    view.block = 100;
    assert_eq!(plan(&view), []);
    view.block = 101;
    assert_eq!(
        plan(&view),
        [Action::Forfeit { round: 2, seat: 0, operator: ALICE }, Action::RollOver { round: 2, rollovers: 0 }]
    );
}

#[test]
fn a_closed_round_wants_a_proposal_and_loses_seats_that_missed_it() {
    let mut view = in_phase(Phase::Closed);
    let propose = Action::Propose { round: 2, accumulator: B256::ZERO };
    assert_eq!(plan(&view), std::slice::from_ref(&propose));
    view.seats[1].as_mut().unwrap().last_round = 1;
    assert_eq!(plan(&view), [propose, Action::Forfeit { round: 2, seat: 1, operator: BOB }]);
}

#[test]
fn seats_that_join_later_or_wait_for_data_are_not_forfeited() {
    let mut view = in_phase(Phase::Closed);
    for joined in [0, 3] {
        let seat = view.seats[1].as_mut().unwrap();
        seat.joined_round = joined;
        seat.last_round = 0;
        assert_eq!(plan(&view), [Action::Propose { round: 2, accumulator: B256::ZERO }]);
    }
}

#[test]
fn a_closed_round_without_a_proposal_is_void_after_the_deadline() {
    let mut view = in_phase(Phase::Closed);
    view.block = 101;
    assert_eq!(plan(&view), [Action::VoidRound { round: 2 }]);
}

#[test]
fn unmasking_ends_after_its_deadline() {
    let mut view = in_phase(Phase::Unmasking);
    assert_eq!(plan(&view), []);
    view.block = 101;
    assert_eq!(plan(&view), [Action::CloseUnmasking { round: 2 }]);
}

#[test]
fn a_proposal_is_attested_once_and_only_while_agreement_is_missing() {
    let mut view = in_phase(Phase::Proposed);
    let hash = view.proposal.unwrap().claim.hash(1, 2);
    assert_eq!(plan(&view), [Action::Attest { round: 2, proposal: hash }]);
    view.attested = true;
    assert_eq!(plan(&view), []);
}

#[test]
fn an_agreed_proposal_is_final_after_its_window_and_however_late() {
    let mut view = in_phase(Phase::Proposed);
    view.proposal.as_mut().unwrap().attested = 2;
    view.block = 92;
    assert_eq!(plan(&view), []);
    for block in [93, 101] {
        view.block = block;
        assert_eq!(plan(&view), [Action::Finalize { round: 2 }]);
    }
}

#[test]
fn a_proposal_without_agreement_is_void_after_the_deadline() {
    let mut view = in_phase(Phase::Proposed);
    view.block = 101;
    assert_eq!(plan(&view), [Action::VoidRound { round: 2 }]);
}

#[test]
fn earned_money_is_pushed_by_rounds_while_active_and_always_at_the_end() {
    let mut view = training();
    view.budget = Budget { committed: money(110), claimed: money(10), root: B256::repeat_byte(7) };
    let push = Action::PushPayouts { root: B256::repeat_byte(7) };
    assert_eq!(due(&view, 1), std::slice::from_ref(&push));
    assert_eq!(due(&view, 2), []);
    view.progress.state = State::Ended;
    assert!(due(&view, 2).contains(&push));
    view.budget.claimed = money(110);
    assert!(!due(&view, 1).contains(&push));
}

#[test]
fn an_ended_session_settles_its_seats_and_refunds_its_requester() {
    let mut view = ended();
    view.seats[1].as_mut().unwrap().finished = 0;
    view.credit = money(3);
    assert_eq!(plan(&view), [Action::Withdraw { owner: REQUESTER }, Action::Settle { seat: 0, operator: ALICE }]);
    assert!(!is_paid_out(&view));
    view.credit = TokenAmount::ZERO;
    assert!(is_paid_out(&view));
}

#[test]
fn every_active_phase_has_an_action_once_it_is_late() {
    for phase in [Phase::Training, Phase::Closed, Phase::Unmasking, Phase::Proposed] {
        let mut view = in_phase(phase);
        view.block = 10_000;
        assert!(!plan(&view).is_empty(), "{phase:?} has no way out");
    }
}

#[test]
fn seats_that_are_not_drawn_are_neither_awaited_nor_forfeited() {
    let mut view = training();
    (view.terms.cohort, view.terms.quorum, view.progress.expected) = (1, 1, 1);
    let drawn = view.terms.drawn(2).iter().position(|drawn| *drawn).unwrap();
    view.block = view.progress.deadline + 1;
    let holder = view.seats[drawn].unwrap().operator;
    let forfeit = Action::Forfeit { round: 2, seat: u16::try_from(drawn).unwrap(), operator: holder };
    assert_eq!(plan(&view), [forfeit, Action::RollOver { round: 2, rollovers: 0 }]);
    view.block = view.progress.deadline;
    assert_eq!(plan(&view), []);
    post(&mut view, drawn);
    assert_eq!(plan(&view), [Action::Close { round: 2 }]);
}
