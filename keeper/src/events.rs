//! Where the past of a session comes from: a trait, and its implementation over a node's logs.
//!
//! [`ChainEvents`] keeps the events of all sessions in one list that covers a range of blocks without gaps. The range grows
//! forward with the head and backward, on demand, until the creation of the session asked for is found. The newest
//! [`REREAD`] blocks are read again every time, so that short reorganisations need no care; deeper ones show as a wrong fold
//! or root, and the caller then says [`Events::forget`].

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use parity_abi::{Contract, Event};
use parity_chain::Client;
use parity_protocol::{TokenAmount, U256};
use tokio::sync::Mutex;

use crate::{
    error::{Error, Result},
    history::{Happening, History, PostedUpdate},
    proposal::Claim,
};

/// Newest blocks that are read anew each time: more than the 20 to 30 epochs after which Filecoin is final.
pub const REREAD: u64 = 40;

/// Tells what happened in sessions.
#[async_trait]
pub trait Events: Debug + Send + Sync {
    /// The past of a session up to the head.
    ///
    /// # Errors
    /// When the source does not answer.
    async fn history(&self, session: u64) -> Result<Arc<History>>;

    /// Drops what is kept of a session: the next question reads it anew.
    async fn forget(&self, session: u64);
}

/// Events out of a node's logs.
#[derive(Debug)]
pub struct ChainEvents {
    client: Client,
    kept: Mutex<Kept>,
}

/// Events of all sessions in the blocks `from..to`.
#[derive(Debug, Default)]
struct Kept {
    from: u64,
    to: u64,
    sessions: BTreeMap<u64, Vec<(u64, Happening)>>,
    folded: BTreeMap<u64, Arc<History>>,
}

impl ChainEvents {
    /// Reads logs through this client.
    pub fn new(client: Client) -> Self {
        Self { client, kept: Mutex::default() }
    }

    async fn read(&self, from: u64, to: u64) -> Result<Vec<(u64, u64, Happening)>> {
        if from > to {
            return Ok(Vec::new());
        }
        let logs =
            self.client.logs_of(&[Contract::Sessions], from, to).await.map_err(Error::chain("the session events"))?;
        Ok(logs
            .into_iter()
            .filter_map(|(log, event)| {
                let (session, happening) = understand(&event)?;
                Some((session, log.block_number?, happening))
            })
            .collect())
    }
}

#[async_trait]
impl Events for ChainEvents {
    async fn history(&self, session: u64) -> Result<Arc<History>> {
        let head = self.client.block_number().await.map_err(Error::chain("the head"))?;
        let mut kept = self.kept.lock().await;
        if kept.to != head + 1 {
            let again = match kept.to {
                0 => head,
                to => to.saturating_sub(REREAD).max(kept.from).min(head + 1),
            };
            let fresh = self.read(again, head).await?;
            kept.cut(again);
            kept.append(fresh);
            kept.from = if kept.to == 0 { again } else { kept.from.min(again) };
            kept.to = head + 1;
        }
        let first = self.client.deployments().start_block;
        while !kept.begins(session) && kept.from > first {
            let from = kept.from.saturating_sub(self.client.options().range.max(1)).max(first);
            let older = self.read(from, kept.from - 1).await?;
            kept.prepend(older);
            kept.from = from;
        }
        Ok(kept.history(session))
    }

    async fn forget(&self, _session: u64) {
        // The list has no gaps, so nothing less than all can be read anew; it happens after deep reorganisations only.
        *self.kept.lock().await = Kept::default();
    }
}

impl Kept {
    fn begins(&self, session: u64) -> bool {
        self.sessions
            .get(&session)
            .and_then(|events| events.first())
            .is_some_and(|(_, first)| *first == Happening::Created)
    }

    /// Forgets blocks from `block` on.
    fn cut(&mut self, block: u64) {
        let Self { sessions, folded, .. } = self;
        sessions.retain(|session, events| {
            let before = events.len();
            events.retain(|(at, _)| *at < block);
            if events.len() != before {
                folded.remove(session);
            }
            !events.is_empty()
        });
    }

