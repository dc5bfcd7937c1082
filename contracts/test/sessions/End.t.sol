// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

/// @title cancel, expire and settleSeat: how sessions end.
contract SessionsEndTest is SessionTest {
    function test_AnOpenSessionCancelsAtOnceWithAFullRefund() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        uint128 budget = sessions.budgetOf(_terms());
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCancelled(id, 0, budget);
        vm.prank(requester);
        sessions.cancel(id);
        _expectState(id, ISessions.State.Cancelled);
        assertEq(escrow.credit(requester), budget);
    }

    function test_AnActiveSessionEndsAfterTheCurrentRound() public {
        uint256 id = _started(_terms());
        _submit(id, 0);
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCancelling(id, 1);
        vm.prank(requester);
        sessions.cancel(id);
        assertTrue(sessions.session(id).cancelling);
        _expectState(id, ISessions.State.Active);

        _submit(id, 1);
        _submit(id, 2);
        sessions.close(id, 1);
        _propose(id, REWARD);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCancelled(id, _aggregate(id, 1), sessions.budgetOf(_terms()) - REWARD);
        sessions.finalize(id, 1);
        _expectState(id, ISessions.State.Cancelled);
        escrow.claim(_claimOf(id, REWARD, 0));
    }

    function test_ACancelledRoundMayBeVoidToo() public {
        uint256 id = _started(_terms());
        vm.prank(requester);
        sessions.cancel(id);
        _skip(ROUND_PERIOD + 1);
        sessions.rollOver(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.rollOver(id, 1);
        _expectState(id, ISessions.State.Cancelled);
        assertEq(escrow.credit(requester), sessions.budgetOf(_terms()));
    }

    function test_CancellingAgainChangesNothing() public {
        uint256 id = _started(_terms());
        vm.startPrank(requester);
        sessions.cancel(id);
        vm.recordLogs();
        sessions.cancel(id);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_OnlyTheRequesterCancels() public {
        uint256 id = _create(_terms());
        bytes memory refusal = abi.encodeWithSelector(ISessions.Sessions_NotRequester.selector, requester, stranger);
        vm.expectRevert(refusal);
        vm.prank(stranger);
        sessions.cancel(id);
        uint256 active = _started(_terms());
        vm.expectRevert(refusal);
        vm.prank(stranger);
        sessions.cancel(active);
    }

    function test_AnEndedSessionIsNotCancelled() public {
        uint256 id = _create(_terms());
        vm.startPrank(requester);
        sessions.cancel(id);
        _expectWrongState(ISessions.State.Active, ISessions.State.Cancelled);
        sessions.cancel(id);
    }

    function test_WhoeverFindsAnOpenSessionLateExpiresIt() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        _expectTooEarly(_epoch() + OPEN_PERIOD + 1);
        sessions.expire(id);
        _skip(OPEN_PERIOD + 1);
        uint128 budget = sessions.budgetOf(_terms());
        vm.expectEmit(address(sessions));
        emit ISessions.SessionExpired(id, budget);
        vm.prank(stranger);
        sessions.expire(id);
        _expectState(id, ISessions.State.Expired);
        assertEq(escrow.credit(requester), budget);
    }

    function test_AnActiveSessionDoesNotExpire() public {
        uint256 id = _started(_terms());
        _skip(1_000);
        _expectWrongState(ISessions.State.Open, ISessions.State.Active);
        sessions.expire(id);
    }

    function test_SettlingRecordsFinishedRoundsOnce() public {
        uint256 id = _started(_terms());
        for (uint128 round = 1; round <= 3; ++round) {
            _round(id, round * REWARD);
        }
        vm.expectEmit(address(sessions));
        emit ISessions.SeatSettled(id, 1, runners[1], 3, 0);
        sessions.settleSeat(id, 1);
        assertEq(reputation.recordOf(runners[1]).finished, 3);
        assertEq(reputation.score(runners[1]), 515);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NothingToSettle.selector, 1));
        sessions.settleSeat(id, 1);
    }

    function test_WhoFinishedNothingHasNothingToSettle() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        _skip(OPEN_PERIOD + 1);
        sessions.expire(id);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NothingToSettle.selector, 0));
        sessions.settleSeat(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatEmpty.selector, 1));
        sessions.settleSeat(id, 1);
    }

    function test_BeforeTheEndNothingIsSettled() public {
        uint256 id = _started(_terms());
        _expectWrongState(ISessions.State.Completed, ISessions.State.Active);
        sessions.settleSeat(id, 0);
    }
}
