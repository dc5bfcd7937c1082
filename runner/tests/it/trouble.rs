//! A node that fails, a node with the quirks of Filecoin, and a chain that changes its mind.

use std::time::Duration;

use parity_abi::State;
use parity_testkit::Quirks;
use rand::RngExt;

use crate::{
    hostile::HONEST,
    pilot,
    world::{World, terms, uploaded},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_down_or_loses_answers_costs_time_and_nothing_else() {
    let world = World::start().await;
    let proxy = world.network.proxy(Quirks::lotus()).await.unwrap();
    let mut agent = world.agent(10, HONEST).await;
    agent.config.rpc = proxy.rpc();
    let before = world.transactions(&agent.wallet).await;
    let spec = uploaded(1);
    let session = world.create(&spec, terms(&spec, 1, 4)).await;
    agent.start();
    let outages = async {
        world.until_claimed(session, 1).await;
        for _ in 0..3 {
            proxy.lose_answers("eth_sendRawTransaction", 1);
            proxy.set_down(true);
            tokio::time::sleep(Duration::from_millis(800)).await;
            proxy.set_down(false);
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
    };
    tokio::join!(pilot::fly(&world, session, &spec), outages);
    assert_eq!(world.session(session).await.state, State::Completed.number());
    assert_eq!(world.posted(session).await.len(), 4);
    agent.stop().await;
    assert_eq!(world.transactions(&agent.wallet).await - before, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_completes_over_reorganisations() {
    let world = World::start().await;
    let mut agents = [world.agent(10, HONEST).await, world.agent(11, HONEST).await];
    let spec = uploaded(2);
    let session = world.create(&spec, terms(&spec, 2, 5)).await;
    // Minting is the test's own and not sent again: it must not be reorganised away.
    let safe = world.client().block_number().await.unwrap();
    for agent in &mut agents {
        agent.start();
    }
    let reorgs = async {
        let mut done = 0;
        while !world.is_over(session).await {
            tokio::time::sleep(Duration::from_millis(rand::rng().random_range(300..1500))).await;
            let depth = rand::rng().random_range(1..=8);
            let head = world.client().block_number().await.unwrap();
            if head > safe + depth + 1 && !world.is_over(session).await {
                world.network.reorg(depth).await.unwrap();
                done += 1;
            }
        }
        done
    };
    let ((), done) = tokio::join!(pilot::fly(&world, session, &spec), reorgs);
    assert!(done >= 2, "only {done} reorganisations");
    world.eventually("the session stays completed", async || world.is_over(session).await).await;
    let posted = world.posted(session).await;
    for round in 1..=5 {
        assert_eq!(posted.iter().filter(|update| update.round == round).count(), 2, "round {round}");
    }
}
