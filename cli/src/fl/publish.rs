//! Shows the price, signs and sends the creation of a session.

use anyhow::{Context, bail};
use parity_abi::{Event, ISessions};
use parity_chain::{Outbox, Permit};
use parity_protocol::{TokenAmount, codec::Block, spec::SessionSpec};

use super::plan;
use crate::{app::App, output::facts};

/// How long the signed allowance is valid.
const PERMIT_SECONDS: u64 = 3600;

/// Stores the spec, shows the price, and creates and funds the session in one transaction. Returns its id.
pub(crate) async fn publish(
    app: &App,
    outbox: &Outbox,
    spec: &SessionSpec,
    terms: &ISessions::Terms,
) -> anyhow::Result<u64> {
    let budget = plan::budget(terms)?;
    app.output.note(price(app, spec, terms, budget));
    let held = app.client.usdfc_balance(outbox.address()).await?;
    if held < budget {
        bail!(
            "the session costs up to {budget} USDFC and the wallet holds {held}; lower --reward or --total-rounds, or add \
             USDFC to {}",
            outbox.address()
        );
    }
    app.confirm(&format!("lock {budget} USDFC for '{}'?", spec.name))?;
    parity_content::put_manifest(&*app.store()?, spec).await?;
    // One spec may be paid for several times: the action carries how many sessions there were.
    let action = format!("fl/create/{}/{}", spec.digest()?, app.session_count().await?);
    let permit =
        Permit::sign(&app.client, outbox.wallet(), app.client.deployments().escrow, budget, PERMIT_SECONDS).await?;
    let sessions = app.client.sessions();
    let call = sessions.createSessionWithPermit(terms.clone(), permit.deadline, permit.v, permit.r, permit.s);
    let receipt = outbox.send(&action, &call).await?;
    receipt
        .events()
        .find_map(|event| match event {
            Event::SessionCreated(created) => Some(created.session.saturating_to()),
            _ => None,
        })
        .context("the transaction created no session")
}

fn price(app: &App, spec: &SessionSpec, terms: &ISessions::Terms, budget: TokenAmount) -> String {
    let amount = TokenAmount::from_base_units;
    facts([
        ("session", spec.name.clone()),
        ("network", app.network.name.clone()),
        ("seats and rounds", format!("{} seats, {} rounds", terms.seats, terms.rounds)),
        ("runners, per round", format!("{} USDFC", amount(terms.roundReward))),
        ("keeper, per round", format!("{} USDFC", amount(terms.keeperFee))),
        ("bonus for completion", format!("{} USDFC", amount(terms.completionBonus))),
        ("locked now, unused part returns", format!("{budget} USDFC")),
    ])
}
