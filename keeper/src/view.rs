//! What a keeper knows about one session at one block: plain values, read once, on which everything else decides.

use parity_protocol::{Address, B256, TokenAmount, draw};

/// One session as the contracts show it at `block`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Session id.
    pub id: u64,
    /// Block at which everything here was read.
    pub block: u64,
    /// Terms fixed at creation.
    pub terms: Terms,
    /// What changes.
    pub progress: Progress,
    /// Seats by index; none where nobody sits.
    pub seats: Vec<Option<Seat>>,
    /// The standing proposal while the round is Proposed.
    pub proposal: Option<Proposal>,
    /// Whether this keeper is among those that agreed with the standing proposal.
    pub attested: bool,
    /// The session's money.
    pub budget: Budget,
    /// Refunds that wait for the requester.
    pub credit: TokenAmount,
}

/// The terms a keeper acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Digest of the session spec.
    pub spec: B256,
    /// Number of seats.
    pub seats: u16,
    /// Least number of updates that closes a round at its deadline.
    pub quorum: u16,
    /// Scheduled rounds.
    pub rounds: u16,
    /// Keepers that must agree, the proposer included.
    pub attestations: u16,
    /// Share of the reward split by score.
    pub performance_bps: u16,
    /// Epochs for a proposal.
    pub propose_period: u64,
    /// Epochs between proposal and finality.
    pub challenge_window: u64,
    /// Reward of a round.
    pub round_reward: TokenAmount,
    /// Fee of a round's proposer.
    pub keeper_fee: TokenAmount,
    /// Bonus of operators present in every final round.
    pub completion_bonus: TokenAmount,
    /// Stake a proposing or attesting keeper needs.
    pub keeper_bond: TokenAmount,
    /// Whether the requester sealed the data to the seats.
    pub uploaded: bool,
    /// Whether a proposal may say that the spec's target is reached.
    pub targeted: bool,
    /// Seats that take part in each round.
    pub cohort: u16,
    /// Decides which.
    pub draw_seed: u64,
}

impl Terms {
    /// Which seats take part in a round, whoever holds them.
    pub fn drawn(&self, round: u16) -> Vec<bool> {
        draw::drawn(self.draw_seed, round, self.seats.into(), self.cohort.into())
    }
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Seats are being filled.
    Open,
    /// Rounds run.
    Active,
    /// Over: completed, cancelled or expired.
    Ended,
}

/// Phase of the current round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No round runs.
    None,
    /// Runners train and post.
    Training,
    /// Who posted is fixed; a proposal is due.
    Closed,
    /// Shares of secure aggregation are being posted.
    Unmasking,
    /// A proposal stands.
    Proposed,
}

/// What changes while a session runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Who pays.
    pub requester: Address,
    /// State.
    pub state: State,
    /// Phase of the current round.
    pub phase: Phase,
    /// Current round, 1-based; 0 while Open.
    pub round: u16,
    /// Rounds that ended Final.
    pub final_rounds: u16,
    /// Seats that serve in the current round.
    pub occupied: u16,
    /// Of those, seats that take part in it.
    pub expected: u16,
    /// Updates of the current round.
    pub posted: u16,
    /// Extensions of the current round.
    pub rollovers: u16,
    /// Last epoch of the phase.
    pub deadline: u64,
    /// Aggregate digest of the last final round.
    pub model: Option<B256>,
    /// Fold of the current round's updates.
    pub accumulator: B256,
}

/// A seat with a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who sits there.
    pub operator: Address,
    /// First round the holder is expected in; 0: not yet serving.
    pub joined_round: u16,
    /// Last round the holder posted in.
    pub last_round: u16,
    /// Final rounds the holder posted in, the current one included once posted.
    pub finished: u16,
}

/// A standing proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Who proposed.
    pub proposer: Address,
    /// Epoch of the proposal.
    pub proposed_at: u64,
    /// Keepers that agree, the proposer included.
    pub attested: u16,
    /// What is proposed.
    pub claim: crate::proposal::Claim,
    /// Digest of the proposer's report.
    pub report: B256,
}

/// The session's money in Escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Earned so far.
    pub committed: TokenAmount,
    /// Paid so far.
    pub claimed: TokenAmount,
    /// Root of the payout tree.
    pub root: B256,
}

impl SessionView {
    /// Whether the phase is past its last epoch.
    pub fn is_late(&self) -> bool {
        self.block > self.progress.deadline
    }

    /// Whether this is the last scheduled round.
    pub fn is_last_round(&self) -> bool {
        self.progress.round == self.terms.rounds
    }

    /// Everyone expected has posted, and they are enough.
    pub fn everyone_posted(&self) -> bool {
        self.progress.posted >= self.terms.quorum && self.progress.posted == self.progress.expected
    }
}
