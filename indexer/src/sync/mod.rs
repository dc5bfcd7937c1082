//! From the chain into the database: follows the blocks and keeps the tables equal to what a fresh index would hold.
//!
//! Every batch of blocks is one transaction: blocks, logs, rows, undo log and cursor change together or not at all, so a
//! killed indexer goes on where the cursor stands. A reorganisation takes back rows and cursor in one transaction too.
//!
//! Assumptions. Correctness: the node's answers belong to one chain, and nothing below its finality changes. Liveness:
//! node and database answer in the end; until then the indexer waits and says so.

use std::time::Duration;

use parity_chain::{Client, LogStream, Step, abi::Contract};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

mod ingest;
pub(crate) mod refold;

pub(crate) use ingest::{Block, Ingest, Tips};

use crate::{
    db::cursor::Cursor,
    error::{Error, Result},
    metrics::{Metrics, Part},
};

/// Most blocks and logs in one transaction: small enough to stay in memory and to show progress, large enough that the
/// transaction itself costs nothing.
const BATCH_BLOCKS: usize = 512;
const BATCH_LOGS: usize = 5_000;
/// First and longest pause after a failure.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Follows one chain into one database.
pub(crate) struct Follower {
    client: Client,
    ingest: Ingest,
    metrics: Metrics,
    /// Tells event streams that something changed.
    moved: watch::Sender<()>,
    /// Tells supervisors that the loop came round.
    beat: Box<dyn Fn() + Send + Sync>,
}

impl Follower {
    /// Follows `client`'s chain into `pool`.
    pub(crate) fn new(
        client: Client,
        pool: PgPool,
        metrics: Metrics,
        moved: watch::Sender<()>,
        beat: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let ingest = Ingest::new(pool, client.deployments().clone());
        Self { client, ingest, metrics, moved, beat: Box::new(beat) }
    }

    /// Follows until `shutdown`; waits out whatever may pass.
    ///
    /// # Errors
    /// What waiting does not cure: a database of another deployment, a chain that changed below finality.
    pub(crate) async fn run(&self, shutdown: &CancellationToken) -> Result<()> {
        let mut pause = PAUSE;
        loop {
            let before = self.metrics.cursor.get();
            let ended = shutdown.run_until_cancelled(self.follow()).await;
            let Some(Err(error)) = ended else { return Ok(()) };
            if !error.is_retryable() {
                return Err(error);
            }
            let part = if matches!(error, Error::Database { .. }) { "database" } else { "node" };
            self.metrics.errors.get_or_create(&Part { part }).inc();
            if self.metrics.cursor.get() != before {
                pause = PAUSE;
            }
            tracing::warn!(error = &error as &dyn std::error::Error, ?pause, "indexing is interrupted");
            if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Goes on where the database stands, until something fails.
    async fn follow(&self) -> Result<()> {
        let mut cursor = self.ingest.cursor().await?;
        let mut stream = self.stream(cursor.as_ref()).await?;
        loop {
            (self.beat)();
            let (blocks, then) = self.collect(&mut stream).await?;
            if !blocks.is_empty() {
                cursor = Some(self.apply(cursor.as_ref(), blocks).await?);
            }
            match then {
                Then::GoOn => {}
                Then::Wait => tokio::time::sleep(self.client.poll_interval()).await,
                Then::RollBack(to) => cursor = self.roll_back(cursor, to).await?,
            }
        }
    }

    async fn stream(&self, cursor: Option<&Cursor>) -> Result<LogStream> {
        Ok(match cursor {
            Some(cursor) => self.client.resume(self.ingest.recent(cursor).await?, Contract::ALL),
            None => self.client.follow(self.client.deployments().start_block, Contract::ALL),
        })
    }

    /// Blocks for one transaction, and why there are no more.
    async fn collect(&self, stream: &mut LogStream) -> Result<(Vec<Block>, Then)> {
        let (mut blocks, mut logs) = (Vec::new(), 0);
        while blocks.len() < BATCH_BLOCKS && logs < BATCH_LOGS {
            match stream.try_next().await? {
                Some(Step::Block { header, logs: found }) => {
                    logs += found.len();
                    blocks.push(Block { header, logs: found });
                }
                Some(Step::Rollback { to }) => return Ok((blocks, Then::RollBack(to))),
                None => return Ok((blocks, Then::Wait)),
            }
        }
        Ok((blocks, Then::GoOn))
    }

    async fn apply(&self, cursor: Option<&Cursor>, blocks: Vec<Block>) -> Result<Cursor> {
        let tips = Tips::of(&self.client).await?;
        let written = self.ingest.apply(cursor, blocks, &tips).await?;
        self.metrics.blocks.inc_by(written.blocks);
        self.metrics.logs.inc_by(written.logs);
        self.metrics.rows.inc_by(written.rows);
        self.metrics.head.set(tips.head);
        self.moved_to(Some(&written.cursor));
        tracing::debug!(
            number = written.cursor.number,
            blocks = written.blocks,
            logs = written.logs,
            rows = written.rows,
            "folded in"
        );
        Ok(written.cursor)
    }

    async fn roll_back(&self, cursor: Option<Cursor>, to: u64) -> Result<Option<Cursor>> {
        let Some(cursor) = cursor.filter(|cursor| cursor.number > to) else { return Ok(cursor) };
        let depth = cursor.number - to;
        let fork = self.ingest.roll_back(&cursor, to).await?;
        self.metrics.reorgs.inc();
        self.metrics.reorg_depth.set(self.metrics.reorg_depth.get().max(depth));
        self.moved_to(fork.as_ref());
        tracing::info!(number = to, depth, "took back a branch that the chain left");
        Ok(fork)
    }

    fn moved_to(&self, cursor: Option<&Cursor>) {
        let number = cursor.map_or(0, |cursor| cursor.number);
        self.metrics.cursor.set(number);
        self.metrics.finalized.set(cursor.map_or(0, |cursor| cursor.finalized));
        self.metrics.lag.set(self.metrics.head.get().saturating_sub(number));
        // Nobody may be listening.
        let _ = self.moved.send(());
    }
}

/// What to do after a batch.
enum Then {
    GoOn,
    Wait,
    RollBack(u64),
}
