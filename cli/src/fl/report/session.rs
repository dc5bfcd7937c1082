//! The facts of a session on chain. Pay is recomputed from the accepted updates and must come to the roots that the chain has;
//! nothing is taken from keepers' reports but the metrics.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use jiff::Timestamp;
use parity_content::get_bytes;
use parity_keeper::{
    ledger::{PaidRound, payouts},
    snapshot::Snapshots,
    view::Terms,
};
use parity_learning::{
    contribution::MAX_SCORE,
    weights::{Weights, model_limit},
};
use parity_protocol::{
    Address, Link, TokenAmount, U256,
    manifest::{AggregateManifest, PayoutLeaf},
    merkle::SumTree,
    payout::RoundReward,
    schema::Task,
    spec::{Data, SessionSpec},
};

use super::{
    describe::describe,
    examine,
    facts::{Contribution, Fact, Facts, History, Participant, Round, Verification, fact},
};
use crate::{
    app::App,
    fl::rounds::{FinalRound, Milestones, Moment, Rounds},
    reads::state_of,
};

/// A session as read, with what the rest of a report may need.
pub(crate) struct Session {
    pub(crate) facts: Facts,
    pub(crate) spec: SessionSpec,
    /// The last model; none before the first final round.
    pub(crate) model: Option<Weights>,
}

/// Reads a session.
pub(crate) async fn read(app: &App, session: u64) -> anyhow::Result<Session> {
    let state = app.session(session).await?;
    let block = app.client.block_number().await?;
    let terms = Snapshots::new(app.client.clone(), Address::ZERO).read(session, block).await?.terms;
    let store = app.store()?;
    let spec: SessionSpec = parity_content::get_manifest(&*store, terms.spec).await?;
    spec.validate()?;
    let mut reader = Rounds::new(app, session)?;
    let finals = reader.poll().await?;
    let paid_rounds: Vec<PaidRound> = finals.iter().map(paid_round).collect::<anyhow::Result<_>>()?;
    let leaves = earned(&terms, &finals, &paid_rounds)?;
    let model = match finals.last() {
        None => None,
        Some(last) => {
            let limit = model_limit(&spec);
            let bytes = get_bytes(&*store, &last.sources.manifest.model.link, u64::try_from(limit)?).await;
            Some(Weights::of_spec(&bytes.context("fetching the last model")?, &spec)?)
        }
    };
    let last_report = finals.last().and_then(|round| round.sources.report.as_ref());
    let phase = state_of(&state)?;
    let chain = app.client.chain_id();
    let deployments = app.client.deployments();
    let facts = Facts {
        name: spec.name.clone(),
        origin: format!("Session {session} on chain {chain}: {phase}, {} of {} rounds", finals.len(), terms.rounds),
        learned: describe(&spec),
        classes: classes(&spec),
        histories: vec![History {
            name: "the session".to_owned(),
            points: finals.iter().filter_map(|round| Some((round.round, round.evaluation.clone()?))).collect(),
        }],
        measured_on: match spec.data {
            Data::Uploaded { .. } => {
                "Measured by the keeper that proposed each round, on rows that the requester held out. Other \
                 keepers vouch for the model and the pay, not for these figures."
                    .to_owned()
            }
            Data::Private { .. } => {
                "Means of what the runners reported of the model that each round began with, on rows that \
                each kept back, weighted by accepted samples. Nobody can check them."
                    .to_owned()
            }
        },
        confusion: last_report.and_then(|report| report.confusion.clone()),
        impurity: model.as_ref().map(|model| examine::impurity(&spec.schema, model)).unwrap_or_default(),
        examination: None,
        rounds: rounds(app, &terms, &finals).await?,
        participants: participants(app, session, &paid_rounds, &leaves).await?,
        costs: costs(app, session, &terms, finals.len(), &leaves).await?,
        times: times(app, reader.milestones(), &finals).await?,
        content: {
            let mut content = vec![
                fact("sessions contract", deployments.sessions),
                fact("requester", state.requester),
                fact("spec", Link::from_digest(terms.spec)),
            ];
            if let Some(last) = finals.last() {
                content.push(fact("last aggregate", Link::from_digest(last.aggregate)));
                content.push(fact("last model", last.sources.manifest.model.link));
            }
            content
        },
        verification: Some(Verification { command: command(app, session), verdict: None }),
    };
    Ok(Session { facts, spec, model })
}

