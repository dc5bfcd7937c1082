//! The final rounds of a session, read from the chain's events and the content they name.

use std::collections::BTreeMap;

use parity_abi::{Event, Sessions};
use parity_content::DynStore;
use parity_protocol::{
    B256, TokenAmount, U256,
    manifest::{AggregateManifest, PayoutLeaf, RoundReport},
    metrics::Metrics,
};
use serde::Serialize;

use crate::app::App;

/// A round that became final.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FinalRound {
    /// Round, 1-based.
    pub(crate) round: u16,
    /// Digest of the aggregate manifest.
    pub(crate) aggregate: B256,
    /// Updates in the aggregate.
    pub(crate) accepted: usize,
    /// Updates that were dropped, with the reason.
    pub(crate) rejected: Vec<String>,
    /// Metrics on the holdout, or what private runners reported.
    pub(crate) evaluation: Option<Metrics>,
    /// Everything earned so far.
    pub(crate) earned: TokenAmount,
    /// What all this was read from.
    #[serde(skip)]
    pub(crate) sources: Sources,
}

/// What a final round was read from.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) manifest: AggregateManifest,
    /// The proposal that became final.
    pub(crate) proposal: Option<Sessions::RoundProposed>,
    pub(crate) report: Option<RoundReport>,
    /// When it became final.
    pub(crate) at: Moment,
}

/// A place on the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) block: u64,
    /// Unix seconds, where the node tells with the event.
    pub(crate) time: Option<u64>,
}

/// What happened to the session as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Milestones {
    pub(crate) created: Option<Moment>,
    pub(crate) started: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    /// Rounds that came to nothing.
    pub(crate) voided: u32,
}

/// Reads a session's rounds, from where the last read stopped.
pub(crate) struct Rounds<'a> {
    app: &'a App,
    store: DynStore,
    session: u64,
    next_block: u64,
    proposals: BTreeMap<(u16, B256), Sessions::RoundProposed>,
    last: Option<RoundReport>,
    milestones: Milestones,
}

impl<'a> Rounds<'a> {
    /// Starts at the deployment of the contracts.
    pub(crate) fn new(app: &'a App, session: u64) -> anyhow::Result<Self> {
        let next_block = app.client.deployments().start_block;
        Ok(Self {
            app,
            store: app.store()?,
            session,
            next_block,
            proposals: BTreeMap::new(),
            last: None,
            milestones: Milestones::default(),
        })
    }

    /// The rounds that became final since the last call, oldest first.
    pub(crate) async fn poll(&mut self) -> anyhow::Result<Vec<FinalRound>> {
        let head = self.app.client.block_number().await?;
        if head < self.next_block {
            return Ok(Vec::new());
        }
        let mut rounds = Vec::new();
        let session = U256::from(self.session);
        for (log, event) in self.app.client.logs(self.next_block, head).await? {
            let at = Moment { block: log.block_number.unwrap_or(head), time: log.block_timestamp };
            match event {
                Event::RoundProposed(e) if e.session == session => {
                    self.proposals.insert((e.round, e.aggregate), e);
                }
                Event::RoundFinalized(e) if e.session == session => rounds.push(self.read(&e, at).await?),
                Event::SessionCreated(e) if e.session == session => self.milestones.created = Some(at),
                Event::SessionStarted(e) if e.session == session => self.milestones.started = Some(at),
                Event::RoundVoided(e) if e.session == session => self.milestones.voided += 1,
                Event::SessionCompleted(Sessions::SessionCompleted { session: id, .. })
                | Event::SessionCancelled(Sessions::SessionCancelled { session: id, .. })
                | Event::SessionExpired(Sessions::SessionExpired { session: id, .. })
                    if id == session =>
                {
                    self.milestones.ended = Some(at);
                }
                _ => {}
            }
        }
        self.next_block = head + 1;
        Ok(rounds)
    }

    /// Cumulative payouts as of the last final round that was read.
    pub(crate) fn last_payouts(&self) -> &[PayoutLeaf] {
        self.last.as_ref().map_or(&[], |report| &report.payouts)
    }

    /// What happened to the session as a whole, as of the last poll.
    pub(crate) fn milestones(&self) -> Milestones {
        self.milestones
    }

    async fn read(&mut self, event: &Sessions::RoundFinalized, at: Moment) -> anyhow::Result<FinalRound> {
        let (round, aggregate) = (event.round, event.aggregate);
        let manifest: AggregateManifest = parity_content::get_manifest(&*self.store, aggregate).await?;
        let proposal = self.proposals.get(&(round, aggregate)).cloned();
        let report: Option<RoundReport> = match &proposal {
            Some(proposal) => Some(parity_content::get_manifest(&*self.store, proposal.report).await?),
            None => None,
        };
        self.last = report.clone().or(self.last.take());
        Ok(FinalRound {
            round,
            aggregate,
            accepted: manifest.accepted.len(),
            rejected: manifest.rejected.iter().map(|r| format!("{}: {}", r.operator, r.reason)).collect(),
            evaluation: report.as_ref().and_then(|report| report.evaluation.clone()),
            earned: TokenAmount::from_base_units(event.payoutSum),
            sources: Sources { manifest, proposal, report, at },
        })
    }
}
