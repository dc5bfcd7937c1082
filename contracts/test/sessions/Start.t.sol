// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsStartTest is SessionTest {
    function test_AnyoneStartsAFullSession() public {
        uint256 id = _create(_terms());
        for (uint16 i = 0; i < 3; ++i) {
            _claimSeat(id, i);
        }
        vm.expectEmit(address(sessions));
        emit ISessions.SessionStarted(id);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundStarted(id, 1, _epoch() + ROUND_PERIOD);
        vm.prank(stranger);
        sessions.start(id);

        ISessions.Session memory session = sessions.session(id);
        assertEq(session.round, 1);
        assertEq(session.occupied, 3);
        assertEq(session.deadline, _epoch() + ROUND_PERIOD);
        _expectState(id, ISessions.State.Active);
        _expectPhase(id, ISessions.Phase.Training);
    }

    function test_EverySeatMustBeClaimed() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatsNotReady.selector, 3, 1));
        sessions.start(id);
    }

    function test_EveryUploadedSeatMustBeSealed() public {
        uint256 id = _create(_uploadedTerms());
        for (uint16 i = 0; i < 3; ++i) {
            _claimSeat(id, i);
        }
        _seal(id, 0, runners[0]);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatsNotReady.selector, 3, 1));
        sessions.start(id);
    }

    function test_ASessionStartsOnce() public {
        uint256 id = _started(_terms());
        _expectWrongState(ISessions.State.Open, ISessions.State.Active);
        sessions.start(id);
    }
}
