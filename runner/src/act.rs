//! Judging sessions, claiming seats, posting updates: the steps of an agent that touch the chain.
//!
//! Each transaction has a name in the outbox that follows from what it does, so that doing a step again after a kill finds the
//! transaction instead of sending a second one.

use std::time::Instant;

use parity_protocol::{U256, spec::Data};

use crate::{
    context::Context,
    data,
    inputs::{check_rows, sealing_key},
    journal::{RoundKey, Stored},
    policy::{Means, Refusal},
    sandbox::Sandbox,
    timings::millis,
    train,
    trouble::{Result, Trouble, blocking},
    view::SessionView,
};

/// Whether a session is served. For private sessions the data set that fits is written down.
pub(crate) async fn inspect(context: &Context, session: &SessionView) -> Result<bool> {
    match judge(context, session).await {
        Ok(()) => {
            tracing::info!("the policy accepts the session");
            Ok(true)
        }
        Err(Verdict::Refused(refusal)) => {
            tracing::info!(reason = %refusal, "the policy refuses the session");
            Ok(false)
        }
        Err(Verdict::Trouble(Trouble::Later(error))) => Err(Trouble::Later(error)),
        Err(Verdict::Trouble(trouble)) => {
            tracing::info!(reason = %trouble, "the session cannot be served");
            Ok(false)
        }
    }
}

enum Verdict {
    Refused(Refusal),
    Trouble(Trouble),
}

impl<E: Into<Trouble>> From<E> for Verdict {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

async fn judge(context: &Context, session: &SessionView) -> Result<(), Verdict> {
    let spec = context.spec(session.offer.spec).await?;
    let image = match &context.sandbox {
        Sandbox::Docker(docker) => Some(docker.image()),
        Sandbox::Process(_) => None,
    };
    let means = Means { image, output_bytes: context.config.limits.output_bytes };
    context.config.policy.judge(&session.offer, &spec, &means).map_err(Verdict::Refused)?;
    if matches!(spec.data, Data::Uploaded { .. }) {
        return Ok(());
    }
    let (state, journal, id) = (context.config.state.clone(), context.journal.clone(), session.id);
    let max_rows = context.config.policy.max_rows;
    let fit = blocking(move || {
        let fit = match data::best_fit(&state, &spec.schema)? {
            Ok(fit) => fit,
            Err(reason) => return Ok(Err(Refusal::NoData(reason))),
        };
        check_rows(&fit.table, &spec)?;
        let rows = u64::try_from(fit.table.rows()).unwrap_or(u64::MAX);
        if rows > max_rows {
            return Ok(Err(Refusal::TooLarge { what: "rows of local data", actual: rows, limit: max_rows }));
        }
        let mut record = journal.session(id)?;
        record.data = Some(fit.name);
        journal.record_session(id, &record)?;
        Ok(Ok(()))
    })
    .await?;
    fit.map_err(Verdict::Refused)
}

/// Claims a seat. Somebody being faster is no error.
pub(crate) async fn claim(context: &Context, session: &SessionView, seat: u16, claims: u32) -> Result<()> {
    let key = sealing_key(context, session.id).await?;
    let call = context.client.sessions();
    let call = call.claimSeat(U256::from(session.id), seat, key.public());
    let outcome = context.outbox.send(&format!("claim/{}/{seat}/{claims}", session.id), &call).await;
    let outcome = match outcome {
        Ok(receipt) => {
            context.metrics.claims.inc();
            tracing::info!(seat, tx = %receipt.tx_hash, "claimed a seat");
            Ok(())
        }
        Err(error) if error.is_superseded() => {
            tracing::info!(seat, reason = %error, "another runner was faster");
            Ok(())
        }
        // The contract's refusal ends this claim; anything else leaves it under way.
        Err(error) if error.reverted().is_some() => Err(error.into()),
        Err(error) => return Err(error.into()),
    };
    let (journal, id) = (context.journal.clone(), session.id);
    blocking(move || {
        let mut record = journal.session(id)?;
        record.claims = record.claims.max(claims + 1);
        Ok(journal.record_session(id, &record)?)
    })
    .await?;
    outcome
}

/// Posts a stored update. A round that closed meanwhile is no error.
pub(crate) async fn post(context: &Context, key: RoundKey, stored: &Stored) -> Result<()> {
    let RoundKey { session, round, seat } = key;
    let sessions = context.client.sessions();
    let call = sessions.submitUpdate(U256::from(session), round, seat, stored.digest, stored.samples);
    let begun = Instant::now();
    let receipt = match context.outbox.send(&format!("submit/{session}/{round}/{seat}/{}", stored.digest), &call).await
    {
        Ok(receipt) => receipt,
        Err(error) if error.is_superseded() => {
            tracing::warn!(reason = %error, "the update was not posted");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    context.cache.clock(key, |timing| timing.chain_ms += millis(begun.elapsed()));
    let timing = context.cache.stop_clock(key);
    context.metrics.posted.inc();
    let mut record = train::read(context, key).await?;
    record.posted = Some(receipt.tx_hash);
    train::write(context, key, record).await?;
    if let Some(timing) = timing {
        let timings = context.timings.clone();
        blocking(move || {
            timings.append(&timing);
            Ok(())
        })
        .await?;
    }
    tracing::info!(tx = %receipt.tx_hash, "posted an update");
    Ok(())
}
