//! `parity fl seal`: hands every claimed seat its shard, sealed to the seat's key, and keepers the holdout.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use parity_abi::State;
use parity_chain::Outbox;
use parity_content::put_sealed;
use parity_protocol::{
    Address, B256,
    manifest::SealedData,
    spec::{Data, SessionSpec},
};
use serde::Serialize;

use super::{files::SessionFiles, session_id};
use crate::{app::App, reads::state_of};

/// How often the chain is asked for new claims.
const POLL: Duration = Duration::from_millis(500);
/// Refused transactions in a row after which looking again does not help.
const MAX_REFUSALS: u32 = 5;

#[derive(Serialize)]
struct Sealed {
    session: u64,
    seats: u16,
}

/// Runs the command: goes on where an interrupted sealing stopped, and serves reopened seats.
pub(crate) async fn run(app: &App, session: Option<u64>) -> anyhow::Result<()> {
    let session = session_id(app, session).await?;
    let terms = app.terms(session).await?;
    let files = SessionFiles::at(terms.spec)?;
    if !files.exist() {
        bail!("this machine has no data of session {session}; seal where the session was created");
    }
    let outbox = app.outbox().await?;
    until_served(app, &outbox, session, &files).await?;
    let document = Sealed { session, seats: terms.seats };
    app.output.result(&document, |s| format!("all {} seats of session {} have their shards", s.seats, s.session))
}

/// Seals shards as seats are claimed, until every seat is served or the session has ended.
pub(crate) async fn until_served(app: &App, outbox: &Outbox, session: u64, files: &SessionFiles) -> anyhow::Result<()> {
    let terms = app.terms(session).await?;
    let store = app.store()?;
    let spec: SessionSpec = parity_content::get_manifest(&*store, terms.spec).await?;
    let Data::Uploaded { shard_rows, holdout_rows, .. } = &spec.data else {
        bail!("session {session} is private: its runners bring their own data, there is nothing to seal");
    };
    seal_holdout(app, outbox, session, terms.spec, *holdout_rows, files).await?;
    let bar = app.output.progress(u64::from(terms.seats), "seats served");
    let mut refusals = 0;
    loop {
        let state = app.session(session).await?;
        let seats = app.seats(session).await?;
        let served = seats.iter().filter(|seat| seat.shard != B256::ZERO).count();
        bar.set_position(served as u64);
        let waiting: Vec<_> = (0u16..)
            .zip(&seats)
            .filter(|(_, seat)| seat.operator != Address::ZERO && seat.shard == B256::ZERO)
            .collect();
        match state_of(&state)? {
            State::Open | State::Active => {}
            ended => bail!("session {session} is {ended} and takes no shards any more"),
        }
        if !waiting.is_empty() {
            let mut batch = Batch::default();
            for (index, seat) in waiting {
                let rows = shard_rows.get(usize::from(index)).copied().context("a seat beyond the spec's shards")?;
                let plain = Bytes::from(files.shard(index)?);
                let context = [b"parity/shard/".as_slice(), terms.spec.as_slice()].concat();
                let artifact = put_sealed(&*store, plain, &[seat.key], &context).await?;
                let sealed = SealedData { spec: terms.spec, rows, artifact };
                batch.push(index, seat.operator, parity_content::put_manifest(&*store, &sealed).await?);
            }
            match batch.send(app, outbox, session).await {
                Ok(()) => refusals = 0,
                // Meanwhile a seat changed hands or the session ended: the next look at the chain says which.
                Err(parity_chain::Error::Reverted(_)) if refusals < MAX_REFUSALS => {
                    refusals += 1;
                    tokio::time::sleep(POLL).await;
                }
                Err(error) => return Err(error.into()),
            }
            continue;
        }
        if served == seats.len() && state_of(&state)? == State::Active {
            bar.finish_and_clear();
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

#[derive(Default)]
struct Batch {
    seats: Vec<u16>,
    operators: Vec<Address>,
    shards: Vec<B256>,
}

impl Batch {
    fn push(&mut self, seat: u16, operator: Address, shard: B256) {
        self.seats.push(seat);
        self.operators.push(operator);
        self.shards.push(shard);
    }

    async fn send(self, app: &App, outbox: &Outbox, session: u64) -> parity_chain::Result<()> {
        let id = parity_protocol::U256::from(session);
        let action = crate::app::action(&format!("fl/seal/{session}"));
        let sessions = app.client.sessions();
        let call = sessions.sealShards(id, self.seats, self.operators, self.shards);
        outbox.send(&action, &call).await?;
        Ok(())
    }
}

/// Seals the holdout once, to every keeper that is registered now and has not got it yet.
async fn seal_holdout(
    app: &App,
    outbox: &Outbox,
    session: u64,
    spec: B256,
    rows: u64,
    files: &SessionFiles,
) -> anyhow::Result<()> {
    let id = parity_protocol::U256::from(session);
    let sessions = app.client.sessions();
    let mut keepers = Vec::new();
    let mut keys = Vec::new();
    for (keeper, operator) in app.active_keepers().await? {
        let sealed = sessions.holdoutOf(id, keeper).call().await.context("reading who has the holdout")?;
        if sealed == B256::ZERO {
            keepers.push(keeper);
            keys.push(operator.key);
        }
    }
    if keepers.is_empty() {
        return Ok(());
    }
    let store = app.store()?;
    let context = [b"parity/holdout/".as_slice(), spec.as_slice()].concat();
    let artifact = put_sealed(&*store, Bytes::from(files.holdout()?), &keys, &context).await?;
    let digest = parity_content::put_manifest(&*store, &SealedData { spec, rows, artifact }).await?;
    let digests = vec![digest; keepers.len()];
    let action = crate::app::action(&format!("fl/holdout/{session}"));
    outbox.send(&action, &sessions.sealHoldout(id, keepers, digests)).await?;
    Ok(())
}
