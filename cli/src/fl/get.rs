//! `parity fl get`: one session in full, money included.

use parity_protocol::{
    Address, Link, TokenAmount, U256, confusion::ConfusionMatrix, manifest::PayoutLeaf, spec::SessionSpec,
};
use serde::Serialize;

use super::{
    figures,
    files::SessionFiles,
    rounds::{FinalRound, Rounds},
    session_id,
};
use crate::{
    app::App,
    output::{facts, table},
    reads::state_of,
};

#[derive(Serialize)]
struct Details {
    session: u64,
    name: String,
    state: String,
    requester: Address,
    spec: String,
    round: u16,
    rounds: u16,
    budget: TokenAmount,
    earned: TokenAmount,
    paid: TokenAmount,
    refunded: TokenAmount,
    payouts: Vec<Payout>,
    final_rounds: Vec<FinalRound>,
    /// Rows of each class of the holdout that the last model took for each class.
    confusion: Option<ConfusionMatrix>,
    local: Option<Local>,
}

#[derive(Serialize)]
struct Payout {
    operator: Address,
    role: &'static str,
    owed: TokenAmount,
    paid: TokenAmount,
}

#[derive(Serialize)]
struct Local {
    holdout: String,
}

/// Runs the command.
pub(crate) async fn run(app: &App, session: Option<u64>) -> anyhow::Result<()> {
    let session = session_id(app, session).await?;
    let state = app.session(session).await?;
    let terms = app.terms(session).await?;
    let store = app.store()?;
    let spec: SessionSpec = parity_content::get_manifest(&*store, terms.spec).await?;
    let budget = app.session_budget(session).await?;
    let mut rounds = Rounds::new(app, session)?;
    let final_rounds = rounds.poll().await?;
    let files = SessionFiles::at(terms.spec)?;
    let details = Details {
        session,
        name: spec.name,
        state: state_of(&state)?.to_string(),
        requester: state.requester,
        spec: Link::from_digest(terms.spec).to_string(),
        round: state.round,
        rounds: terms.rounds,
        budget: TokenAmount::from_base_units(budget.deposited),
        earned: TokenAmount::from_base_units(budget.committed),
        paid: TokenAmount::from_base_units(budget.claimed),
        refunded: TokenAmount::from_base_units(budget.refunded),
        payouts: payouts(app, session, rounds.last_payouts()).await?,
        confusion: final_rounds.last().and_then(|round| round.sources.report.as_ref()?.confusion.clone()),
        final_rounds,
        local: files.exist().then(|| Local { holdout: files.holdout_path().display().to_string() }),
    };
    app.output.result(&details, text)
}

/// What every operator is owed by the last final round, and what the contract says it was paid.
async fn payouts(app: &App, session: u64, leaves: &[PayoutLeaf]) -> anyhow::Result<Vec<Payout>> {
    let seats = app.seats(session).await?;
    let controller = app.client.deployments().sessions;
    let mut payouts = Vec::new();
    for leaf in leaves {
        let paid = app.client.escrow().claimedBy(controller, U256::from(session), leaf.operator).call().await?;
        let is_runner = seats.iter().any(|seat| seat.operator == leaf.operator);
        payouts.push(Payout {
            operator: leaf.operator,
            role: if is_runner { "runner" } else { "keeper" },
            owed: leaf.cumulative,
            paid: TokenAmount::from_base_units(paid),
        });
    }
    Ok(payouts)
}

fn text(d: &Details) -> String {
    let head = facts([
        ("session", format!("{} {}", d.session, d.name)),
        ("state", d.state.clone()),
        ("requester", d.requester.to_string()),
        ("spec", d.spec.clone()),
        ("round", format!("{} of {}", d.round, d.rounds)),
        ("budget", format!("{} USDFC", d.budget)),
        ("earned, paid", format!("{} USDFC, {} USDFC", d.earned, d.paid)),
        ("refunded", format!("{} USDFC", d.refunded)),
    ]);
    let payouts = table(
        ["operator", "role", "owed USDFC", "paid USDFC"],
        d.payouts.iter().map(|p| [p.operator.to_string(), p.role.to_owned(), p.owed.to_string(), p.paid.to_string()]),
    );
    let rounds = table(
        ["round", "result", "updates", "rejected"],
        d.final_rounds.iter().map(|r| {
            [r.round.to_string(), figures::all(r.evaluation.as_ref()), r.accepted.to_string(), r.rejected.join("; ")]
        }),
    );
    format!("{head}\n{payouts}\n{rounds}")
}
