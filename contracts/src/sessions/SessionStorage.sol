// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../interfaces/IEscrow.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {ISessions} from "../interfaces/ISessions.sol";
import {IStakes} from "../interfaces/IStakes.sol";
import {Draw} from "../libraries/Draw.sol";
import {RoundPhase} from "../libraries/RoundPhase.sol";

/// @title SessionStorage: what Sessions keeps, and the questions that all its parts ask.
/// @notice Slots are recycled from round to round; of past rounds only the aggregate is kept.
abstract contract SessionStorage is ISessions {
    using RoundPhase for RoundPhase.Progress;

    struct SeatRecord {
        // slot 0
        address operator;
        uint16 joinedRound;
        uint16 lastRound; // last round posted in
        uint16 finished; // final rounds posted in before `lastRound`
        uint16 sharedRound; // last round with unmasking shares
        bool settled;
        // slot 1
        bytes32 key;
        // slot 2, stale while `joinedRound` is 0
        bytes32 shard;
    }

    struct SessionRecord {
        // slot 0
        RoundPhase.Progress progress;
        // slot 1, stale while nothing is posted: never zero, so that the first update of a round costs what the others do
        bytes32 accumulator;
        // slot 2
        address requester;
        // slot 3
        uint128 committed;
        // slot 4
        bytes32 model;
        // slots 5 to 10
        Terms terms;
        // slots 11 to 16, stale outside Proposed
        Proposal proposal;
        // slot 17, used where rounds are drawn: seats that serve in this round or from the next one, by bit
        uint256 serving;
        // slot 18, used where rounds are drawn: seats that serve in this round and take part in it, by bit
        uint256 summoned;
        mapping(uint16 index => SeatRecord) seats;
        mapping(address operator => uint16) seatOf; // index + 1
        mapping(address keeper => uint16) attestedRound; // last round proposed or attested in
        mapping(address keeper => bytes32) holdouts;
        mapping(uint16 round => bytes32) aggregates;
    }

    IEscrow internal immutable _escrow;
    IStakes internal immutable _stakes;
    IOperators internal immutable _operators;
    IReputation internal immutable _reputation;

    mapping(uint256 id => SessionRecord) internal _sessions;

    constructor(address escrow, address stakes, address operators, address reputation) {
        _escrow = IEscrow(escrow);
        _stakes = IStakes(stakes);
        _operators = IOperators(operators);
        _reputation = IReputation(reputation);
    }

    /// @dev A seat of this index exists in the session.
    function _requireSeat(SessionRecord storage s, uint16 index) internal view {
        uint16 seats = s.terms.seats;
        if (index >= seats) revert Sessions_SeatOutOfRange(seats, index);
    }

    function _requireRequester(SessionRecord storage s) internal view {
        if (msg.sender != s.requester) revert Sessions_NotRequester(s.requester, msg.sender);
    }

    function _requireStake(address operator, uint128 expected) internal view {
        if (expected == 0) return;
        uint128 actual = _stakes.active(operator);
        if (actual < expected) revert Sessions_InsufficientStake(expected, actual);
    }

    /// @dev Whether the holder is expected to post in the current round: it serves, and the seat is drawn where not all are.
    function _takesPart(SessionRecord storage s, SeatRecord storage seat_, uint16 index) internal view returns (bool) {
        RoundPhase.Progress storage p = s.progress;
        uint16 joined = seat_.joinedRound;
        return joined != 0 && joined <= p.round && (!p.sampled || (s.summoned >> index) & 1 != 0);
    }

    /// @dev Seats that serve in the current round and take part in it. Who posted keeps its seat until the next round, so that all of
    /// them have posted when as many have.
    function _expected(SessionRecord storage s) internal view returns (uint16) {
        return s.progress.sampled ? Draw.size(s.summoned) : s.progress.occupied;
    }

    /// @dev Calls those who serve and are drawn to the round that has begun or goes on. In Training nobody waits to serve.
    function _summon(SessionRecord storage s) internal {
        Terms storage terms_ = s.terms;
        s.summoned = s.serving & Draw.drawn(terms_.drawSeed, s.progress.round, terms_.seats, terms_.cohort);
    }

    /// @dev Final rounds that the holder posted in; its last one counts once it is final.
    function _finishedOf(SessionRecord storage s, SeatRecord storage seat_) internal view returns (uint16 finished) {
        finished = seat_.finished;
        uint16 last = seat_.lastRound;
        if (last != 0 && s.aggregates[last] != 0) ++finished;
    }

    /// @dev The current round is over: the next one begins, or the session ends, because it was the last or because the target is
    /// reached.
    function _advance(uint256 id, SessionRecord storage s, bool reached) internal {
        RoundPhase.Progress storage p = s.progress;
        if (p.cancelling) {
            emit SessionCancelled(id, s.model, _end(id, p, State.Cancelled));
        } else if (reached || p.round == s.terms.rounds) {
            emit SessionCompleted(id, s.model, _end(id, p, State.Completed));
        } else {
            _startRound(id, s);
        }
    }

    function _startRound(uint256 id, SessionRecord storage s) internal {
        (uint16 round, uint40 deadline) = s.progress.startRound(s.terms.roundPeriod);
        if (s.progress.sampled) _summon(s);
        emit RoundStarted(id, round, deadline);
    }

    /// @dev Makes the session terminal and gives what it did not spend back to the requester's credit.
    function _end(uint256 id, RoundPhase.Progress storage p, State state) internal returns (uint128 refunded) {
        p.end(state);
        refunded = _escrow.close(id);
    }
}
