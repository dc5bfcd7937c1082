// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ISessions} from "./interfaces/ISessions.sol";
import {RoundPhase} from "./libraries/RoundPhase.sol";
import {SafeToken} from "./libraries/SafeToken.sol";
import {SessionTerms} from "./libraries/SessionTerms.sol";
import {SessionRounds} from "./sessions/SessionRounds.sol";
import {SessionSeats} from "./sessions/SessionSeats.sol";
import {SessionStorage} from "./sessions/SessionStorage.sol";
import {SessionViews} from "./sessions/SessionViews.sol";

/// @title Sessions: see ISessions. Here is the life of a session; seats and rounds have files of their own under sessions/.
/// @notice Every session that was created ends by calls that anyone may make: expire, or close, roll over, finalise and void
/// round after round.
contract Sessions is SessionSeats, SessionRounds, SessionViews {
    using RoundPhase for RoundPhase.Progress;
    using SafeToken for IERC20;

    constructor(address escrow, address stakes, address operators, address reputation)
        SessionStorage(escrow, stakes, operators, reputation)
    {}

    /// @inheritdoc ISessions
    function createSession(Terms calldata terms_) external returns (uint256 id) {
        return _create(terms_);
    }

    /// @inheritdoc ISessions
    function createSessionWithPermit(Terms calldata terms_, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 id)
    {
        IERC20(_escrow.token()).permit(msg.sender, address(_escrow), SessionTerms.budget(terms_), deadline, v, r, s);
        return _create(terms_);
    }

    /// @inheritdoc ISessions
    function start(uint256 id) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireState(id, State.Open);
        if (p.occupied != s.terms.seats) revert Sessions_SeatsNotReady(s.terms.seats, p.occupied);

        p.state = State.Active;
        emit SessionStarted(id);
        _startRound(id, s);
    }

    /// @inheritdoc ISessions
    function cancel(uint256 id) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        if (p.state == State.Open) {
            _requireRequester(s);
            emit SessionCancelled(id, 0, _end(id, p, State.Cancelled));
            return;
        }
        p.requireState(id, State.Active);
        _requireRequester(s);
        if (p.cancelling) return;
        p.cancelling = true;
        emit SessionCancelling(id, p.round);
    }

    /// @inheritdoc ISessions
    function expire(uint256 id) external {
        RoundPhase.Progress storage p = _sessions[id].progress;
        p.requireState(id, State.Open);
        p.requireLate();
        emit SessionExpired(id, _end(id, p, State.Expired));
    }

    function _create(Terms calldata terms_) private returns (uint256 id) {
        SessionTerms.validate(terms_);
        uint128 budget = SessionTerms.budget(terms_);
        id = ++_count;
        SessionRecord storage s = _sessions[id];
        s.requester = msg.sender;
        s.terms = terms_;
        s.accumulator = bytes32(uint256(1));
        s.progress.state = State.Open;
        s.progress.sampled = terms_.cohort < terms_.seats;
        s.progress.deadline = RoundPhase.epoch() + terms_.openPeriod;
        emit SessionCreated(id, msg.sender, terms_.spec, budget, terms_);
        _escrow.open(id, msg.sender, budget);
    }
}
