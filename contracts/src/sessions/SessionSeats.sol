// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../interfaces/ISessions.sol";
import {RoundPhase} from "../libraries/RoundPhase.sol";
import {SessionStorage} from "./SessionStorage.sol";

/// @title SessionSeats: who holds which seat, from which round on, and what becomes of those who miss.
/// @notice Counts: `occupied` seats serve in the current round, `joining` ones from the next, and of an uploaded session the rest
/// of the `claimed` ones wait for their shard.
abstract contract SessionSeats is SessionStorage {
    using RoundPhase for RoundPhase.Progress;

    /// @inheritdoc ISessions
    function claimSeat(uint256 id, uint16 index, bytes32 key) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        uint16 firstRound = _firstRound(id, s);
        if (p.state == State.Open) p.requireBeforeDeadline();
        _requireSeat(s, index);
        if (key == 0) revert Sessions_ZeroKey();
        SeatRecord storage seat_ = s.seats[index];
        if (seat_.operator != address(0)) revert Sessions_SeatTaken(index, seat_.operator);
        if (s.seatOf[msg.sender] != 0) revert Sessions_AlreadySeated(msg.sender);
        _requireEligible(s);

        seat_.operator = msg.sender;
        seat_.key = key;
        s.seatOf[msg.sender] = index + 1;
        p.claimed += 1;
        if (s.terms.dataMode == DataMode.Private) _serveFrom(s, seat_, index, firstRound);
        emit SeatClaimed(id, index, msg.sender, key);
    }

    /// @inheritdoc ISessions
    function sealShards(uint256 id, uint16[] calldata seats, address[] calldata operators, bytes32[] calldata shards)
        external
    {
        SessionRecord storage s = _sessions[id];
        uint16 firstRound = _firstRound(id, s);
        _requireRequester(s);
        if (s.terms.dataMode != DataMode.Uploaded) {
            revert Sessions_WrongDataMode(DataMode.Uploaded, s.terms.dataMode);
        }
        if (operators.length != seats.length) revert Sessions_LengthMismatch(seats.length, operators.length);
        if (shards.length != seats.length) revert Sessions_LengthMismatch(seats.length, shards.length);

        for (uint256 i = 0; i < seats.length; ++i) {
            SeatRecord storage seat_ = s.seats[seats[i]];
            if (shards[i] == 0) revert Sessions_ZeroDigest();
            if (seat_.operator == address(0)) revert Sessions_SeatEmpty(seats[i]);
            if (seat_.operator != operators[i]) revert Sessions_NotSeatHolder(operators[i], seat_.operator);
            if (seat_.joinedRound != 0) revert Sessions_AlreadySealed(seats[i]);

            seat_.shard = shards[i];
            _serveFrom(s, seat_, seats[i], firstRound);
            emit SeatSealed(id, seats[i], operators[i], shards[i]);
        }
    }

    /// @inheritdoc ISessions
    function sealHoldout(uint256 id, address[] calldata keepers, bytes32[] calldata holdouts) external {
        SessionRecord storage s = _sessions[id];
        if (s.progress.state != State.Open) s.progress.requireState(id, State.Active);
        _requireRequester(s);
        if (holdouts.length != keepers.length) revert Sessions_LengthMismatch(keepers.length, holdouts.length);

        for (uint256 i = 0; i < keepers.length; ++i) {
            if (holdouts[i] == 0) revert Sessions_ZeroDigest();
            s.holdouts[keepers[i]] = holdouts[i];
            emit HoldoutSealed(id, keepers[i], holdouts[i]);
        }
    }

    /// @inheritdoc ISessions
    function forfeit(uint256 id, uint16 index) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireState(id, State.Active);
        SeatRecord storage seat_ = s.seats[index];
        address operator = seat_.operator;
        if (operator == address(0)) revert Sessions_SeatEmpty(index);
        bool missed = p.phase != Phase.Training || p.isLate();
        if (!missed || !_takesPart(s, seat_, index) || seat_.lastRound == p.round) {
            revert Sessions_NotForfeitable(index);
        }
        uint16 finished = _finishedOf(s, seat_);

        // The key and the shard stay where they are, so that the next holder overwrites slots instead of filling new ones.
        seat_.operator = address(0);
        seat_.joinedRound = 0;
        seat_.lastRound = 0;
        seat_.finished = 0;
        seat_.sharedRound = 0;
        s.seatOf[operator] = 0;
        p.occupied -= 1;
        p.claimed -= 1;
        if (p.sampled) {
            uint256 others = ~(1 << index);
            s.serving &= others;
            s.summoned &= others;
        }
        // A recorder that was replaced must not keep seats occupied. Who starves this call of gas cannot pay for the event after it.
        try _reputation.record(operator, finished, 1) {} catch {}
        emit SeatForfeited(id, index, operator, finished, 1);
    }

    /// @inheritdoc ISessions
    function settleSeat(uint256 id, uint16 index) external {
        SessionRecord storage s = _sessions[id];
        State state = s.progress.state;
        if (state != State.Cancelled && state != State.Expired) s.progress.requireState(id, State.Completed);
        SeatRecord storage seat_ = s.seats[index];
        address operator = seat_.operator;
        if (operator == address(0)) revert Sessions_SeatEmpty(index);
        uint16 finished = _finishedOf(s, seat_);
        if (seat_.settled || finished == 0) revert Sessions_NothingToSettle(index);

        seat_.settled = true;
        emit SeatSettled(id, index, operator, finished, 0);
        _reputation.record(operator, finished, 0);
    }

    /// @dev The first round in which a holder that is ready now can serve: the current one while it still trains, else the next.
    /// An open session that nobody expired may still be completed by sealing. Past the deadline of Training it is for `close` or
    /// `rollOver` to say which round is current.
    function _firstRound(uint256 id, SessionRecord storage s) private view returns (uint16) {
        RoundPhase.Progress storage p = s.progress;
        if (p.state == State.Open) return 1;
        p.requireState(id, State.Active);
        if (p.phase == Phase.Training) {
            p.requireBeforeDeadline();
            return p.round;
        }
        if (p.cancelling || p.round == s.terms.rounds) revert Sessions_WrongPhase(Phase.Training, p.phase);
        return p.round + 1;
    }

    function _serveFrom(SessionRecord storage s, SeatRecord storage seat_, uint16 index, uint16 round) private {
        RoundPhase.Progress storage p = s.progress;
        seat_.joinedRound = round;
        if (p.state == State.Active && round > p.round) p.joining += 1;
        else p.occupied += 1;
        if (!p.sampled) return;
        s.serving |= 1 << index;
        if (p.phase == Phase.Training) _summon(s);
    }

    function _requireEligible(SessionRecord storage s) private view {
        uint64 capabilities = s.terms.capabilities;
        if (!_operators.isCapable(msg.sender, capabilities)) revert Sessions_NotCapable(msg.sender, capabilities);
        _requireStake(msg.sender, s.terms.minStake);
        uint16 expected = s.terms.minReputation;
        if (expected == 0) return;
        uint16 actual = _reputation.score(msg.sender);
        if (actual < expected) revert Sessions_InsufficientReputation(expected, actual);
    }
}
