//! Killed at any instant, the indexer goes on where it was.

use std::time::Duration;

use parity_testkit::Postgres;

use crate::{chain::Chain, indexer::Indexer, tables::assert_fresh};

/// How often it is killed.
const KILLS: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_points_it_neither_loses_nor_repeats_a_log() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(5).await;
    let url = postgres.create_database("killed").unwrap();
    for kill in 0..KILLS {
        let indexer = Indexer::resume(&chain.network, &url, &chain.network.rpc());
        chain.live(3).await;
        if kill % 7 == 3 {
            chain.network.reorg(4).await.unwrap();
        }
        let pause = chain.draw(120);
        tokio::time::sleep(Duration::from_millis(u64::try_from(pause).unwrap())).await;
        indexer.kill().await;
    }
    let indexer = Indexer::resume(&chain.network, &url, &chain.network.rpc());
    assert_fresh(&chain.network, &postgres, &indexer, "killed_fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_indexers_on_one_database_do_no_harm() {
    let postgres = Postgres::start().await.unwrap();
    let mut chain = Chain::start(6).await;
    let first = Indexer::start(&chain.network, &postgres, "shared");
    let second = Indexer::resume(&chain.network, &first.database_url, &chain.network.rpc());
    for _ in 0..8 {
        chain.live(5).await;
        chain.network.reorg(2).await.unwrap();
    }
    chain.live(3).await;
    second.caught_up(&chain.network).await;
    assert_fresh(&chain.network, &postgres, &first, "shared_fresh").await;
}

#[tokio::test]
async fn a_database_of_other_contracts_is_refused() {
    let postgres = Postgres::start().await.unwrap();
    let chain = Chain::start(9).await;
    let indexer = Indexer::start(&chain.network, &postgres, "other");
    indexer.caught_up(&chain.network).await;
    let url = indexer.database_url.clone();
    indexer.stop().await.unwrap();
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let other = "update cursors set contracts = jsonb_set(contracts, '{escrow}', contracts -> 'stakes')";
    sqlx::query(other).execute(&pool).await.unwrap();
    let error = Indexer::resume(&chain.network, &url, &chain.network.rpc()).ended().await.unwrap_err();
    assert!(format!("{error:#}").contains("give this deployment an empty database"), "{error:#}");
}
