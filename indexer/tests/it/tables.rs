//! Everything that two indexers must agree on, as text.

use std::collections::BTreeMap;

use parity_testkit::{Network, Postgres};
use sqlx::{AssertSqlSafe, PgPool};

use crate::indexer::{Indexer, deployments};

/// Tables whose every row follows from the canonical chain alone.
const TABLES: [&str; 16] = [
    "logs",
    "sessions",
    "seats",
    "rounds",
    "updates",
    "attestations",
    "holdouts",
    "budgets",
    "payouts",
    "accounts",
    "operators",
    "stakes",
    "reputations",
    "roles",
    "authorities",
    "transfers",
];

/// Every row of every table, and the state hash.
pub(crate) async fn dump(database_url: &str) -> BTreeMap<&'static str, Vec<String>> {
    let pool = PgPool::connect(database_url).await.unwrap();
    let mut dump = BTreeMap::new();
    for table in TABLES {
        let sql = format!("select to_jsonb(t)::text from {table} as t order by to_jsonb(t)::text");
        dump.insert(table, sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap());
    }
    let hash = sqlx::query_scalar("select number || ' ' || encode(state_hash, 'hex') from cursors");
    dump.insert("cursors", hash.fetch_all(&pool).await.unwrap());
    pool.close().await;
    dump
}

/// Fails unless the indexer's tables equal those of a fresh one and a fold of its own logs.
pub(crate) async fn assert_fresh(network: &Network, postgres: &Postgres, indexer: &Indexer, name: &str) {
    indexer.caught_up(network).await;
    let fresh = Indexer::start(network, postgres, name);
    fresh.caught_up(network).await;
    let (ours, theirs) = (dump(&indexer.database_url).await, dump(&fresh.database_url).await);
    for (table, rows) in &ours {
        assert_eq!(rows, &theirs[table], "{name}: {table}");
    }
    fresh.stop().await.unwrap();
    let refold = parity_indexer::refold(&indexer.database_url, &deployments(network)).await.unwrap();
    assert_eq!(refold.differences, Vec::<String>::new(), "{name}");
    assert_eq!(refold.logs, u64::try_from(ours["logs"].len()).unwrap());
}
