// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsVoidRoundTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_WithoutAProposalTheRoundIsVoid() public {
        _close(id);
        _expectTooEarly(_epoch() + PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        _skip(PROPOSE_PERIOD + 1);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundVoided(id, 1);
        vm.prank(stranger);
        sessions.voidRound(id, 1);
        assertEq(sessions.session(id).round, 2);
        assertEq(sessions.session(id).finalRounds, 0);
        assertEq(sessions.session(id).committed, 0);
    }

    function test_WithoutEnoughAttestationsTheRoundIsVoid() public {
        _close(id);
        _propose(id, REWARD);
        _expectTooEarly(_epoch() + PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        assertEq(sessions.aggregateOf(id, 1), 0);
    }

    function test_WhileTrainingItIsRefused() public {
        _skip(ROUND_PERIOD + 1);
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Training);
        sessions.voidRound(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongRound.selector, 1, 2));
        sessions.voidRound(id, 2);
    }

    function test_AVoidRoundCountsForNobody() public {
        _round(id, REWARD);
        _close(id);
        assertEq(sessions.seat(id, 0).finished, 2, "it may still become final");
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 2);
        assertEq(sessions.seat(id, 0).finished, 1);
        _submit(id, 0);
        assertEq(sessions.seat(id, 0).finished, 2);
        _submit(id, 1);
        _submit(id, 2);
        sessions.close(id, 3);
        _conclude(id, 2 * REWARD);
        assertEq(sessions.seat(id, 0).finished, 2);
        assertEq(sessions.session(id).finalRounds, 2);
    }

    /// @dev Seat 2 posts in final round 1, misses final round 2, posts in round 3: two of three.
    function test_AMissedFinalRoundIsNotCounted() public {
        _round(id, REWARD);
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 2);
        _conclude(id, 2 * REWARD);
        _round(id, 3 * REWARD);
        assertEq(sessions.seat(id, 0).finished, 3);
        assertEq(sessions.seat(id, 2).finished, 2);
    }

    /// @dev Seat 2 posts in void round 1, misses final round 2, posts in round 3.
    function test_AVoidRoundBeforeAFinalOneIsNotCountedLater() public {
        _close(id);
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 2);
        _conclude(id, REWARD);
        _round(id, 2 * REWARD);
        assertEq(sessions.seat(id, 0).finished, 2);
        assertEq(sessions.seat(id, 2).finished, 1);
    }

    function test_TheLastVoidRoundEndsTheSession() public {
        _round(id, REWARD);
        _round(id, 2 * REWARD);
        _close(id);
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 3);
        _expectState(id, ISessions.State.Completed);
        assertEq(sessions.session(id).model, _aggregate(id, 2));
        assertEq(sessions.seat(id, 0).finished, 2);
        assertEq(escrow.credit(requester), sessions.budgetOf(_terms()) - 2 * REWARD);
    }
}
