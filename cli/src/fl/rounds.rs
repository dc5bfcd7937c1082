//! The final rounds of a session, read from the chain's events and the content they name.

use std::collections::BTreeMap;

use parity_abi::Event;
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
}

/// Reads a session's rounds, from where the last read stopped.
pub(crate) struct Rounds<'a> {
    app: &'a App,
    store: DynStore,
    session: u64,
    next_block: u64,
    reports: BTreeMap<(u16, B256), B256>,
    last: Option<RoundReport>,
}

impl<'a> Rounds<'a> {
    /// Starts at the deployment of the contracts.
    pub(crate) fn new(app: &'a App, session: u64) -> anyhow::Result<Self> {
        let next_block = app.client.deployments().start_block;
        Ok(Self { app, store: app.store()?, session, next_block, reports: BTreeMap::new(), last: None })
    }

    /// The rounds that became final since the last call, oldest first.
    pub(crate) async fn poll(&mut self) -> anyhow::Result<Vec<FinalRound>> {
        let head = self.app.client.block_number().await?;
        if head < self.next_block {
            return Ok(Vec::new());
        }
        let mut rounds = Vec::new();
        for (_, event) in self.app.client.logs(self.next_block, head).await? {
            match event {
                Event::RoundProposed(e) if e.session == U256::from(self.session) => {
                    self.reports.insert((e.round, e.aggregate), e.report);
                }
                Event::RoundFinalized(e) if e.session == U256::from(self.session) => {
                    rounds.push(self.read(e.round, e.aggregate, TokenAmount::from_base_units(e.payoutSum)).await?);
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

    async fn read(&mut self, round: u16, aggregate: B256, earned: TokenAmount) -> anyhow::Result<FinalRound> {
        let manifest: AggregateManifest = parity_content::get_manifest(&*self.store, aggregate).await?;
        let report: Option<RoundReport> = match self.reports.get(&(round, aggregate)) {
            Some(digest) => Some(parity_content::get_manifest(&*self.store, *digest).await?),
            None => None,
        };
        let evaluation = report.as_ref().and_then(|report| report.evaluation.clone());
        self.last = report.or(self.last.take());
        Ok(FinalRound {
            round,
            aggregate,
            accepted: manifest.accepted.len(),
            rejected: manifest.rejected.iter().map(|r| format!("{}: {}", r.operator, r.reason)).collect(),
            evaluation,
            earned,
        })
    }
}

/// A figure for a line of text: `accuracy 0.9737`.
pub(crate) fn headline(evaluation: Option<&Metrics>) -> String {
    match evaluation.and_then(Metrics::headline) {
        Some((name, value)) => format!("{name} {value:.4}"),
        None => "not evaluated".to_owned(),
    }
}
