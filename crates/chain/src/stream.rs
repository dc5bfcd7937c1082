//! Blocks and events in order, and a step back for every reorganisation.
//!
//! Invariant: what a reader has after applying every [`Step`] (a block adds, a rollback removes everything above `to`) equals a
//! fresh read of the same range. It holds because a block is only emitted when its parent is the block emitted before it,
//! and because the last emitted block is compared with the chain at every look: a head that retreats and then advances
//! past its old height is noticed like any other change.
//!
//! Far below the head nothing changes any more: there, whole ranges are read at once, and only blocks that hold events, and
//! the last of each range, become steps. Null rounds are heights without a block.

use std::collections::{BTreeMap, VecDeque};

use alloy::rpc::types::{Filter, Log};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use parity_abi::{Contract, Event};

use crate::{Client, Error, Header, Result, logs::filter};

/// Most blocks read one by one before their steps are handed out.
const BATCH: u64 = 64;
/// Headers asked for at the same time.
const PARALLEL: usize = 8;

/// One change of what the reader knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The next block, with its events in order.
    Block {
        /// The block.
        header: Header,
        /// Its events.
        logs: Vec<(Log, Event)>,
    },
    /// Every block above this height is gone.
    Rollback {
        /// Height of the last block that still stands.
        to: u64,
    },
}

/// Reads blocks as they come; made by [`Client::follow`].
#[derive(Debug)]
pub struct LogStream {
    client: Client,
    contracts: Vec<Contract>,
    filter: Filter,
    /// First height that was asked for.
    start: u64,
    /// Lowest height not yet read.
    next: u64,
    /// Emitted blocks that could still change, newest last.
    recent: VecDeque<Header>,
    /// Whether blocks older than `recent` were emitted.
    trimmed: bool,
    ready: VecDeque<Step>,
}

impl Client {
    /// Follows the chain from a height on, with the events of some contracts.
    pub fn follow(&self, from: u64, contracts: &[Contract]) -> LogStream {
        LogStream {
            filter: filter(self, contracts),
            client: self.clone(),
            contracts: contracts.to_vec(),
            start: from,
            next: from,
            recent: VecDeque::new(),
            trimmed: false,
            ready: VecDeque::new(),
        }
    }

    /// Goes on after blocks that a reader has applied earlier, oldest first. If some of them are gone by now, the first step
    /// is a rollback. With none, follows from the start block of the deployments.
    pub fn resume(&self, known: Vec<Header>, contracts: &[Contract]) -> LogStream {
        let from = known.last().map_or(self.deployments().start_block, |header| header.number + 1);
        LogStream { trimmed: !known.is_empty(), recent: known.into(), ..self.follow(from, contracts) }
    }
}

