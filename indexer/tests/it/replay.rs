//! What the API says is what the contracts say.

use alloy::primitives::{Address, B256, I256, U256};
use parity_abi::{Phase, State};
use parity_testkit::{Postgres, Quirks};
use serde_json::Value;

use crate::{
    chain::{ACTORS, Chain},
    indexer::Indexer,
    tables::assert_fresh,
};

/// Random actions before the comparison: enough that sessions end in every way and seats change hands.
const ACTIONS: usize = 500;

#[tokio::test]
async fn replayed_events_equal_on_chain_reads() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(7).await;
    chain.live(ACTIONS).await;
    let indexer = Indexer::start(&chain.network, &postgres, "replay");
    indexer.caught_up(&chain.network).await;

    let mut states = std::collections::BTreeSet::new();
    for id in 1..=chain.session_count().await {
        let row = indexer.get(&format!("/v1/sessions/{id}")).await["data"].clone();
        states.insert(row["state"].as_str().unwrap().to_owned());
        compare_session(&chain, id, &row).await;
        compare_seats(&chain, id, &row, &indexer.all(&format!("/v1/sessions/{id}/seats"), 1).await).await;
        compare_rounds(&chain, id, &indexer.all(&format!("/v1/sessions/{id}/rounds"), 1).await).await;
        compare_payouts(&chain, id, &indexer).await;
    }
    assert!(states.len() >= 4, "the sessions reached only {states:?}");
    for actor in 0..ACTORS {
        compare_account(&chain, chain.address(actor), &indexer).await;
    }
    assert_fresh(&chain.network, &postgres, &indexer, "replay_fresh").await;
}

#[tokio::test]
async fn null_rounds_and_limits_of_a_public_node_change_nothing() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(8).await;
    let proxy = chain.network.proxy(Quirks::lotus()).await.unwrap();
    let url = postgres.create_database("quirks").unwrap();
    let indexer = Indexer::resume(&chain.network, &url, &proxy.rpc());
    for _ in 0..10 {
        chain.live(4).await;
        chain.network.mine(5).await.unwrap();
    }
    // A block that every node shows, so that both stand at the same head.
    chain.network.mint(chain.address(0), parity_protocol::TokenAmount::from_base_units(1)).await.unwrap();
    assert_fresh(&chain.network, &postgres, &indexer, "quirks_fresh").await;
}

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

fn hash(value: B256) -> Value {
    text(format!("{value:?}"))
}

fn hash_or_null(value: B256) -> Value {
    if value.is_zero() { Value::Null } else { hash(value) }
}

fn address_or_null(value: Address) -> Value {
    if value.is_zero() { Value::Null } else { text(format!("{value:?}")) }
}

async fn compare_session(chain: &Chain, id: u64, row: &Value) {
    let session = chain.session(id).await;
    let terms = chain.sessions(0).terms(U256::from(id)).call().await.unwrap();
    let name = |state: String| text(state.to_lowercase());
    assert_eq!(row["requester"], format!("{:?}", session.requester), "session {id}");
    assert_eq!(row["state"], name(State::try_from(session.state).unwrap().to_string()), "session {id}");
    assert_eq!(row["phase"], name(Phase::try_from(session.phase).unwrap().to_string()), "session {id}");
    assert_eq!(row["round"], session.round, "session {id}");
    assert_eq!(row["final_rounds"], session.finalRounds, "session {id}");
    assert_eq!(row["occupied"], session.occupied, "session {id}");
    assert_eq!(row["claimed"], session.claimed, "session {id}");
    assert_eq!(row["posted"], session.posted, "session {id}");
    assert_eq!(row["rollovers"], session.rollovers, "session {id}");
    assert_eq!(row["deadline"], session.deadline.to::<u64>(), "session {id}");
    assert_eq!(row["cancelling"], session.cancelling, "session {id}");
    assert_eq!(row["committed"], text(session.committed), "session {id}");
    assert_eq!(row["model"], hash_or_null(session.model), "session {id}");
    assert_eq!(row["spec"], hash(terms.spec), "session {id}");
    assert_eq!(row["terms"]["round_reward"], text(terms.roundReward), "session {id}");
    assert_eq!(row["terms"]["unmasking"], terms.unmasking, "session {id}");
    assert_eq!(row["terms"]["targeted"], terms.targeted, "session {id}");
    assert_eq!(row["terms"]["cohort"], terms.cohort, "session {id}");
    assert_eq!(row["terms"]["draw_seed"], terms.drawSeed, "session {id}");

    let deployments = chain.deployments();
    let budget = chain.network.client().escrow().budget(deployments.sessions, U256::from(id)).call().await.unwrap();
    assert_eq!(row["budget"], text(budget.deposited), "session {id}");
    assert_eq!(row["paid"], text(budget.claimed), "session {id}");
    assert_eq!(row["refunded"], text(budget.refunded), "session {id}");
    assert_eq!(row["payouts_root"], hash_or_null(budget.root), "session {id}");
}

