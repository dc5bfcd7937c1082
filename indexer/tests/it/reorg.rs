//! After a reorganisation the tables are those of a fresh index.

use parity_testkit::Postgres;

use crate::{chain::Chain, indexer::Indexer, tables::assert_fresh};

/// Deepest reorganisation; finality is never closer to the head than that.
const DEEPEST: u64 = 20;

#[tokio::test]
async fn tables_equal_a_fresh_index_after_blocks_are_replaced_in_one_step() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(1).await;
    chain.live(40).await;
    let indexer = Indexer::start(&chain.network, &postgres, "replaced");
    for depth in 1..=DEEPEST {
        chain.live(6).await;
        indexer.caught_up(&chain.network).await;
        chain.network.reorg(depth).await.unwrap();
        chain.live(6).await;
        assert_fresh(&chain.network, &postgres, &indexer, &format!("replaced_{depth}")).await;
    }
    let metrics = reqwest::get(indexer.url("/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("parity_indexer_reorgs_total 20"), "{metrics}");
}

#[tokio::test]
async fn tables_equal_a_fresh_index_after_the_head_retreats_and_other_blocks_follow() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(2).await;
    chain.live(40).await;
    let indexer = Indexer::start(&chain.network, &postgres, "retreated");
    for depth in 1..=DEEPEST {
        chain.live(6).await;
        indexer.caught_up(&chain.network).await;
        // Sometimes the head stays low for a while, sometimes it is past its old height before anyone looks.
        chain.network.rollback(depth, depth % 3).await.unwrap();
        if depth % 2 == 0 {
            indexer.caught_up(&chain.network).await;
        }
        chain.live(usize::try_from(depth).unwrap() + 4).await;
        assert_fresh(&chain.network, &postgres, &indexer, &format!("retreated_{depth}")).await;
    }
}

#[tokio::test]
async fn a_reorganisation_while_the_indexer_is_down_is_noticed_at_the_start() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(3).await;
    chain.live(30).await;
    let indexer = Indexer::start(&chain.network, &postgres, "asleep");
    indexer.caught_up(&chain.network).await;
    let url = indexer.database_url.clone();
    indexer.stop().await.unwrap();
    chain.network.rollback(9, 2).await.unwrap();
    chain.live(12).await;
    let indexer = Indexer::resume(&chain.network, &url, &chain.network.rpc());
    assert_fresh(&chain.network, &postgres, &indexer, "asleep_fresh").await;
}

#[tokio::test]
async fn a_chain_that_changed_below_finality_ends_the_indexer_with_a_remedy() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(4).await;
    chain.live(10).await;
    chain.network.mine(60).await.unwrap();
    let indexer = Indexer::start(&chain.network, &postgres, "replaced_network");
    indexer.caught_up(&chain.network).await;
    chain.network.rollback(50, 55).await.unwrap();
    let error = format!("{:#}", indexer.ended().await.unwrap_err());
    assert!(error.contains("empty database"), "{error}");
}
