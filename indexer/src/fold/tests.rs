//! Properties of the fold over arbitrary events: undoing is exact, and the named rows suffice.

use alloy::primitives::{Address, B256, U256, aliases::U40};
use parity_abi::{
    Deployments, Escrow, Event, ISessions, MockUsdfc, Operators, Reputation as ReputationContract, Sessions, Stakes,
};
use proptest::prelude::*;

use super::{
    Keys, Position, State, plan,
    state::{Table, each_table},
};
use crate::rows::Row;

fn account(index: u8) -> Address {
    Address::repeat_byte(index + 0x10)
}

fn deployments() -> Deployments {
    Deployments {
        chain_id: 314_159,
        start_block: 0,
        usdfc: account(100),
        authority: account(101),
        stakes: account(102),
        escrow: account(103),
        operators: account(104),
        sessions: account(105),
        reputation: account(106),
    }
}

fn epochs(count: u64) -> U40 {
    U40::from(count)
}

/// Events over few sessions, seats, rounds and accounts, so that they meet often; each kind that changes rows.
fn event() -> impl Strategy<Value = Event> {
    let session = (1u64..3).prop_map(U256::from);
    let (round, seat) = (1u16..3, 0u16..3);
    let who = (0u8..3).prop_map(account);
    let digest = any::<u8>().prop_map(B256::repeat_byte);
    let amount = 0u128..1_000;
    (session, round, seat, who, digest, amount, 0usize..26).prop_map(
        |(session, round, seat, who, digest, amount, kind)| {
            let (controller, deadline) = (account(105), epochs(50));
            match kind {
                0..3 => {
                    let terms = ISessions::Terms {
                        seats: 3,
                        dataMode: u8::from(amount % 2 == 0),
                        unmasking: amount % 3 == 0,
                        ..Default::default()
                    };
                    Sessions::SessionCreated { session, requester: who, spec: digest, budget: amount, terms }.into()
                }
                3..5 => Sessions::SeatClaimed { session, seat, operator: who, key: digest }.into(),
                5 => Sessions::SeatSealed { session, seat, operator: who, shard: digest }.into(),
                6 => Sessions::SeatForfeited { session, seat, operator: who, finished: 1, missed: 1 }.into(),
                7 => Sessions::SessionStarted { session }.into(),
                8 => Sessions::RoundStarted { session, round, deadline }.into(),
                9..12 => Sessions::UpdateSubmitted { session, round, operator: who, seat, digest, samples: 7 }.into(),
                12 => Sessions::RoundClosed { session, round, posted: 1, accumulator: digest, deadline }.into(),
                13 => Sessions::RoundProposed {
                    session,
                    round,
                    proposer: who,
                    aggregate: digest,
                    updatesRoot: digest,
                    payoutsRoot: digest,
                    payoutSum: amount,
                    reached: amount % 2 == 0,
                    report: digest,
                }
                .into(),
                14 => Sessions::RoundAttested { session, round, keeper: who, attested: 2 }.into(),
                15 => Sessions::RoundFinalized { session, round, aggregate: digest, payoutSum: amount }.into(),
                16 => Sessions::RoundVoided { session, round }.into(),
                17 => Sessions::SessionCompleted { session, model: digest, refunded: amount }.into(),
                18 => Escrow::BudgetOpened { controller, id: session, funder: who, amount }.into(),
                19 => Escrow::PayoutClaimed {
                    controller,
                    id: session,
                    operator: who,
                    payee: who,
                    amount,
                    cumulative: amount,
                }
                .into(),
                20 => Escrow::BudgetClosed { controller, id: session, funder: who, refunded: amount }.into(),
                21 => Stakes::Deposited { operator: who, from: who, amount }.into(),
                22 => Stakes::UnbondRequested { operator: who, amount, withdrawableFrom: deadline }.into(),
                23 => Operators::OperatorRegistered { operator: who, metadata: digest, key: digest, capabilities: 3 }
                    .into(),
                24 => {
                    ReputationContract::ReputationChanged { operator: who, score: 500, finished: 1, missed: 0 }.into()
                }
                _ => MockUsdfc::Transfer { from: who, to: account(1), value: U256::from(amount) }.into(),
            }
        },
    )
}

