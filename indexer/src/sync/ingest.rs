//! The transactions that move the cursor, forwards and backwards.

use alloy::{eips::BlockNumberOrTag, primitives::B256, providers::Provider, rpc::types::Log};
use parity_abi::{Contract, Deployments, Event};
use parity_chain::{Client, Header};
use sqlx::PgPool;

use crate::{
    db::{
        blocks,
        cursor::{self, Cursor},
        logs::{self, StoredLog},
        projections, undo,
    },
    describe,
    error::{Error, Result},
    fold::{self, Keys, Plan, Position, State},
    rows::Bytes32,
    state_hash,
};

/// A block with its events in order.
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) logs: Vec<(Log, Event)>,
}

/// Heights that the node tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tips {
    pub(crate) head: u64,
    pub(crate) safe: u64,
    pub(crate) finalized: u64,
}

impl Tips {
    /// Asks the node.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn of(client: &Client) -> Result<Self> {
        let head = client.block_number().await?;
        let finalized = client.finalized().await?.min(head);
        // Old nodes do not know the tag; what is final is safe in any case.
        let safe = client.provider().get_block_by_number(BlockNumberOrTag::Safe).await.ok().flatten();
        let safe = safe.map_or(finalized, |block| block.header.number).clamp(finalized, head);
        Ok(Self { head, safe, finalized })
    }
}

/// What a transaction did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) cursor: Cursor,
    pub(crate) blocks: u64,
    pub(crate) logs: u64,
    pub(crate) rows: u64,
}

/// Writes one chain's blocks into one database.
pub(crate) struct Ingest {
    pool: PgPool,
    deployments: Deployments,
}

impl Ingest {
    /// Writes blocks of this deployment into `pool`.
    pub(crate) fn new(pool: PgPool, deployments: Deployments) -> Self {
        Self { pool, deployments }
    }

    /// How far the database is.
    ///
    /// # Errors
    /// [`Error::OtherDeployment`], or when the database is away.
    pub(crate) async fn cursor(&self) -> Result<Option<Cursor>> {
        let mut db = self.pool.acquire().await.map_err(Error::database("connecting"))?;
        cursor::read(&mut db, &self.deployments).await
    }

    /// Stored blocks that may still be taken back, oldest first, after the newest that may not.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn recent(&self, cursor: &Cursor) -> Result<Vec<Header>> {
        let mut db = self.pool.acquire().await.map_err(Error::database("connecting"))?;
        blocks::recent(&mut db, cursor.finalized).await
    }

    /// Folds blocks in that follow `from`, at least one.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when the cursor is elsewhere, fold errors, or when the database is away. Nothing is written then.
    ///
    /// # Cancel safety
    /// Dropping the future before it ends writes nothing.
    pub(crate) async fn apply(&self, from: Option<&Cursor>, blocks: Vec<Block>, tips: &Tips) -> Result<Written> {
        let Some(last) = blocks.last().map(|block| block.header) else {
            return Err(Error::Contradiction("a batch without blocks".to_owned()));
        };
        let finalized = tips.finalized.min(last.number).max(from.map_or(0, |from| from.finalized));
        let prepared = Prepared::new(from, blocks, &self.deployments)?;
        let to = Cursor {
            number: last.number,
            hash: last.hash,
            state_hash: prepared.state_hash,
            safe: tips.safe.clamp(finalized, last.number),
            finalized,
        };

        let mut tx = self.pool.begin().await.map_err(Error::database("beginning a transaction"))?;
        if !cursor::is_still(&mut tx, from).await? {
            return Err(Error::Overtaken);
        }
        let state = projections::load(&mut tx, prepared.keys).await?;
        let (plans, logs, headers) = (prepared.plans, prepared.logs, prepared.blocks);
        let state = tokio::task::spawn_blocking(move || fold_in(state, plans, finalized))
            .await
            .map_err(Error::stored("batch"))??;
        blocks::insert(&mut tx, &headers).await?;
        if !logs.is_empty() {
            logs::insert(&mut tx, &logs).await?;
        }
        let rows = projections::save(&mut tx, &state).await?;
        undo::insert(&mut tx, state.undo_entries()).await?;
        cursor::write(&mut tx, &self.deployments, &to).await?;
        let before = from.map_or(0, |from| from.finalized);
        if finalized > before {
            undo::prune(&mut tx, finalized).await?;
            blocks::prune(&mut tx, before, finalized).await?;
        }
        tx.commit().await.map_err(Error::database("committing blocks"))?;
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        Ok(Written { cursor: to, blocks: count(headers.len()), logs: count(logs.len()), rows: count(rows) })
    }

    /// Takes back every block above `to`, which stands between finality and `from`. None when nothing is left.
    ///
    /// # Errors
    /// [`Error::FinalityReverted`], [`Error::Overtaken`], or when the database is away. Nothing is written then.
    ///
    /// # Cancel safety
    /// Dropping the future before it ends writes nothing.
    pub(crate) async fn roll_back(&self, from: &Cursor, to: u64) -> Result<Option<Cursor>> {
        if to < from.finalized {
            return Err(Error::FinalityReverted { number: from.finalized });
        }
        let mut tx = self.pool.begin().await.map_err(Error::database("beginning a transaction"))?;
        if !cursor::is_still(&mut tx, Some(from)).await? {
            return Err(Error::Overtaken);
        }
        let mut state = State::partial();
        state.undo(&undo::above(&mut tx, to).await?)?;
        projections::save(&mut tx, &state).await?;
        undo::delete_above(&mut tx, to).await?;
        blocks::orphan_above(&mut tx, to).await?;
        let fork = blocks::canonical_at(&mut tx, to).await?.map(|(hash, state_hash)| Cursor {
            number: to,
            hash,
            state_hash,
            safe: from.safe.min(to),
            finalized: from.finalized,
        });
        match &fork {
            Some(fork) => cursor::write(&mut tx, &self.deployments, fork).await?,
            None if to < self.deployments.start_block => cursor::clear(&mut tx).await?,
            None => return Err(Error::Contradiction(format!("block {to} stands but was never shown"))),
        }
        tx.commit().await.map_err(Error::database("committing a rollback"))?;
        Ok(fork)
    }
}

