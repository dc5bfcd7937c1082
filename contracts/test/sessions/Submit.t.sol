// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsSubmitTest is SessionTest {
    bytes32 private constant DIGEST = keccak256("update");
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_AnUpdateIsFoldedIntoTheAccumulator(bytes32[3] memory digests, uint64[3] memory samples) public {
        bytes32 accumulator;
        for (uint16 i = 0; i < 3; ++i) {
            if (digests[i] == 0) digests[i] = DIGEST;
            if (samples[i] == 0) samples[i] = 1;
            vm.expectEmit(address(sessions));
            emit ISessions.UpdateSubmitted(id, 1, runners[i], i, digests[i], samples[i]);
            vm.prank(runners[i]);
            sessions.submitUpdate(id, 1, i, digests[i], samples[i]);
            accumulator = keccak256(abi.encodePacked(accumulator, runners[i], digests[i], samples[i]));
            assertEq(sessions.session(id).accumulator, accumulator);
            assertEq(sessions.session(id).posted, i + 1);
        }
        assertEq(sessions.seat(id, 0).lastRound, 1);
        assertEq(sessions.seat(id, 0).finished, 1);
    }

    function test_TheAccumulatorStartsAnewEveryRound() public {
        _round(id, REWARD);
        assertEq(sessions.session(id).accumulator, 0);
        _submit(id, 1);
        assertEq(
            sessions.session(id).accumulator,
            keccak256(abi.encodePacked(bytes32(0), runners[1], _digest(id, 2, runners[1]), uint64(100)))
        );
    }

    function test_ASeatPostsOnceARound() public {
        _submit(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadyPosted.selector, 0, 1));
        _submitIn(id, 1, 0, runners[0]);
    }

    function test_OnlyTheHolderPosts() public {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotSeatHolder.selector, runners[0], runners[1]));
        _submitIn(id, 1, 0, runners[1]);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotSeatHolder.selector, address(0), runners[1]));
        _submitIn(id, 1, 300, runners[1]);
    }

    function test_ADigestAndSamplesAreNeeded() public {
        vm.startPrank(runners[0]);
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        sessions.submitUpdate(id, 1, 0, 0, 1);
        vm.expectRevert(ISessions.Sessions_ZeroSamples.selector);
        sessions.submitUpdate(id, 1, 0, DIGEST, 0);
    }

    function test_TheDeadlineIsTheLastEpoch() public {
        _skip(ROUND_PERIOD);
        _submit(id, 0);
        _skip(1);
        _expectDeadlinePassed(_epoch() - 1);
        _submitIn(id, 1, 1, runners[1]);
    }

    function test_OnlyTheCurrentRoundTakesUpdates(uint16 round) public {
        vm.assume(round != 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongRound.selector, 1, round));
        vm.prank(runners[0]);
        sessions.submitUpdate(id, round, 0, DIGEST, 1);
    }

    function test_AClosedRoundTakesNone() public {
        _close(id);
        _expectWrongPhase(ISessions.Phase.Training, ISessions.Phase.Closed);
        _submitIn(id, 1, 0, runners[0]);
    }

    function test_AnOpenSessionTakesNone() public {
        uint256 open = _create(_terms());
        _claimSeat(open, 0);
        _expectWrongState(ISessions.State.Active, ISessions.State.Open);
        _submitIn(open, 1, 0, runners[0]);
    }

    function test_WhoJoinsTheNextRoundWaits() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        _claimSeat(id, 2, runners[3]);
        _propose(id, REWARD);
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        _submit(id, 2, runners[3]);
    }
}