fn apply(state: &mut State, event: &Event, number: u64, log_index: u64) -> bool {
    let contracts = deployments();
    let at = Position {
        number,
        log_index,
        transaction_hash: B256::ZERO,
        address: contracts.sessions,
        contracts: &contracts,
    };
    let mut next = state.clone();
    // An event that no contract would emit here fails, and leaves the batch worthless: keep the state before it.
    let applied = plan(event, &at).and_then(|plan| plan.apply(&mut next)).is_ok();
    if applied {
        *state = next;
    }
    applied
}

macro_rules! define_restrict {
    ($($field:ident: $row:ty,)*) => {
        /// A state that was loaded with these keys only.
        fn restrict(whole: &State, keys: &Keys) -> State {
            let mut part = State::partial();
            $(part.$field.load(keys.$field.clone(), pick(&whole.$field, |row| keys.$field.contains(&row.key())));)*
            part
        }

        /// Whether the rows that were loaded into `part` are those of `whole`.
        fn agree(part: &State, whole: &State, keys: &Keys) -> bool {
            $(pick(&part.$field, |_| true) == pick(&whole.$field, |row| keys.$field.contains(&row.key())) &&)* true
        }
    };
}
each_table!(define_restrict);

fn pick<R: Row>(table: &Table<R>, wanted: impl Fn(&R) -> bool) -> Vec<R> {
    table.rows().filter(|row| wanted(row)).cloned().collect()
}

proptest! {
    #[test]
    fn undoing_blocks_is_the_identity(blocks in prop::collection::vec(prop::collection::vec(event(), 0..6), 1..20), cut in any::<prop::sample::Index>()) {
        let mut state = State::empty();
        let mut before = Vec::new();
        for (number, events) in (1u64..).zip(&blocks) {
            before.push((state.clone(), state.undo_entries().len()));
            state.begin(number, true);
            for (log_index, event) in (0u64..).zip(events) {
                apply(&mut state, event, number, log_index);
            }
        }
        let (expected, kept) = &before[cut.index(before.len())];
        let entries = state.undo_entries()[*kept..].to_vec();
        state.undo(&entries).unwrap();
        prop_assert_eq!(state.differences(expected), Vec::<String>::new());
    }

    #[test]
    fn the_rows_that_a_plan_names_suffice(events in prop::collection::vec(event(), 1..60)) {
        let contracts = deployments();
        let mut whole = State::empty();
        for (log_index, event) in (0u64..).zip(&events) {
            let at = Position { number: 1, log_index, transaction_hash: B256::ZERO, address: contracts.sessions, contracts: &contracts };
            let keys = plan(event, &at).unwrap().keys;
            let mut part = restrict(&whole, &keys);
            let outcome = plan(event, &at).unwrap().apply(&mut part);
            let applied = apply(&mut whole, event, 1, log_index);
            prop_assert_eq!(outcome.is_ok(), applied, "{:?}", outcome);
            prop_assert!(!applied || agree(&part, &whole, &keys));
        }
    }
}

#[test]
fn an_event_of_an_unknown_session_names_row_and_remedy() {
    let contracts = deployments();
    let at = Position {
        number: 9,
        log_index: 0,
        transaction_hash: B256::ZERO,
        address: contracts.sessions,
        contracts: &contracts,
    };
    let event = Sessions::SessionStarted { session: U256::from(4) }.into();
    let error = plan(&event, &at).unwrap().apply(&mut State::empty()).unwrap_err().to_string();
    assert!(error.contains("SessionStarted in block 9") && error.contains(r#"{"session_id":4}"#), "{error}");
}

#[test]
fn a_skipped_claim_of_anybody_stops_nothing() {
    let contracts = deployments();
    let at = Position {
        number: 9,
        log_index: 0,
        transaction_hash: B256::ZERO,
        address: contracts.escrow,
        contracts: &contracts,
    };
    let event = Escrow::ClaimSkipped {
        controller: contracts.sessions,
        id: U256::MAX,
        operator: account(0),
        reason: vec![0, 255].into(),
    };
    let event = Event::from(event);
    plan(&event, &at).unwrap().apply(&mut State::empty()).unwrap();
    assert_eq!(super::session_of(&event, &at).unwrap(), None);
}
