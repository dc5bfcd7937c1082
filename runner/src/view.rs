//! What an agent knows of the chain at one block: plain values, read once, on which the plan rests.

use parity_abi::{Phase, State};
use parity_protocol::{Address, B256, TokenAmount, draw};

use crate::policy::Offer;

/// The chain as one agent sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Block at which it was read.
    pub block: u64,
    /// The agent's operator.
    pub me: Address,
    /// What the contracts know of it.
    pub standing: Standing,
    /// Sessions that are open or active, by id.
    pub sessions: Vec<SessionView>,
}

/// What decides whether an operator may claim a seat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Registered and not retired.
    pub active: bool,
    /// Capability bits.
    pub capabilities: u64,
    /// Active stake.
    pub stake: TokenAmount,
    /// Score, 0 to 1000.
    pub reputation: u16,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Session id.
    pub id: u64,
    /// The terms, as far as a runner cares.
    pub offer: Offer,
    /// Open or Active.
    pub state: State,
    /// Phase of the current round.
    pub phase: Phase,
    /// Current round, 1-based; 0 while Open.
    pub round: u16,
    /// Last epoch of the phase (of Open: of claiming).
    pub deadline: u64,
    /// Ends after the current round.
    pub cancelling: bool,
    /// Aggregate digest of the last final round.
    pub model: Option<B256>,
    /// Seats by index; none where nobody sits.
    pub seats: Vec<Option<SeatView>>,
}

/// A seat with a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatView {
    /// Who sits there.
    pub operator: Address,
    /// First round the holder is expected in; 0: not yet serving.
    pub joined_round: u16,
    /// Last round the holder posted in.
    pub last_round: u16,
    /// Key the shard is sealed to.
    pub key: B256,
    /// Digest of the sealed shard.
    pub shard: Option<B256>,
}

impl Standing {
    /// Whether this operator may claim a seat under these terms.
    pub fn is_eligible(&self, offer: &Offer) -> bool {
        self.active
            && self.capabilities & offer.capabilities == offer.capabilities
            && self.stake >= offer.min_stake
            && (offer.min_reputation == 0 || self.reputation >= offer.min_reputation)
    }
}

impl SessionView {
    /// The seat of an operator, with its index.
    pub fn seat_of(&self, operator: Address) -> Option<(u16, &SeatView)> {
        let mut seats = (0_u16..).zip(&self.seats);
        seats.find_map(|(index, seat)| seat.as_ref().filter(|seat| seat.operator == operator).map(|seat| (index, seat)))
    }

    /// Whether a seat takes part in the current round.
    pub fn takes_part(&self, seat: u16) -> bool {
        let Offer { seats, cohort, draw_seed, .. } = self.offer;
        let drawn = draw::drawn(draw_seed, self.round, seats.into(), cohort.into());
        drawn.get(usize::from(seat)) == Some(&true)
    }

    /// Indices of seats without a holder.
    pub fn free_seats(&self) -> Vec<u16> {
        (0_u16..).zip(&self.seats).filter(|(_, seat)| seat.is_none()).map(|(index, _)| index).collect()
    }

    /// Whether the next block is still within the phase.
    pub fn has_time_at(&self, block: u64) -> bool {
        block < self.deadline
    }

    /// Whether a seat can be claimed in the next block.
    pub fn takes_claims_at(&self, block: u64) -> bool {
        match (self.state, self.phase) {
            (State::Open, _) | (State::Active, Phase::Training) => self.has_time_at(block),
            (State::Active, _) => !self.cancelling && self.round < self.offer.rounds,
            _ => false,
        }
    }
}
