//! `parity fl cancel`: ends a session and returns what is not earned.

use parity_protocol::U256;
use serde::Serialize;

use super::session_id;
use crate::{
    app::{App, action},
    reads::state_of,
};

#[derive(Serialize)]
struct Cancelled {
    session: u64,
    transaction: String,
    state: String,
}

/// Runs the command.
pub(crate) async fn run(app: &App, session: Option<u64>) -> anyhow::Result<()> {
    let session = session_id(app, session).await?;
    let outbox = app.outbox().await?;
    app.confirm(&format!("cancel session {session}?"))?;
    let sessions = app.client.sessions();
    let call = sessions.cancel(U256::from(session));
    let receipt = outbox.send(&action(&format!("fl/cancel/{session}")), &call).await?;
    let state = app.session(session).await?;
    let document =
        Cancelled { session, transaction: receipt.tx_hash.to_string(), state: state_of(&state)?.to_string() };
    app.output.result(&document, |d| {
        if state.cancelling {
            format!("session {} ends after round {}; finished rounds are paid", d.session, state.round)
        } else {
            format!("session {} is {}; the budget waits in escrow for 'parity wallet withdraw'", d.session, d.state)
        }
    })
}