    fn append(&mut self, events: Vec<(u64, u64, Happening)>) {
        for (session, block, happening) in events {
            self.folded.remove(&session);
            self.sessions.entry(session).or_default().push((block, happening));
        }
    }

    fn prepend(&mut self, events: Vec<(u64, u64, Happening)>) {
        let mut older: BTreeMap<u64, Vec<(u64, Happening)>> = BTreeMap::new();
        for (session, block, happening) in events {
            older.entry(session).or_default().push((block, happening));
        }
        for (session, mut events) in older {
            self.folded.remove(&session);
            let newer = self.sessions.entry(session).or_default();
            events.append(newer);
            *newer = events;
        }
    }

    fn history(&mut self, session: u64) -> Arc<History> {
        let Self { sessions, folded, .. } = self;
        let fold = || Arc::new(History::fold(sessions.get(&session).into_iter().flatten()));
        Arc::clone(folded.entry(session).or_insert_with(fold))
    }
}

fn understand(event: &Event) -> Option<(u64, Happening)> {
    let (session, happening) = match event {
        Event::SessionCreated(event) => (event.session, Happening::Created),
        Event::RoundStarted(event) => (event.session, Happening::Started { round: event.round }),
        Event::UpdateSubmitted(event) => {
            let update = PostedUpdate {
                operator: event.operator,
                seat: event.seat,
                digest: event.digest,
                samples: event.samples,
            };
            (event.session, Happening::Posted { round: event.round, update })
        }
        Event::HoldoutSealed(event) => (event.session, Happening::Sealed { holdout: event.holdout }),
        Event::RoundClosed(event) => {
            let (round, accumulator, deadline) = (event.round, event.accumulator, event.deadline.to());
            (event.session, Happening::Closed { round, accumulator, deadline })
        }
        Event::RoundUnmasked(event) => {
            (event.session, Happening::Unmasked { round: event.round, deadline: event.deadline.to() })
        }
        Event::RoundProposed(event) => {
            let claim = Claim {
                aggregate: event.aggregate,
                updates_root: event.updatesRoot,
                payouts_root: event.payoutsRoot,
                payout_sum: TokenAmount::from_base_units(event.payoutSum),
                reached: event.reached,
            };
            let (round, proposer, report) = (event.round, event.proposer, event.report);
            (event.session, Happening::Proposed { round, proposer, claim, report })
        }
        Event::RoundFinalized(event) => {
            (event.session, Happening::Finalized { round: event.round, aggregate: event.aggregate })
        }
        _ => return None,
    };
    Some((number(session)?, happening))
}

fn number(session: U256) -> Option<u64> {
    u64::try_from(session).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(block: u64, round: u16) -> (u64, u64, Happening) {
        (1, block, Happening::Started { round })
    }

    #[test]
    fn a_session_is_complete_once_its_creation_is_in_the_list() {
        let mut kept = Kept::default();
        kept.append(vec![started(20, 2)]);
        assert!(!kept.begins(1));
        kept.prepend(vec![(1, 5, Happening::Created), started(10, 1)]);
        assert!(kept.begins(1));
        assert_eq!(kept.history(1).round(1).started_at, Some(10));
        assert_eq!(kept.history(1).round(2).started_at, Some(20));
    }

    #[test]
    fn blocks_that_were_cut_leave_no_trace() {
        let mut kept = Kept::default();
        kept.append(vec![(1, 5, Happening::Created), started(10, 1), started(20, 2)]);
        assert_eq!(kept.history(1).round(2).started_at, Some(20));
        kept.cut(20);
        assert_eq!(kept.history(1).round(2).started_at, None);
        assert_eq!(kept.history(1).round(1).started_at, Some(10));
        kept.cut(5);
        assert!(kept.sessions.is_empty());
    }
}
