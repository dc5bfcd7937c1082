// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsRollOverTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_ARolledOverRoundKeepsItsUpdates() public {
        _submit(id, 0);
        bytes32 accumulator = sessions.session(id).accumulator;
        _skip(ROUND_PERIOD + 1);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundRolledOver(id, 1, 1, _epoch() + ROUND_PERIOD);
        vm.prank(stranger);
        sessions.rollOver(id, 1);

        ISessions.Session memory session = sessions.session(id);
        assertEq(session.round, 1);
        assertEq(session.rollovers, 1);
        assertEq(session.posted, 1);
        assertEq(session.accumulator, accumulator);
        _submit(id, 1);
        _submit(id, 2);
        sessions.close(id, 1);
    }

    function test_AfterTheLastRolloverTheRoundIsVoid() public {
        _skip(ROUND_PERIOD + 1);
        sessions.rollOver(id, 1);
        _skip(ROUND_PERIOD + 1);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundVoided(id, 1);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundStarted(id, 2, _epoch() + ROUND_PERIOD);
        sessions.rollOver(id, 1);
        assertEq(sessions.session(id).rollovers, 0);
        assertEq(sessions.session(id).finalRounds, 0);
        assertEq(sessions.aggregateOf(id, 1), 0);
    }

    function test_TheLastVoidRoundEndsTheSession() public {
        for (uint16 round = 1; round <= 3; ++round) {
            _skip(ROUND_PERIOD + 1);
            sessions.rollOver(id, round);
            _skip(ROUND_PERIOD + 1);
            sessions.rollOver(id, round);
        }
        _expectState(id, ISessions.State.Completed);
        assertEq(escrow.credit(requester), sessions.budgetOf(_terms()));
    }

    function test_BeforeTheDeadlineItIsRefused() public {
        _skip(ROUND_PERIOD);
        _expectTooEarly(_epoch() + 1);
        sessions.rollOver(id, 1);
    }

    function test_WithAQuorumItIsRefused() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_QuorumReached.selector, 2, 2));
        sessions.rollOver(id, 1);
    }
}
