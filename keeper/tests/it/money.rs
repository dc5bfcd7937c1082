//! Payouts when a payee cannot be paid.

use std::sync::Arc;

use parity_protocol::U256;
use parity_testkit::anvil::address;

use crate::{
    spec::{terms, uploaded},
    updates::crowd,
    world::{World, send},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_cannot_receive_blocks_nobody_and_is_paid_later() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let refused = address(20).unwrap();
    send(world.usdfc(0).setRefused(refused, true)).await.unwrap();
    let spec = uploaded(2);
    let session = world.create(&spec, terms(&spec, 2, 2)).await;
    world.fill(session, 20, 2).await;
    let runners = crowd(&world, session, &spec, 20, 2);
    world.until_ended(session).await;
    runners.await.unwrap();
    let sessions = world.client.deployments().sessions;
    let other = address(21).unwrap();
    let paid = || async { world.client.escrow().claimedBy(sessions, U256::from(session), other).call().await.unwrap() };
    let owed = world.report(session, 2).await.payouts;
    let of = |who| owed.iter().find(|leaf| leaf.operator == who).unwrap().cumulative.base_units();
    world.eventually("the other runner's payout", async || paid().await == of(other)).await;
    assert_eq!(world.balance(refused).await, 0);

    send(world.usdfc(0).setRefused(refused, false)).await.unwrap();
    keeper.stop().await;
    keeper.start();
    world.until_settled(session).await;
    assert_eq!(world.balance(refused).await, of(refused));
}
