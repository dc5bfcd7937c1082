// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsCloseTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_ARoundClosesAsSoonAsAllHavePosted() public {
        for (uint16 i = 0; i < 3; ++i) {
            _submit(id, i);
        }
        vm.expectEmit(address(sessions));
        emit ISessions.RoundClosed(id, 1, 3, sessions.session(id).accumulator, _epoch() + PROPOSE_PERIOD);
        vm.prank(stranger);
        sessions.close(id, 1);
        _expectPhase(id, ISessions.Phase.Closed);
        assertEq(sessions.session(id).deadline, _epoch() + PROPOSE_PERIOD);
    }

    function test_AfterTheDeadlineAQuorumIsEnough() public {
        _submit(id, 0);
        _submit(id, 1);
        _expectTooEarly(_epoch() + ROUND_PERIOD + 1);
        sessions.close(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        assertEq(sessions.session(id).posted, 2);
    }

    function test_WithoutAQuorumItStaysOpen() public {
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_QuorumMissed.selector, 2, 1));
        sessions.close(id, 1);
    }

    /// @dev One of one occupied seats posted, but the quorum is two.
    function test_AllOfTooFewIsNoQuorum() public {
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 1);
        sessions.forfeit(id, 2);
        sessions.rollOver(id, 1);
        assertEq(sessions.session(id).occupied, 1);
        _expectTooEarly(_epoch() + ROUND_PERIOD + 1);
        sessions.close(id, 1);
    }

    function test_ARoundClosesOnce() public {
        _close(id);
        _expectWrongPhase(ISessions.Phase.Training, ISessions.Phase.Closed);
        sessions.close(id, 1);
    }
}
