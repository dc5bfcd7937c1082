//! Reads the chain into a [`View`]. Terms are read once per session, sessions that ended are soon left out.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use futures::{StreamExt, TryStreamExt, stream};
use parity_abi::{DataMode, ISessions, Phase, State};
use parity_chain::{Client, Error};
use parity_protocol::{Address, B256, TokenAmount, U256};

use crate::{
    policy::Offer,
    view::{SeatView, SessionView, Standing, View},
};

/// Blocks after which the end of a session is believed: a reorganisation may undo it.
const BELIEVED_AFTER: u64 = 64;
/// Requests under way at once.
const PARALLEL: usize = 8;

/// Reads views for one operator.
#[derive(Debug)]
pub(crate) struct Snapshots {
    client: Client,
    me: Address,
    offers: HashMap<u64, Offer>,
    /// Block at which a session was first seen to be over.
    ended: HashMap<u64, u64>,
}

impl Snapshots {
    pub(crate) fn new(client: Client, me: Address) -> Self {
        Self { client, me, offers: HashMap::new(), ended: HashMap::new() }
    }

    /// The chain now. Reads belong to blocks at or after `block`: an action planned on a mixture is refused by the contract.
    pub(crate) async fn read(&mut self, block: u64) -> Result<View> {
        let count = self.client.sessions().sessionCount().call().await;
        let count = u64::try_from(count.map_err(named("Sessions.sessionCount"))?).context("counting sessions")?;
        let ids: Vec<u64> = (1..=count).filter(|id| !self.is_over(*id, block)).collect();
        let read = |id: u64| {
            let (client, offer) = (self.client.clone(), self.offers.get(&id).cloned());
            async move { session(&client, id, offer).await }
        };
        let found: Vec<(u64, Option<SessionView>)> =
            stream::iter(ids).map(read).buffered(PARALLEL).try_collect().await?;
        let mut sessions = Vec::new();
        for (id, view) in found {
            match view {
                Some(view) => {
                    self.ended.remove(&id);
                    self.offers.entry(id).or_insert_with(|| view.offer.clone());
                    sessions.push(view);
                }
                None => {
                    self.ended.entry(id).or_insert(block);
                    self.offers.remove(&id);
                }
            }
        }
        Ok(View { block, me: self.me, standing: self.standing().await?, sessions })
    }

    fn is_over(&self, id: u64, block: u64) -> bool {
        self.ended.get(&id).is_some_and(|seen| block > seen.saturating_add(BELIEVED_AFTER))
    }

    async fn standing(&self) -> Result<Standing> {
        let (operators, stakes, reputation) = (self.client.operators(), self.client.stakes(), self.client.reputation());
        let (operator, stake, score) = (operators.operator(self.me), stakes.active(self.me), reputation.score(self.me));
        let (operator, stake, score) = futures::try_join!(
            async { operator.call().await.map_err(named("Operators.operator")) },
            async { stake.call().await.map_err(named("Stakes.active")) },
            async { score.call().await.map_err(named("Reputation.score")) },
        )?;
        Ok(Standing {
            active: operator.active,
            capabilities: operator.capabilities,
            stake: TokenAmount::from_base_units(stake),
            reputation: score,
        })
    }
}

/// One session; `None` where it is over.
async fn session(client: &Client, id: u64, offer: Option<Offer>) -> Result<(u64, Option<SessionView>)> {
    let number = U256::from(id);
    let session = client.session(number).await?;
    let state = State::try_from(session.state)?;
    if !matches!(state, State::Open | State::Active) {
        return Ok((id, None));
    }
    let offer = match offer {
        Some(offer) => offer,
        None => offer_of(&client.terms(number).await?)?,
    };
    let seats = client.seats(number).await?;
    let view = SessionView {
        id,
        offer,
        state,
        phase: Phase::try_from(session.phase)?,
        round: session.round,
        deadline: session.deadline.to(),
        cancelling: session.cancelling,
        model: present(session.model),
        seats: seats.iter().map(seat_of).collect(),
    };
    Ok((id, Some(view)))
}

fn offer_of(terms: &ISessions::Terms) -> Result<Offer> {
    Ok(Offer {
        spec: terms.spec,
        seats: terms.seats,
        rounds: terms.rounds,
        round_reward: TokenAmount::from_base_units(terms.roundReward),
        data_mode: DataMode::try_from(terms.dataMode)?,
        unmasking: terms.unmasking,
        targeted: terms.targeted,
        cohort: terms.cohort,
        draw_seed: terms.drawSeed,
        capabilities: terms.capabilities,
        min_stake: TokenAmount::from_base_units(terms.minStake),
        min_reputation: terms.minReputation,
        keeper_bond: TokenAmount::from_base_units(terms.keeperBond),
    })
}

fn seat_of(seat: &ISessions::Seat) -> Option<SeatView> {
    (seat.operator != Address::ZERO).then(|| SeatView {
        operator: seat.operator,
        joined_round: seat.joinedRound,
        last_round: seat.lastRound,
        key: seat.key,
        shard: present(seat.shard),
    })
}

fn present(digest: B256) -> Option<B256> {
    (digest != B256::ZERO).then_some(digest)
}

fn named(what: &'static str) -> impl Fn(alloy::contract::Error) -> Error {
    move |error| Error::contract(what, error)
}