impl LogStream {
    /// The next step; waits for the chain when there is none.
    ///
    /// # Errors
    /// When the node does not answer ([`Error::is_retryable`]; the stream may be asked again) or the chain changed below
    /// everything that is remembered.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Step> {
        loop {
            if let Some(step) = self.try_next().await? {
                return Ok(step);
            }
            tokio::time::sleep(self.client.poll_interval()).await;
        }
    }

    /// The next step, or `None` when the reader has everything that the chain has.
    ///
    /// # Errors
    /// As [`Self::next`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<Step>> {
        if self.ready.is_empty() {
            self.look().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// The steps as a stream; after an error it goes on where it was.
    pub fn into_stream(self) -> impl Stream<Item = Result<Step>> + Send {
        stream::unfold(self, |mut this| async move { Some((this.next().await, this)) })
    }

    /// Looks at the chain once. Changes nothing before everything has been read.
    async fn look(&mut self) -> Result<()> {
        let head = self.client.head().await?;
        if let Some(last) = self.recent.back().copied() {
            if head.hash == last.hash {
                return Ok(());
            }
            // At or below what we have: the chain changed, or another node that lags behind answered.
            if head.number <= last.number && !self.stands(&last).await? {
                return self.roll_back().await;
            }
        }
        if head.number < self.next {
            return Ok(());
        }
        let settled = self.client.finalized().await?.min(head.number);
        if self.next <= settled { self.read_settled(settled).await } else { self.read_recent(head.number).await }
    }

    /// Whether a block is still part of the chain.
    async fn stands(&self, header: &Header) -> Result<bool> {
        Ok(self.client.header_at(header.number).await?.is_some_and(|now| now.hash == header.hash))
    }

    /// Reads a range that cannot change any more.
    async fn read_settled(&mut self, settled: u64) -> Result<()> {
        if let Some(last) = self.recent.back().copied()
            && !self.stands(&last).await?
        {
            return self.roll_back().await;
        }
        let to = settled.min(self.next.saturating_add(self.client.options().range - 1));
        let mut blocks = by_block(self.client.logs_of(&self.contracts, self.next, to).await?);
        // The last block of the range is the cursor, even if it is empty; a null round at its height has none.
        blocks.entry(to).or_default();
        let headers: Vec<Option<Header>> = stream::iter(blocks.keys().copied().collect::<Vec<_>>())
            .map(|number| {
                let client = self.client.clone();
                async move { client.header_at(number).await }
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let mut steps = Vec::new();
        for (logs, header) in blocks.into_values().zip(headers) {
            match header {
                Some(header) if belong(&logs, &header) => steps.push((header, logs)),
                None if logs.is_empty() => {}
                // It did change: look again.
                _ => return Ok(()),
            }
        }
        self.next = to + 1;
        if let Some((newest, _)) = steps.last() {
            self.trimmed = true;
            self.recent = VecDeque::from([*newest]);
        }
        self.ready.extend(steps.into_iter().map(|(header, logs)| Step::Block { header, logs }));
        Ok(())
    }

    /// Reads blocks that may still change, one by one, each the child of the one before.
    async fn read_recent(&mut self, head: u64) -> Result<()> {
        let to = head.min(self.next.saturating_add(BATCH - 1));
        let client = self.client.clone();
        let found: Vec<Option<Header>> = stream::iter(self.next..=to)
            .map(|number| {
                let client = client.clone();
                async move { client.header_at(number).await }
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let headers: Vec<Header> = found.into_iter().flatten().collect();
        let mut parent = self.recent.back().map(|last| last.hash);
        for (position, header) in headers.iter().enumerate() {
            if parent.is_some_and(|parent| parent != header.parent_hash) {
                // The first one does not follow what was emitted: the chain changed. A later one: it changes right now.
                return if position == 0 { self.roll_back().await } else { Ok(()) };
            }
            parent = Some(header.hash);
        }
        let Some(newest) = headers.last().copied() else {
            self.next = to + 1;
            return Ok(());
        };
        let mut blocks = if headers.len() == 1 {
            // By hash: these are the events of this very block or none at all.
            BTreeMap::from([(newest.number, self.client.logs_in(&self.filter, newest.hash).await?)])
        } else {
            let logs = self.client.logs_of(&self.contracts, headers[0].number, newest.number).await?;
            if !self.stands(&newest).await? {
                return Ok(());
            }
            by_block(logs)
        };
        let mut steps = Vec::new();
        for header in &headers {
            let logs = blocks.remove(&header.number).unwrap_or_default();
            if !belong(&logs, header) {
                return Ok(());
            }
            steps.push(Step::Block { header: *header, logs });
        }
        if blocks.values().any(|logs| !logs.is_empty()) {
            return Ok(());
        }
        self.next = to + 1;
        self.recent.extend(headers);
        self.ready.extend(steps);
        let most = usize::try_from(self.client.options().finality).unwrap_or(usize::MAX).max(1);
        while self.recent.len() > most {
            self.recent.pop_front();
            self.trimmed = true;
        }
        Ok(())
    }

    /// Steps back to the newest block that still stands.
    async fn roll_back(&mut self) -> Result<()> {
        let mut kept = self.recent.len();
        while kept > 0 && !self.stands(&self.recent[kept - 1]).await? {
            kept -= 1;
        }
        let to = match kept.checked_sub(1) {
            Some(index) => self.recent[index].number,
            None if self.trimmed => {
                let oldest = self.recent.front().map_or(self.next, |header| header.number);
                return Err(Error::ReorgTooDeep { oldest });
            }
            None => self.start.saturating_sub(1),
        };
        if kept == self.recent.len() {
            return Ok(());
        }
        tracing::info!(block_number = to, depth = self.recent.len() - kept, "the chain was reorganised");
        self.recent.truncate(kept);
        self.next = to + 1;
        self.ready.push_back(Step::Rollback { to });
        Ok(())
    }
}

/// Whether all events are of this block.
fn belong(logs: &[(Log, Event)], header: &Header) -> bool {
    logs.iter().all(|(log, _)| log.block_hash == Some(header.hash))
}

fn by_block(logs: Vec<(Log, Event)>) -> BTreeMap<u64, Vec<(Log, Event)>> {
    let mut blocks = BTreeMap::<u64, Vec<_>>::new();
    for (log, event) in logs {
        blocks.entry(log.block_number.unwrap_or_default()).or_default().push((log, event));
    }
    blocks
}
