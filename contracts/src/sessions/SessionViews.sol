// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../interfaces/ISessions.sol";
import {Beacon} from "../libraries/Beacon.sol";
import {PayoutSplit} from "../libraries/PayoutSplit.sol";
import {RoundPhase} from "../libraries/RoundPhase.sol";
import {SessionTerms} from "../libraries/SessionTerms.sol";
import {SessionStorage} from "./SessionStorage.sol";

/// @title SessionViews: everything a reader needs without logs. Stale recycled slots never show.
abstract contract SessionViews is SessionStorage {
    uint256 internal _count;

    /// @inheritdoc ISessions
    function session(uint256 id) external view returns (Session memory) {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        return Session({
            requester: s.requester,
            state: p.state,
            phase: p.phase,
            round: p.round,
            finalRounds: p.finalRounds,
            occupied: p.occupied,
            expected: _expected(s),
            claimed: p.claimed,
            posted: p.posted,
            rollovers: p.rollovers,
            deadline: p.deadline,
            cancelling: p.cancelling,
            committed: s.committed,
            model: s.model,
            accumulator: p.posted == 0 ? bytes32(0) : s.accumulator
        });
    }

    /// @inheritdoc ISessions
    function terms(uint256 id) external view returns (Terms memory) {
        return _sessions[id].terms;
    }

    /// @inheritdoc ISessions
    function seat(uint256 id, uint16 index) external view returns (Seat memory) {
        return _seat(_sessions[id], index);
    }

    /// @inheritdoc ISessions
    function seatsOf(uint256 id) external view returns (Seat[] memory seats) {
        SessionRecord storage s = _sessions[id];
        uint16 count = s.terms.seats;
        seats = new Seat[](count);
        for (uint16 i = 0; i < count; ++i) {
            seats[i] = _seat(s, i);
        }
    }

    /// @inheritdoc ISessions
    function proposal(uint256 id) external view returns (Proposal memory standing) {
        if (_sessions[id].progress.phase == Phase.Proposed) standing = _sessions[id].proposal;
    }

    /// @inheritdoc ISessions
    function hasAttested(uint256 id, uint16 round, address keeper) external view returns (bool) {
        return round != 0 && _sessions[id].attestedRound[keeper] == round;
    }

    /// @inheritdoc ISessions
    function aggregateOf(uint256 id, uint16 round) external view returns (bytes32) {
        return _sessions[id].aggregates[round];
    }

    /// @inheritdoc ISessions
    function holdoutOf(uint256 id, address keeper) external view returns (bytes32) {
        return _sessions[id].holdouts[keeper];
    }

    /// @inheritdoc ISessions
    function budgetOf(Terms calldata terms_) external pure returns (uint128) {
        return SessionTerms.budget(terms_);
    }

    /// @inheritdoc ISessions
    function rewardOf(uint256 id, uint64 samples, uint256 totalSamples, uint32 score, uint256 totalScore)
        external
        view
        returns (uint128)
    {
        Terms storage terms_ = _sessions[id].terms;
        return
            PayoutSplit.rewardDown(terms_.roundReward, terms_.performanceBps, samples, totalSamples, score, totalScore);
    }

    /// @inheritdoc ISessions
    function roundSeed(uint256 id) external view returns (bytes32) {
        RoundPhase.Progress storage p = _sessions[id].progress;
        if (p.phase == Phase.None || p.phase == Phase.Training) revert Sessions_WrongPhase(Phase.Closed, p.phase);
        return Beacon.at(p.closedAt);
    }

    /// @inheritdoc ISessions
    function sessionCount() external view returns (uint256) {
        return _count;
    }

    function _seat(SessionRecord storage s, uint16 index) private view returns (Seat memory shown) {
        SeatRecord storage record = s.seats[index];
        if (record.operator == address(0)) return shown;
        shown.operator = record.operator;
        shown.joinedRound = record.joinedRound;
        shown.lastRound = record.lastRound;
        shown.finished = _finishedOf(s, record);
        if (s.progress.state == State.Active && record.lastRound == s.progress.round) ++shown.finished;
        shown.key = record.key;
        if (record.joinedRound != 0) shown.shard = record.shard;
    }
}
