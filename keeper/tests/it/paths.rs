//! The ways out of every state when somebody stays silent.

use std::sync::Arc;

use parity_abi::State;
use parity_protocol::{U256, spec::Privacy};
use parity_testkit::anvil::address;

use crate::{
    spec::{private, terms, uploaded},
    updates::{Post, crowd, post},
    world::{REQUESTER, WEALTH, World, send},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_never_fills_expires_and_is_refunded() {
    let world = World::start().await;
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(2);
    let mut terms = terms(&spec, 2, 1);
    terms.openPeriod = 15u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    assert_eq!(world.until_ended(session).await.state, State::Expired.number());
    world.until_settled(session).await;
    assert_eq!(world.balance(address(REQUESTER).unwrap()).await, WEALTH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_runner_loses_its_seat_and_the_others_go_on() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(3);
    let mut terms = terms(&spec, 3, 2);
    terms.quorum = 2;
    terms.roundPeriod = 40u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    world.fill(session, 20, 3).await;
    // The holder of the third seat never posts.
    let runners = crowd(&world, session, &spec, 20, 2);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!(ended.finalRounds, 2);
    let silent = world.client.reputation().recordOf(address(22).unwrap()).call().await.unwrap();
    assert_eq!((silent.finished, silent.missed), (0, 1));
    world.until_settled(session).await;
    assert_eq!(world.balance(address(22).unwrap()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_nobody_posts_in_is_extended_then_void_and_the_seats_reopen() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = private(Privacy::None);
    let mut terms = terms(&spec, 1, 2);
    terms.roundPeriod = 25u64.try_into().unwrap();
    let session = world.create(&spec, terms).await;
    let id = U256::from(session);
    world.fill(session, 20, 1).await;
    world.until(session, |s| s.rollovers == 1).await;
    world.until(session, |s| s.round == 2).await;
    assert_eq!(world.client.seats(id).await.unwrap()[0].operator, parity_protocol::Address::ZERO);
    world.runner(30).await;
    send(world.sessions(30).claimSeat(id, 0, parity_protocol::B256::repeat_byte(1))).await.unwrap();
    post(&world, session, &spec, (30, 0), Post::Good, &[]).await.unwrap();
    let ended = world.until_ended(session).await;
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), 1));
    world.until_settled(session).await;
    assert!(world.balance(address(30).unwrap()).await > 0);
    let verdicts = world.verify(session).await.unwrap();
    assert_eq!((verdicts.len(), verdicts[0].round, verdicts[0].difference), (1, 2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_session_ends_with_its_round_and_returns_the_rest() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = uploaded(1);
    let session = world.create(&spec, terms(&spec, 1, 5)).await;
    world.fill(session, 20, 1).await;
    world.until_training(session, 1).await;
    send(world.sessions(REQUESTER).cancel(U256::from(session))).await.unwrap();
    let runners = crowd(&world, session, &spec, 20, 1);
    let ended = world.until_ended(session).await;
    runners.await.unwrap();
    assert_eq!((ended.state, ended.finalRounds), (State::Cancelled.number(), 1));
    world.until_settled(session).await;
    let paid = world.balance(address(20).unwrap()).await + world.balance(keeper.address()).await;
    assert_eq!(world.balance(address(REQUESTER).unwrap()).await, WEALTH - paid);
}
