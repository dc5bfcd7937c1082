// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Draw} from "../../src/libraries/Draw.sol";
import {SessionTest} from "../support/SessionTest.sol";

/// @title Rounds in which only drawn seats take part.
contract SessionsDrawTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_sampled());
    }

    /// @dev Two of three seats.
    function _sampled() private pure returns (ISessions.Terms memory terms) {
        terms = _terms();
        terms.cohort = 2;
        terms.rounds = 40;
    }

    /// @dev The seats that take part in a round, and the one that does not.
    function _cast(uint16 round) private pure returns (uint16 first, uint16 second, uint16 left) {
        uint256 drawn = Draw.drawn(_sampled().drawSeed, round, 3, 2);
        left = drawn == 6 ? 0 : drawn == 5 ? 1 : 2;
        (first, second) = left == 0 ? (1, 2) : left == 1 ? (0, 2) : (0, 1);
    }

    function _drawnRound(uint256 id_, uint128 payoutSum) private returns (uint16 left) {
        uint16 first;
        uint16 second;
        (first, second, left) = _cast(sessions.session(id_).round);
        _submit(id_, first);
        _submit(id_, second);
        sessions.close(id_, sessions.session(id_).round);
        _conclude(id_, payoutSum);
    }

    function test_ARoundClosesAsSoonAsAllDrawnSeatsHavePosted() public {
        ISessions.Session memory session = sessions.session(id);
        (uint16 first, uint16 second, uint16 left) = _cast(1);
        assertEq(session.expected, 2);
        assertEq(session.occupied, 3);
        _submit(id, first);
        _expectTooEarly(_epoch() + ROUND_PERIOD + 1);
        sessions.close(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatNotServing.selector, left));
        _submitIn(id, 1, left, runners[left]);
        _submit(id, second);
        sessions.close(id, 1);
    }

    function test_EveryRoundDrawsAnewAndNobodyIsLeftOutForEver() public {
        uint256 leftOut;
        for (uint128 round = 1; round <= 20; ++round) {
            leftOut |= 1 << _drawnRound(id, round * REWARD);
        }
        assertEq(leftOut, 7);
    }

    function test_WhoIsNotDrawnMissesNothing() public {
        (uint16 first, uint16 second, uint16 left) = _cast(1);
        _submit(id, first);
        _skip(ROUND_PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotForfeitable.selector, left));
        sessions.forfeit(id, left);
        sessions.forfeit(id, second);
        assertEq(sessions.session(id).expected, 1);
        assertEq(sessions.session(id).occupied, 2);
        assertEq(reputation.recordOf(runners[second]).missed, 1);
    }

    function test_AReopenedSeatTakesPartWhereItWasDrawn() public {
        (uint16 first, uint16 second,) = _cast(1);
        _submit(id, first);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, second);
        sessions.rollOver(id, 1);
        _claimSeat(id, second, runners[3]);
        assertEq(sessions.session(id).expected, 2);
        _submit(id, second, runners[3]);
        sessions.close(id, 1);
    }

    function test_AReopenedSeatThatWasNotDrawnWaitsForItsRound() public {
        (uint16 first, uint16 second,) = _cast(1);
        _submit(id, first);
        _submit(id, second);
        sessions.close(id, 1);
        _conclude(id, REWARD);
        // Somebody who is drawn for the second round loses the seat in it and another takes it after Training.
        (first, second,) = _cast(2);
        _submit(id, first);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, second);
        sessions.rollOver(id, 2);
        assertEq(sessions.session(id).expected, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.rollOver(id, 2);
        assertEq(sessions.session(id).round, 3);
        uint256 serving = 7 ^ (1 << second);
        assertEq(sessions.session(id).expected, Draw.size(Draw.drawn(_sampled().drawSeed, 3, 3, 2) & serving));
    }

    function test_AWholeCohortIsNoDraw(uint64 seed, uint16 round) public pure {
        assertEq(Draw.drawn(seed, round, 3, 3), 7);
        assertEq(Draw.drawn(seed, round, 256, 256), type(uint256).max);
    }

    function test_ADrawHasTheSizeAskedFor(uint64 seed, uint16 round, uint16 seats, uint16 count) public pure {
        seats = uint16(bound(seats, 1, 256));
        count = uint16(bound(count, 1, seats));
        uint256 drawn = Draw.drawn(seed, round, seats, count);
        assertEq(Draw.size(drawn), count);
        if (seats < 256) assertEq(drawn >> seats, 0);
    }

    /// @dev 3 of 10 seats in 2,000 rounds: each is drawn 600 times, with a standard deviation of 20.
    function test_EverySeatIsDrawnAsOftenAsAnyOther() public pure {
        uint256[10] memory times;
        for (uint16 round = 1; round <= 2_000; ++round) {
            uint256 drawn = Draw.drawn(11, round, 10, 3);
            for (uint256 seat = 0; seat < 10; ++seat) {
                times[seat] += (drawn >> seat) & 1;
            }
        }
        for (uint256 seat = 0; seat < 10; ++seat) {
            assertApproxEqAbs(times[seat], 600, 100);
        }
    }
}
