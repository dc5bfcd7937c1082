// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsUnmaskTest is SessionTest {
    bytes32 private constant SHARES = keccak256("shares");
    uint256 private id;

    function setUp() public override {
        super.setUp();
        ISessions.Terms memory terms = _terms();
        terms.unmasking = true;
        id = _started(terms);
    }

    function _share(uint16 seat) private {
        _share(seat, 1);
    }

    function _share(uint16 seat, uint16 round) private {
        vm.prank(runners[seat]);
        sessions.postShares(id, round, seat, SHARES);
    }

    function test_AClosedRoundIsUnmaskedFirst() public {
        _close(id);
        _expectPhase(id, ISessions.Phase.Unmasking);
        assertEq(sessions.session(id).deadline, _epoch() + UNMASK_PERIOD);
        vm.expectEmit(address(sessions));
        emit ISessions.SharesPosted(id, 1, runners[0], SHARES);
        _share(0);
        _expectTooEarly(_epoch() + UNMASK_PERIOD + 1);
        sessions.closeUnmasking(id, 1);
        _share(1);
        _share(2);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundUnmasked(id, 1, 3, _epoch() + PROPOSE_PERIOD);
        sessions.closeUnmasking(id, 1);
        _expectPhase(id, ISessions.Phase.Closed);
        _conclude(id, REWARD);
    }

    function test_AfterTheDeadlineItGoesOnWithoutTheRest() public {
        _close(id);
        _skip(UNMASK_PERIOD + 1);
        _expectDeadlinePassed(_epoch() - 1);
        _share(0);
        sessions.closeUnmasking(id, 1);
        _expectPhase(id, ISessions.Phase.Closed);
    }

    function test_SharesAreCountedAnewEveryRound() public {
        for (uint16 round = 1; round <= 2; ++round) {
            _close(id);
            for (uint16 i = 0; i < 3; ++i) {
                _share(i, round);
            }
            sessions.closeUnmasking(id, round);
            _conclude(id, REWARD * round);
        }
    }

    function test_SharesArePostedOnce() public {
        _close(id);
        _share(0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadyPosted.selector, 0, 1));
        _share(0);
    }

    function test_OnlySubmittersPostShares() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatNotServing.selector, 2));
        _share(2);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotSeatHolder.selector, runners[0], runners[2]));
        vm.prank(runners[2]);
        sessions.postShares(id, 1, 0, SHARES);
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        vm.prank(runners[0]);
        sessions.postShares(id, 1, 0, 0);
    }

    function test_OutsideUnmaskingItIsRefused() public {
        _expectWrongPhase(ISessions.Phase.Unmasking, ISessions.Phase.Training);
        _share(0);
        _expectWrongPhase(ISessions.Phase.Unmasking, ISessions.Phase.Training);
        sessions.closeUnmasking(id, 1);
        _close(id);
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Unmasking);
        sessions.voidRound(id, 1);
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Unmasking);
        _proposeIn(id, 1, keccak256("root"), REWARD);
    }
}
