//! `/v1/events`: the contracts' events as they come, over server-sent events.
//!
//! Every stream is a place in the chain: what was delivered up to there. A reader that reconnects with `Last-Event-ID`
//! goes on at its place; if a reorganisation took that place back, or does so later, the reader is first told to which
//! block (`rollback`), and then gets what happened instead. A place that nobody remembers any more gives `reset`: read the
//! tables again. So nothing is ever missed or seen twice without notice.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use alloy::primitives::B256;
use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event as Message, KeepAlive, Sse},
};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::{
    Api, Moment, Problem, block_ref,
    extract::Params,
    types::{BlockRef, LogEvent, Rollback},
};
use crate::{
    db::{
        blocks,
        logs::{self, Place, StoredLog},
    },
    error::Result,
};

/// Events read at a time.
const PAGE: i64 = 200;
/// How often a silent stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventFilter {
    /// Only events of this session.
    session: Option<u64>,
    /// Begin with the events of this block instead of with those to come.
    from: Option<u64>,
}

/// Events as they come. `log` carries a LogEvent, `rollback` a Rollback, `reset` nothing.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(EventFilter, ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event")),
    responses(
        (status = 200, content_type = "text/event-stream", body = LogEvent),
        (status = 400, body = Problem, content_type = "application/problem+json")
    ))]
pub(crate) async fn events(
    State(api): State<Api>,
    Params(filter): Params<EventFilter>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, Problem> {
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let at = match (last, filter.from) {
        (Some(id), _) => At::parse(id)
            .ok_or_else(|| Problem::invalid(format!("Last-Event-ID '{id}' is none of this stream; leave it out")))?,
        (None, Some(from)) => At { place: Place { number: from, log_index: None }, hash: None },
        (None, None) => At::end_of(Moment::of(&api).await?.block()),
    };
    api.metrics.streams.inc();
    let reader = Reader { moved: api.moved.clone(), api, at, session: filter.session, ready: VecDeque::new() };
    Ok(Sse::new(stream::unfold(reader, Reader::step)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// How far a reader is: a place, and the block it knows there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At {
    place: Place,
    /// None before anything of the chain was shown.
    hash: Option<B256>,
}

impl At {
    /// After everything in a block.
    fn end_of(block: BlockRef) -> Self {
        let end = i64::MAX.unsigned_abs();
        Self { place: Place { number: block.number, log_index: Some(end) }, hash: Some(block.hash) }
    }

    /// The identifier of an event: height, place in the block, block.
    fn id(number: u64, log_index: u64, hash: B256) -> String {
        format!("{number}-{log_index}-{hash:x}")
    }

    fn parse(id: &str) -> Option<Self> {
        let mut parts = id.splitn(3, '-');
        let (number, log_index) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let hash = parts.next()?.parse().ok()?;
        Some(Self { place: Place { number, log_index: Some(log_index) }, hash: Some(hash) })
    }
}

/// One open stream.
struct Reader {
    api: Api,
    moved: watch::Receiver<()>,
    at: At,
    session: Option<u64>,
    ready: VecDeque<Message>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.api.metrics.streams.dec();
    }
}

impl Reader {
    /// The next message; ends at shutdown.
    async fn step(mut self) -> Option<(Result<Message, Infallible>, Self)> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some((Ok(message), self));
            }
            // Seen before the look, so that what changes during it wakes us again.
            self.moved.mark_unchanged();
            if let Err(error) = self.look().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "an event stream cannot read");
            }
            if self.ready.is_empty() {
                let shutdown = self.api.shutdown.clone();
                // Looks again now and then even if nothing is announced, in case the database was away.
                let wait = tokio::time::timeout(KEEP_ALIVE, self.moved.changed());
                if let Ok(Err(_)) = shutdown.run_until_cancelled(wait).await? {
                    return None;
                }
            }
        }
    }

    /// Queues what the database has beyond the present place.
    async fn look(&mut self) -> Result<()> {
        let Some(mut moment) = Moment::now(&self.api).await? else { return Ok(()) };
        match self.standing(&mut moment).await? {
            Standing::Stands => {}
            Standing::TakenBackTo(to) => {
                self.at = At::end_of(to);
                let id = At::id(to.number, i64::MAX.unsigned_abs(), to.hash);
                self.ready.push_back(message("rollback", Some(id), &Rollback { to }));
                return Ok(());
            }
            Standing::Forgotten => {
                let block = moment.block();
                self.at = At::end_of(block);
                let id = At::id(block.number, i64::MAX.unsigned_abs(), block.hash);
                self.ready.push_back(Message::default().event("reset").id(id).data("{}"));
                return Ok(());
            }
        }
        let found = logs::after(&mut moment.db, self.at.place, self.session, PAGE).await?;
        self.at = match found.last() {
            Some(last) => At {
                place: Place { number: last.number, log_index: Some(last.log_index) },
                hash: Some(last.block_hash.into()),
            },
            // Nothing new up to the cursor. A place ahead of it was asked for and stays.
            None if self.at.place.number <= moment.cursor.number => At::end_of(moment.block()),
            None => self.at,
        };
        self.ready.extend(found.into_iter().map(|log| {
            let id = At::id(log.number, log.log_index, log.block_hash.into());
            let block = block_ref(&moment.cursor, log.number, log.block_hash.into());
            message("log", Some(id), &log_event(log, block))
        }));
        Ok(())
    }

    /// Whether the block at the present place is still part of the chain.
    async fn standing(&self, moment: &mut Moment) -> Result<Standing> {
        let Some(mut hash) = self.at.hash else { return Ok(Standing::Stands) };
        let mut depth = 0u64;
        loop {
            let Some(link) = blocks::find(&mut moment.db, hash).await? else { return Ok(Standing::Forgotten) };
            if link.is_canonical && depth == 0 {
                return Ok(Standing::Stands);
            }
            if link.is_canonical {
                return Ok(Standing::TakenBackTo(block_ref(&moment.cursor, link.number, link.hash)));
            }
            hash = link.parent_hash;
            depth += 1;
        }
    }
}

/// What became of the place of a reader.
enum Standing {
    Stands,
    TakenBackTo(BlockRef),
    Forgotten,
}

fn message<T: serde::Serialize>(event: &str, id: Option<String>, data: &T) -> Message {
    let message = Message::default().event(event).data(crate::fold::state::json(data));
    match id {
        Some(id) => message.id(id),
        None => message,
    }
}

fn log_event(log: StoredLog, block: BlockRef) -> LogEvent {
    LogEvent {
        block,
        log_index: log.log_index,
        transaction_hash: log.transaction_hash.into(),
        address: log.address.into(),
        event: log.event,
        session: log.session_id,
        fields: log.fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_names_its_place() {
        let hash = B256::repeat_byte(7);
        let at = At::parse(&At::id(5, 2, hash)).unwrap();
        assert_eq!(at, At { place: Place { number: 5, log_index: Some(2) }, hash: Some(hash) });
        assert_eq!(At::parse("5"), None);
        assert_eq!(At::parse("5-x-00"), None);
    }
}