async fn compare_seats(chain: &Chain, id: u64, session: &Value, rows: &[Value]) {
    let seats = chain.sessions(0).seatsOf(U256::from(id)).call().await.unwrap();
    for (index, seat) in (0u16..).zip(seats) {
        let Some(row) = rows.iter().find(|row| row["seat"] == index) else {
            assert_eq!(seat.operator, Address::ZERO, "seat {index} of session {id}");
            continue;
        };
        // The contract counts the update of the running round in advance.
        let running = session["state"] == "active" && session["round"] == seat.lastRound && seat.lastRound > 0;
        assert_eq!(row["operator"], address_or_null(seat.operator), "seat {index} of session {id}");
        assert_eq!(row["joined_round"], seat.joinedRound, "seat {index} of session {id}");
        assert_eq!(row["last_round"], seat.lastRound, "seat {index} of session {id}");
        assert_eq!(row["finished"], seat.finished - u16::from(running), "seat {index} of session {id}: {seat:?}");
        assert_eq!(row["key"], hash_or_null(seat.key), "seat {index} of session {id}");
        assert_eq!(row["shard"], hash_or_null(seat.shard), "seat {index} of session {id}");
    }
}

async fn compare_rounds(chain: &Chain, id: u64, rows: &[Value]) {
    let (contract, id) = (chain.sessions(0), U256::from(id));
    let session = contract.session(id).call().await.unwrap();
    assert_eq!(rows.len(), usize::from(session.round), "rounds of session {id}");
    for (round, row) in (1u16..).zip(rows) {
        let aggregate = contract.aggregateOf(id, round).call().await.unwrap();
        assert_eq!(row["round"], round);
        assert_eq!(row["phase"] == "final", !aggregate.is_zero(), "round {round} of session {id}");
        if !aggregate.is_zero() {
            assert_eq!(row["proposal"]["aggregate"], hash(aggregate), "round {round} of session {id}");
        }
    }
    let standing = contract.proposal(id).call().await.unwrap();
    if !standing.proposer.is_zero() {
        let row = &rows[usize::from(session.round) - 1]["proposal"];
        assert_eq!(row["reached"], standing.reached, "round {} of session {id}", session.round);
    }
    if session.round > 0 && session.posted > 0 {
        assert_eq!(rows[usize::from(session.round) - 1]["accumulator"], hash(session.accumulator), "session {id}");
    }
}

async fn compare_payouts(chain: &Chain, id: u64, indexer: &Indexer) {
    let rows = indexer.all(&format!("/v1/sessions/{id}/payouts"), 1).await;
    let (escrow, controller) = (chain.network.client().escrow(), chain.deployments().sessions);
    for actor in 0..ACTORS {
        let operator = chain.address(actor);
        let claimed = escrow.claimedBy(controller, U256::from(id), operator).call().await.unwrap();
        let row = rows.iter().find(|row| row["operator"] == format!("{operator:?}"));
        assert_eq!(row.map_or(text(0), |row| row["paid"].clone()), text(claimed), "{operator} in session {id}");
    }
}

async fn compare_account(chain: &Chain, address: Address, indexer: &Indexer) {
    let client = chain.network.client();
    let stake = client.stakes().account(address).call().await.unwrap();
    let row = indexer.get(&format!("/v1/stakes/{address}")).await["data"].clone();
    assert_eq!(row["active"], text(stake.active));
    assert_eq!(row["unbonding"], text(stake.unbonding));
    assert_eq!(row["withdrawable_from"], stake.withdrawableFrom.to::<u64>());

    let account = indexer.get(&format!("/v1/accounts/{address}")).await["data"].clone();
    assert_eq!(account["credit"], text(client.escrow().credit(address).call().await.unwrap()));
    let payee = client.escrow().payeeOf(address).call().await.unwrap();
    assert_eq!(account["payee"], format!("{payee:?}"));

    let operator = client.operators().operator(address).call().await.unwrap();
    let record = client.reputation().recordOf(address).call().await.unwrap();
    let (status, row) = indexer.try_get(&format!("/v1/operators/{address}")).await.unwrap();
    assert_eq!(status == 200, operator.registeredAt.to::<u64>() > 0);
    if status == 200 {
        let row = &row["data"];
        assert_eq!(row["key"], hash(operator.key));
        assert_eq!(row["active"], operator.active);
        assert_eq!(row["capabilities"], operator.capabilities);
        assert_eq!(row["registered_at"], operator.registeredAt.to::<u64>());
        assert_eq!(row["reputation"]["score"], record.score);
        assert_eq!(row["reputation"]["finished"], record.finished);
        assert_eq!(row["reputation"]["missed"], record.missed);
    }
    let balance = client.usdfc().balanceOf(address).call().await.unwrap();
    let history = indexer.all(&format!("/v1/accounts/{address}/history"), 7).await;
    assert_eq!(balance_of(&history, address), I256::try_from(balance).unwrap(), "{address}");
}

/// The balance that a history amounts to.
fn balance_of(history: &[Value], address: Address) -> I256 {
    let own = format!("{address:?}");
    history
        .iter()
        .map(|entry| {
            let amount: I256 = entry["amount"].as_str().unwrap().parse().unwrap();
            let is_own = entry["counterparty"] == own.as_str();
            match entry["kind"].as_str().unwrap() {
                "minted" | "received" | "stake_withdrawn" | "slash_received" | "credit_received"
                | "payout_received" => amount,
                "credit_withdrawn" | "payout_claimed" if is_own => amount,
                "sent" | "burned" | "stake_deposited" | "budget_locked" => -amount,
                "credit_withdrawn" | "payout_claimed" | "unbond_requested" | "unbond_cancelled" | "stake_slashed"
                | "budget_refunded" => I256::ZERO,
                other => panic!("unknown kind {other}"),
            }
        })
        .sum()
}
