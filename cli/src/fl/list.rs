//! `parity fl list`: sessions, newest first.

use parity_protocol::{Address, spec::SessionSpec};
use serde::Serialize;

use crate::{app::App, output::table, reads::state_of};

#[derive(Serialize)]
struct Row {
    session: u64,
    name: Option<String>,
    requester: Address,
    state: String,
    round: u16,
    rounds: u16,
    seats: u16,
    claimed: u16,
}

/// Runs the command.
pub(crate) async fn run(app: &App, limit: u64) -> anyhow::Result<()> {
    let store = app.store()?;
    let count = app.session_count().await?;
    let mut rows = Vec::new();
    for session in (count.saturating_sub(limit) + 1..=count).rev() {
        let state = app.session(session).await?;
        let terms = app.terms(session).await?;
        // A spec that no store has is no reason to hide the session.
        let spec: Option<SessionSpec> = parity_content::get_manifest(&*store, terms.spec).await.ok();
        rows.push(Row {
            session,
            name: spec.map(|spec| spec.name),
            requester: state.requester,
            state: state_of(&state)?.to_string(),
            round: state.round,
            rounds: terms.rounds,
            seats: terms.seats,
            claimed: state.claimed,
        });
    }
    app.output.result(&rows, |rows| {
        if rows.is_empty() {
            return format!("no sessions on {} yet", app.network.name);
        }
        table(
            ["session", "name", "state", "round", "seats", "requester"],
            rows.iter().map(|r| {
                [
                    r.session.to_string(),
                    r.name.clone().unwrap_or_else(|| "(spec not available)".to_owned()),
                    r.state.clone(),
                    format!("{} of {}", r.round, r.rounds),
                    format!("{} of {}", r.claimed, r.seats),
                    r.requester.to_string(),
                ]
            }),
        )
    })
}
