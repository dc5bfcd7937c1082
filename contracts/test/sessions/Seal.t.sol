// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsSealTest is SessionTest {
    bytes32 private constant SHARD = keccak256("shard");
    uint16[] private seats;
    address[] private holders;
    bytes32[] private shards;

    function _list(uint16 seat, address holder, bytes32 shard) private {
        seats.push(seat);
        holders.push(holder);
        shards.push(shard);
    }

    function _sealAll(uint256 id) private {
        vm.prank(requester);
        sessions.sealShards(id, seats, holders, shards);
    }

    function test_SealedSeatsServe() public {
        uint256 id = _create(_uploadedTerms());
        _claimSeat(id, 0);
        _claimSeat(id, 1);
        _list(0, runners[0], SHARD);
        _list(1, runners[1], keccak256("other"));
        vm.expectEmit(address(sessions));
        emit ISessions.SeatSealed(id, 0, runners[0], SHARD);
        _sealAll(id);
        assertEq(sessions.seat(id, 0).shard, SHARD);
        assertEq(sessions.seat(id, 0).joinedRound, 1);
        assertEq(sessions.session(id).occupied, 2);
    }

    function test_AnOpenSessionCanBeSealedUntilSomebodyExpiresIt() public {
        uint256 id = _create(_uploadedTerms());
        for (uint16 i = 0; i < 3; ++i) {
            _claimSeat(id, i);
            _list(i, runners[i], SHARD);
        }
        _skip(OPEN_PERIOD + 1);
        _sealAll(id);
        sessions.start(id);
    }

    function test_DuringTrainingItServesAtOnceElseFromTheNextRound() public {
        uint256 id = _started(_uploadedTerms());
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 1);
        sessions.forfeit(id, 2);
        sessions.rollOver(id, 1);
        _claimSeat(id, 1, runners[3]);
        _seal(id, 1, runners[3]);
        assertEq(sessions.seat(id, 1).joinedRound, 1);
        assertEq(sessions.session(id).occupied, 2);
        _submit(id, 1, runners[3]);
        sessions.close(id, 1);

        _claimSeat(id, 2, runners[1]);
        _seal(id, 2, runners[1]);
        assertEq(sessions.seat(id, 2).joinedRound, 2);
        assertEq(sessions.session(id).occupied, 2);
        _conclude(id, REWARD);
        assertEq(sessions.session(id).occupied, 3);
    }

    function test_PastTheDeadlineOfTrainingTheRoundIsSettledFirst() public {
        uint256 id = _started(_uploadedTerms());
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        sessions.rollOver(id, 1);
        _claimSeat(id, 2, runners[3]);
        _skip(ROUND_PERIOD + 1);
        _list(2, runners[3], SHARD);
        _expectDeadlinePassed(_epoch() - 1);
        _sealAll(id);
    }

    function test_AnUnsealedHolderIsNotAtFault() public {
        uint256 id = _started(_uploadedTerms());
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        sessions.rollOver(id, 1);
        _claimSeat(id, 2, runners[3]);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatNotServing.selector, 2));
        _submitIn(id, 1, 2, runners[3]);
        _skip(ROUND_PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotForfeitable.selector, 2));
        sessions.forfeit(id, 2);
    }

    function test_ASeatIsSealedOncePerHolder() public {
        uint256 id = _create(_uploadedTerms());
        _claimSeat(id, 0);
        _list(0, runners[0], SHARD);
        _sealAll(id);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadySealed.selector, 0));
        _sealAll(id);
    }

    function test_TheHolderMustStillBeTheOneItWasSealedFor() public {
        uint256 id = _create(_uploadedTerms());
        _claimSeat(id, 0);
        _list(0, runners[1], SHARD);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotSeatHolder.selector, runners[1], runners[0]));
        _sealAll(id);
    }

    function test_AnEmptySeatIsRefused() public {
        uint256 id = _create(_uploadedTerms());
        _list(0, address(0), SHARD);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatEmpty.selector, 0));
        _sealAll(id);
    }

    function test_ADigestIsNeeded() public {
        uint256 id = _create(_uploadedTerms());
        _claimSeat(id, 0);
        _list(0, runners[0], 0);
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        _sealAll(id);
    }

    function test_ListsMustMatch() public {
        uint256 id = _create(_uploadedTerms());
        seats.push(0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_LengthMismatch.selector, 1, 0));
        _sealAll(id);
        holders.push(runners[0]);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_LengthMismatch.selector, 1, 0));
        _sealAll(id);
    }

    function test_OnlyTheRequesterSeals() public {
        uint256 id = _create(_uploadedTerms());
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotRequester.selector, requester, stranger));
        vm.prank(stranger);
        sessions.sealShards(id, seats, holders, shards);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotRequester.selector, requester, stranger));
        vm.prank(stranger);
        sessions.sealHoldout(id, holders, shards);
    }

    function test_PrivateSessionsHaveNoShards() public {
        uint256 id = _create(_terms());
        vm.expectRevert(
            abi.encodeWithSelector(
                ISessions.Sessions_WrongDataMode.selector, ISessions.DataMode.Uploaded, ISessions.DataMode.Private
            )
        );
        _sealAll(id);
    }

    function test_HoldoutsAreSealedToKeepers() public {
        uint256 id = _create(_uploadedTerms());
        holders.push(keepers[0]);
        shards.push(SHARD);
        vm.expectEmit(address(sessions));
        emit ISessions.HoldoutSealed(id, keepers[0], SHARD);
        vm.prank(requester);
        sessions.sealHoldout(id, holders, shards);
        assertEq(sessions.holdoutOf(id, keepers[0]), SHARD);
        assertEq(sessions.holdoutOf(id, keepers[1]), 0);

        shards[0] = keccak256("again");
        vm.prank(requester);
        sessions.sealHoldout(id, holders, shards);
        assertEq(sessions.holdoutOf(id, keepers[0]), shards[0]);

        shards[0] = 0;
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        vm.prank(requester);
        sessions.sealHoldout(id, holders, shards);
        shards.push(SHARD);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_LengthMismatch.selector, 1, 2));
        vm.prank(requester);
        sessions.sealHoldout(id, holders, shards);
    }

    function test_AfterTheEndNothingIsSealed() public {
        uint256 id = _create(_uploadedTerms());
        vm.startPrank(requester);
        sessions.cancel(id);
        _expectWrongState(ISessions.State.Active, ISessions.State.Cancelled);
        sessions.sealShards(id, seats, holders, shards);
        _expectWrongState(ISessions.State.Active, ISessions.State.Cancelled);
        sessions.sealHoldout(id, holders, shards);
    }
}