/// Names of the classes; none where the label is a number.
pub(crate) fn classes(spec: &SessionSpec) -> Vec<String> {
    match &spec.schema.label.task {
        Task::Classification { classes } => classes.clone(),
        Task::Regression { .. } => Vec::new(),
    }
}

/// How the reader checks the session. A node's address is nobody's business and may hold a key, so it is left to the reader.
fn command(app: &App, session: u64) -> String {
    if app.network.is_devnet {
        return format!("parity fl verify {session}");
    }
    format!("parity fl verify {session} --rpc URL --deployments FILE --store STORE")
}

fn paid_round(round: &FinalRound) -> anyhow::Result<PaidRound> {
    let missing = || format!("round {} is final, but the node has no proposal of it", round.round);
    let proposal = round.sources.proposal.as_ref().with_context(missing)?;
    let (proposer, reached) = (proposal.proposer, proposal.reached);
    Ok(PaidRound { round: round.round, proposer, accepted: round.sources.manifest.accepted.clone(), reached })
}

/// What everybody earned, checked against the root of the last final round.
fn earned(terms: &Terms, finals: &[FinalRound], paid: &[PaidRound]) -> anyhow::Result<Vec<PayoutLeaf>> {
    let leaves = payouts(terms, paid)?;
    let root = SumTree::new(&leaves)?.root();
    let committed = finals.last().and_then(|round| round.sources.proposal.as_ref());
    if committed.is_some_and(|proposal| proposal.payoutsRoot != root.hash || proposal.payoutSum != root.sum) {
        bail!("the accepted updates do not come to the pay that the chain has; see 'parity fl verify'");
    }
    Ok(leaves)
}

async fn rounds(app: &App, terms: &Terms, finals: &[FinalRound]) -> anyhow::Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for round in finals {
        let AggregateManifest { accepted, model, .. } = &round.sources.manifest;
        let reward = RoundReward { reward: terms.round_reward, performance_bps: terms.performance_bps };
        let samples: U256 = accepted.iter().map(|update| U256::from(update.samples)).sum();
        let scores: U256 = accepted.iter().map(|update| U256::from(update.score)).sum();
        let contributions = accepted.iter().map(|update| {
            Ok(Contribution {
                runner: update.operator.to_string(),
                seat: update.seat,
                samples: update.samples,
                score: update.score,
                reward: reward.of(update.samples, samples, update.score, scores)?,
            })
        });
        rounds.push(Round {
            round: round.round,
            time: time(app, round.sources.at).await?,
            block: Some(round.sources.at.block),
            evaluation: round.evaluation.clone(),
            contributions: contributions.collect::<anyhow::Result<_>>()?,
            rejected: round.rejected.clone(),
            proposer: round.sources.proposal.as_ref().map(|proposal| proposal.proposer.to_string()),
            aggregate: Some(Link::from_digest(round.aggregate).to_string()),
            model: Some(model.link.to_string()),
        });
    }
    Ok(rounds)
}

