//! Events that change a seat, and the seat counters of its session with it.

use parity_abi::{DataMode, Event, Phase, State as SessionState};

use super::{Origin, Plan, State, sessions::key, state::json};
use crate::{
    error::Result,
    rows::{Holdout, Row, Seat, SeatKey, Session, SessionKey},
};

pub(super) fn plan(event: &Event, origin: Origin, plan: &mut Plan) -> Result<()> {
    match event {
        Event::SeatClaimed(e) => {
            let session = key(origin, e.session)?;
            let seat = SeatKey { session_id: session.session_id, seat: e.seat };
            let (operator, sealing_key) = (e.operator.into(), e.key.into());
            let of = session.clone();
            plan.make::<Seat>(seat.clone(), move |state, row| {
                let session = existing(origin, state, &of)?;
                Ok(Seat {
                    session_id: seat.session_id,
                    seat: seat.seat,
                    operator: Some(operator),
                    joined_round: if is_private(session) { first_round(origin, session)? } else { 0 },
                    last_round: 0,
                    settled: false,
                    sealing_key: Some(sealing_key),
                    shard: None,
                    forfeits: row.map_or(0, |row| row.forfeits),
                })
            });
            plan.change::<Session>(session, move |row| {
                row.claimed = origin.up("claimed seats", row.claimed)?;
                if is_private(row) { serve(origin, row) } else { Ok(()) }
            });
        }
        Event::SeatSealed(e) => {
            let session = key(origin, e.session)?;
            let seat = SeatKey { session_id: session.session_id, seat: e.seat };
            let (of, shard) = (session.clone(), e.shard.into());
            plan.make::<Seat>(seat.clone(), move |state, row| {
                let mut row = row.ok_or_else(|| origin.missing(Seat::TABLE, json(&seat)))?;
                row.joined_round = first_round(origin, existing(origin, state, &of)?)?;
                row.shard = Some(shard);
                Ok(row)
            });
            plan.change::<Session>(session, move |row| serve(origin, row));
        }
        Event::SeatForfeited(e) => {
            let session = key(origin, e.session)?;
            plan.change::<Seat>(SeatKey { session_id: session.session_id, seat: e.seat }, move |row| {
                row.operator = None;
                row.joined_round = 0;
                row.last_round = 0;
                row.sealing_key = None;
                row.shard = None;
                row.forfeits = origin.up("forfeits", row.forfeits)?;
                Ok(())
            });
            plan.change::<Session>(session, move |row| {
                row.occupied = origin.down("occupied seats", row.occupied)?;
                row.claimed = origin.down("claimed seats", row.claimed)?;
                Ok(())
            });
        }
        Event::SeatSettled(e) => {
            let session_id = origin.id("session", e.session)?;
            plan.change::<Seat>(SeatKey { session_id, seat: e.seat }, |row| {
                row.settled = true;
                Ok(())
            });
        }
        Event::UpdateSubmitted(e) => {
            let (session_id, round) = (origin.id("session", e.session)?, e.round);
            plan.change::<Seat>(SeatKey { session_id, seat: e.seat }, move |row| {
                row.last_round = round;
                Ok(())
            });
        }
        Event::HoldoutSealed(e) => plan.put(Holdout {
            session_id: origin.id("session", e.session)?,
            keeper: e.keeper.into(),
            holdout: e.holdout.into(),
        }),
        _ => {}
    }
    Ok(())
}

fn existing<'a>(origin: Origin, state: &'a State, key: &SessionKey) -> Result<&'a Session> {
    state.get::<Session>(key)?.ok_or_else(|| origin.missing(Session::TABLE, json(key)))
}

fn is_private(session: &Session) -> bool {
    session.terms.data_mode == DataMode::Private
}

/// The first round in which a seat that is ready now serves.
fn first_round(origin: Origin, session: &Session) -> Result<u16> {
    match (session.state, session.phase) {
        (SessionState::Open, _) => Ok(1),
        (_, Phase::Training) => Ok(session.round),
        _ => origin.up("rounds", session.round),
    }
}

/// Counts a seat that became ready.
fn serve(origin: Origin, session: &mut Session) -> Result<()> {
    if session.state == SessionState::Active && session.phase != Phase::Training {
        session.joining = origin.up("joining seats", session.joining)?;
    } else {
        session.occupied = origin.up("occupied seats", session.occupied)?;
    }
    Ok(())
}
