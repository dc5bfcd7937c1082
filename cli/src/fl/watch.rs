//! `parity fl watch`: follows a session until it ends.

use std::time::Duration;

use parity_protocol::TokenAmount;
use serde::Serialize;

use super::{
    figures::headline,
    rounds::{FinalRound, Rounds},
    session_id,
};
use crate::{
    app::App,
    reads::{is_final, state_of},
};

/// How often the chain is asked.
const POLL: Duration = Duration::from_millis(500);

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Round(&'a FinalRound),
    Ended { session: u64, state: String, rounds: u16, earned: TokenAmount },
}

/// Prints a line per final round and one at the end.
pub(crate) async fn run(app: &App, session: Option<u64>) -> anyhow::Result<()> {
    let session = session_id(app, session).await?;
    let terms = app.terms(session).await?;
    let mut rounds = Rounds::new(app, session)?;
    let bar = app.output.progress(u64::from(terms.rounds), "rounds");
    loop {
        // The state is read before the events, so that no round is missed when the session has ended.
        let state = app.session(session).await?;
        for round in rounds.poll().await? {
            bar.suspend(|| app.output.line(&Line::Round(&round), |_| text(&round, terms.rounds)))?;
            bar.set_position(u64::from(round.round));
        }
        let phase = state_of(&state)?;
        if is_final(phase) {
            bar.finish_and_clear();
            let ended = Line::Ended {
                session,
                state: phase.to_string(),
                rounds: state.finalRounds,
                earned: TokenAmount::from_base_units(state.committed),
            };
            return app.output.line(&ended, |_| {
                let earned = TokenAmount::from_base_units(state.committed);
                format!("session {session} is {phase} after {} final rounds; {earned} USDFC earned", state.finalRounds)
            });
        }
        bar.set_message(format!("{phase}, round {}: {} of {} in", state.round, state.posted, state.expected));
        tokio::time::sleep(POLL).await;
    }
}

fn text(round: &FinalRound, total: u16) -> String {
    let mut text = format!(
        "round {:>3} of {total}   {:<16}   {} updates   {:.4} USDFC earned so far",
        round.round,
        headline(round.evaluation.as_ref()),
        round.accepted,
        round.earned
    );
    for rejected in &round.rejected {
        text.push_str(&format!("\n    rejected {rejected}"));
    }
    text
}