async fn participants(
    app: &App,
    session: u64,
    rounds: &[PaidRound],
    leaves: &[PayoutLeaf],
) -> anyhow::Result<Vec<Participant>> {
    let mut scores: BTreeMap<Address, Vec<u32>> = BTreeMap::new();
    let mut proposed: BTreeMap<Address, usize> = BTreeMap::new();
    for round in rounds {
        round.accepted.iter().for_each(|update| scores.entry(update.operator).or_default().push(update.score));
        *proposed.entry(round.proposer).or_default() += 1;
    }
    // A runner whose every update was dropped sits there and earned nothing.
    for seat in app.seats(session).await?.iter().filter(|seat| !seat.operator.is_zero()) {
        scores.entry(seat.operator).or_default();
    }
    let controller = app.client.deployments().sessions;
    let mut participants = Vec::new();
    for operator in scores.keys().chain(proposed.keys().filter(|keeper| !scores.contains_key(*keeper))) {
        let paid = app.client.escrow().claimedBy(controller, U256::from(session), *operator).call().await?;
        let own = scores.get(operator);
        let leaf = leaves.iter().find(|leaf| leaf.operator == *operator);
        participants.push(Participant {
            name: operator.to_string(),
            role: match (own, proposed.contains_key(operator)) {
                (Some(_), true) => "runner and keeper",
                (Some(_), false) => "runner",
                (None, _) => "keeper",
            },
            rounds: own.map_or(proposed.get(operator).copied().unwrap_or_default(), Vec::len),
            mean_score: own.and_then(|scores| mean_score(scores)),
            earned: leaf.map_or(TokenAmount::ZERO, |leaf| leaf.cumulative),
            paid: Some(TokenAmount::from_base_units(paid)),
        });
    }
    Ok(participants)
}

/// Mean of scores as a share of the best one.
#[expect(clippy::cast_precision_loss, reason = "a session has at most 10,000 rounds")]
pub(crate) fn mean_score(scores: &[u32]) -> Option<f64> {
    let sum: f64 = scores.iter().map(|score| f64::from(*score)).sum();
    (!scores.is_empty()).then(|| sum / (scores.len() as f64 * f64::from(MAX_SCORE)))
}

async fn costs(
    app: &App,
    session: u64,
    terms: &Terms,
    finals: usize,
    leaves: &[PayoutLeaf],
) -> anyhow::Result<Vec<Fact>> {
    let budget = app.session_budget(session).await?;
    let amount = TokenAmount::from_base_units;
    let fees = terms.keeper_fee.mul(u64::try_from(finals)?)?;
    let earned = leaves.iter().try_fold(TokenAmount::ZERO, |sum, leaf| sum.add(leaf.cumulative))?;
    let runners = earned.sub(fees)?;
    let usdfc = |amount: TokenAmount| format!("{amount} USDFC");
    Ok(vec![
        fact("budget", usdfc(amount(budget.deposited))),
        fact("earned by runners", usdfc(runners)),
        fact("earned by keepers", usdfc(fees)),
        fact("paid out so far", usdfc(amount(budget.claimed))),
        fact("refunded", usdfc(amount(budget.refunded))),
        fact(
            "terms",
            format!(
                "{} USDFC a round, {} % of it by score; {} USDFC a round to its keeper; completion bonus {} USDFC",
                terms.round_reward,
                f64::from(terms.performance_bps) / 100.0,
                terms.keeper_fee,
                terms.completion_bonus
            ),
        ),
    ])
}

async fn times(app: &App, milestones: Milestones, finals: &[FinalRound]) -> anyhow::Result<Vec<Fact>> {
    let last = finals.last().map(|round| round.sources.at);
    let named = [
        ("created", milestones.created),
        ("started", milestones.started),
        ("last round final", last),
        ("ended", milestones.ended),
    ];
    let mut facts = Vec::new();
    for (what, at) in named {
        let Some(at) = at else { continue };
        facts.push(fact(what, format!("{}, block {}", time(app, at).await?.unwrap_or_default(), at.block)));
    }
    if milestones.voided > 0 {
        facts.push(fact("rounds that came to nothing", milestones.voided));
    }
    Ok(facts)
}

/// A moment in UTC; none where the node no longer has the block.
async fn time(app: &App, at: Moment) -> anyhow::Result<Option<String>> {
    let seconds = match at.time {
        Some(seconds) => Some(seconds),
        None => app.client.header_at(at.block).await?.map(|header| header.timestamp),
    };
    let Some(seconds) = seconds else { return Ok(None) };
    let time = Timestamp::from_second(i64::try_from(seconds)?)?;
    Ok(Some(time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()))
}