/// Plans of the blocks of a batch.
type Plans = Vec<(u64, Vec<Plan>)>;

/// A batch made ready without the database.
struct Prepared {
    blocks: Vec<blocks::Block>,
    logs: Vec<StoredLog>,
    plans: Plans,
    keys: Keys,
    state_hash: B256,
}

impl Prepared {
    fn new(from: Option<&Cursor>, batch: Vec<Block>, deployments: &Deployments) -> Result<Self> {
        let mut state_hash = from.map_or(B256::ZERO, |from| from.state_hash);
        let (mut blocks, mut logs, mut plans, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Keys::default());
        for block in batch {
            let mut block_plans = Vec::new();
            for (log, event) in block.logs.iter().filter(|(_, event)| is_indexed(event)) {
                let position = position(log, deployments)?;
                let plan = fold::plan(event, &position)?;
                let stored = stored(log, event, &position)?;
                state_hash = state_hash::fold(state_hash, &stored);
                keys.extend(&plan.keys);
                block_plans.push(plan);
                logs.push(stored);
            }
            plans.push((block.header.number, block_plans));
            blocks.push(blocks::Block { header: block.header, state_hash });
        }
        Ok(Self { blocks, logs, plans, keys, state_hash })
    }
}

fn fold_in(mut state: State, plans: Plans, finalized: u64) -> Result<State> {
    for (number, plans) in plans {
        state.begin(number, number > finalized);
        plans.into_iter().try_for_each(|plan| plan.apply(&mut state))?;
    }
    Ok(state)
}

/// Of the token only transfers matter; allowances and authorizations change no balance.
fn is_indexed(event: &Event) -> bool {
    event.contract() != Contract::Usdfc || matches!(event, Event::Transfer(_))
}

fn position<'a>(log: &Log, contracts: &'a Deployments) -> Result<Position<'a>> {
    match (log.block_number, log.log_index, log.transaction_hash) {
        (Some(number), Some(log_index), Some(transaction_hash)) => {
            Ok(Position { number, log_index, transaction_hash, address: log.address(), contracts })
        }
        _ => Err(Error::Contradiction(format!("a log of {} has no place in a block", log.address()))),
    }
}

fn stored(log: &Log, event: &Event, at: &Position<'_>) -> Result<StoredLog> {
    Ok(StoredLog {
        block_hash: log.block_hash.unwrap_or_default().into(),
        log_index: at.log_index,
        number: at.number,
        transaction_hash: at.transaction_hash.into(),
        address: at.address.into(),
        topics: log.topics().iter().copied().map(Bytes32::from).collect(),
        data: log.data().data.to_vec(),
        event: event.name().to_owned(),
        session_id: fold::session_of(event, at)?,
        fields: describe::fields(log.data()).unwrap_or_default(),
    })
}
