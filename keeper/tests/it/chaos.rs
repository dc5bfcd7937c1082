//! Keepers that die at any moment, and a chain that changes its mind.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::{
    providers::{Provider, ext::AnvilApi},
    rpc::types::anvil::ReorgOptions,
};
use parity_abi::State;
use parity_protocol::U256;
use parity_testkit::anvil::address;
use rand::RngExt;

use crate::{
    spec::{terms, uploaded},
    updates::crowd,
    world::{REQUESTER, WEALTH, World},
};

async fn assert_settled(world: &World, session: u64, rounds: u16) {
    let ended = world.until_ended(session).await;
    assert_eq!((ended.state, ended.finalRounds), (State::Completed.number(), rounds));
    world.until_settled(session).await;
    let budget = world.client.escrow().budget(world.client.deployments().sessions, U256::from(session)).call().await;
    let budget = budget.unwrap();
    assert_eq!(budget.claimed + budget.refunded, budget.deposited);
    assert_eq!(world.balance(address(REQUESTER).unwrap()).await, WEALTH - budget.claimed);
    let verdicts = world.verify(session).await.unwrap();
    assert_eq!(verdicts.len(), usize::from(rounds));
    assert!(verdicts.iter().all(|verdict| verdict.difference.is_none()), "{verdicts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_completes_although_its_keepers_are_killed_again_and_again() {
    let world = Arc::new(World::start().await);
    let mut keepers = [world.keeper(10).await, world.keeper(11).await];
    for keeper in &mut keepers {
        keeper.start();
    }
    let spec = uploaded(3);
    let rounds = 5;
    let session = world.create(&spec, terms(&spec, 3, rounds)).await;
    world.fill(session, 20, 3).await;
    let runners = crowd(&world, session, &spec, 20, 3);
    let mut kills = 0;
    let begun = Instant::now();
    while world.session(session).await.state <= State::Active.number() {
        assert!(begun.elapsed() < Duration::from_secs(180), "the session does not complete after {kills} kills");
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(20..900))).await;
        let keeper = &mut keepers[kills % 2];
        keeper.kill().await;
        keeper.start();
        kills += 1;
    }
    assert!(kills >= 5, "only {kills} kills");
    runners.await.unwrap();
    assert_settled(&world, session, rounds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_completes_over_reorganisations() {
    let world = Arc::new(World::start().await);
    let mut keepers = [world.keeper(10).await, world.keeper(11).await];
    for keeper in &mut keepers {
        keeper.start();
    }
    let spec = uploaded(2);
    let rounds = 6;
    let session = world.create(&spec, terms(&spec, 2, rounds)).await;
    world.fill(session, 20, 2).await;
    // The test's own transactions are not sent again, so the session must not be reorganised away.
    world.until_training(session, 1).await;
    let safe = world.client.block_number().await.unwrap();
    let runners = crowd(&world, session, &spec, 20, 2);
    let provider = world.anvil.provider().unwrap();
    let mut reorgs = 0;
    for depth in [1u64, 2, 3, 5, 8, 13, 17, 20] {
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(800..2_500))).await;
        let depth = depth.min(provider.get_block_number().await.unwrap().saturating_sub(safe + 1));
        if depth > 0 && world.session(session).await.state == State::Active.number() {
            provider.anvil_reorg(ReorgOptions { depth, tx_block_pairs: Vec::new() }).await.unwrap();
            reorgs += 1;
        }
    }
    assert!(reorgs >= 3, "only {reorgs} reorganisations");
    runners.await.unwrap();
    assert_settled(&world, session, rounds).await;
    for keeper in &keepers {
        keeper.assert_running();
    }
}
