// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../interfaces/ISessions.sol";

/// @title RoundPhase: which step a session and its round are in, and which steps may follow.
/// @notice Knows counters and deadlines, neither seats nor money. What may be done up to a deadline may be done in the epoch of
/// the deadline too; what may be done after it, from the next epoch on.
library RoundPhase {
    /// @dev Everything that changes while a round runs, in one slot.
    struct Progress {
        // slot 0
        ISessions.State state;
        ISessions.Phase phase;
        bool cancelling;
        bool sampled; // not all seats take part in every round
        uint16 round;
        uint16 finalRounds;
        uint16 lastFinal; // number of the last final round, 0 before
        uint16 occupied; // seats that serve in this round
        uint16 joining; // seats that serve from the next round on
        uint16 claimed; // seats with a holder
        uint16 posted; // updates of this round
        uint16 shared; // unmasking shares of this round
        uint16 rollovers; // of this round
        uint40 deadline; // of this phase
        uint40 closedAt; // epoch in which this round closed
    }

    /// @dev The session is Active, in `round`, and in `phase`.
    function requireAt(Progress storage p, uint256 id, uint16 round, ISessions.Phase phase) internal view {
        requireRound(p, id, round);
        if (p.phase != phase) revert ISessions.Sessions_WrongPhase(phase, p.phase);
    }

    /// @dev The session is Active and in `round`.
    function requireRound(Progress storage p, uint256 id, uint16 round) internal view {
        requireState(p, id, ISessions.State.Active);
        if (p.round != round) revert ISessions.Sessions_WrongRound(p.round, round);
    }

    function requireState(Progress storage p, uint256 id, ISessions.State expected) internal view {
        ISessions.State actual = p.state;
        if (actual == expected) return;
        if (actual == ISessions.State.None) revert ISessions.Sessions_UnknownSession(id);
        revert ISessions.Sessions_WrongState(expected, actual);
    }

    function requireBeforeDeadline(Progress storage p) internal view {
        if (isLate(p)) revert ISessions.Sessions_DeadlinePassed(p.deadline, epoch());
    }

    function requireLate(Progress storage p) internal view {
        if (!isLate(p)) revert ISessions.Sessions_TooEarly(p.deadline + 1, epoch());
    }

    /// @dev Whether the phase is past its deadline.
    function isLate(Progress storage p) internal view returns (bool) {
        return block.number > p.deadline;
    }

    /// @dev Training -> Training of the next round (or of the first), with the seats that waited for it.
    function startRound(Progress storage p, uint40 period) internal returns (uint16 round, uint40 deadline) {
        round = p.round + 1;
        deadline = epoch() + period;
        p.round = round;
        p.occupied += p.joining;
        p.joining = 0;
        p.posted = 0;
        p.shared = 0;
        p.rollovers = 0;
        p.phase = ISessions.Phase.Training;
        p.deadline = deadline;
    }

    /// @dev Training may close: all of the expected posted, or the deadline passed with a quorum.
    function requireClosable(Progress storage p, uint16 quorum, uint16 expected) internal view {
        uint16 posted = p.posted;
        if (posted >= quorum && posted == expected) return;
        requireLate(p);
        if (posted < quorum) revert ISessions.Sessions_QuorumMissed(quorum, posted);
    }

    /// @dev -> `phase`, which lasts `period` from now.
    function enter(Progress storage p, ISessions.Phase phase, uint40 period) internal returns (uint40 deadline) {
        deadline = epoch() + period;
        p.phase = phase;
        p.deadline = deadline;
    }

    /// @dev -> a terminal state.
    function end(Progress storage p, ISessions.State state) internal {
        p.state = state;
        p.phase = ISessions.Phase.None;
        p.deadline = 0;
    }

    /// @dev The present epoch. Filecoin's epochs need 40 bits for a million years.
    function epoch() internal view returns (uint40) {
        return uint40(block.number);
    }
}
