// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsClaimSeatTest is SessionTest {
    function test_WhileOpenTheHolderServesFromTheFirstRound() public {
        uint256 id = _create(_terms());
        vm.expectEmit(address(sessions));
        emit ISessions.SeatClaimed(id, 1, runners[0], _key(runners[0]));
        _claimSeat(id, 1, runners[0]);

        ISessions.Seat memory seat = sessions.seat(id, 1);
        assertEq(seat.operator, runners[0]);
        assertEq(seat.key, _key(runners[0]));
        assertEq(seat.joinedRound, 1);
        assertEq(sessions.session(id).claimed, 1);
        assertEq(sessions.session(id).occupied, 1);
        assertEq(abi.encode(sessions.seatsOf(id)[1]), abi.encode(seat));
        assertEq(sessions.seatsOf(id)[0].operator, address(0));
    }

    function test_AnUploadedSeatServesOnlyOnceSealed() public {
        uint256 id = _create(_uploadedTerms());
        _claimSeat(id, 0);
        assertEq(sessions.seat(id, 0).joinedRound, 0);
        assertEq(sessions.session(id).occupied, 0);
        assertEq(sessions.session(id).claimed, 1);
    }

    function test_ASeatIsTakenOnce() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatTaken.selector, 0, runners[0]));
        _claimSeat(id, 0, runners[1]);
    }

    function test_AnOperatorHoldsOneSeatOfASession() public {
        uint256 id = _create(_terms());
        _claimSeat(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadySeated.selector, runners[0]));
        _claimSeat(id, 1, runners[0]);
        _claimSeat(_create(_terms()), 1, runners[0]);
    }

    function test_ASeatOutOfRangeIsRefused() public {
        uint256 id = _create(_terms());
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatOutOfRange.selector, 3, 3));
        _claimSeat(id, 3, runners[0]);
    }

    function test_AKeyIsNeeded() public {
        uint256 id = _create(_terms());
        vm.expectRevert(ISessions.Sessions_ZeroKey.selector);
        vm.prank(runners[0]);
        sessions.claimSeat(id, 0, 0);
    }

    function test_AnUnknownSessionIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_UnknownSession.selector, 9));
        _claimSeat(9, 0, runners[0]);
    }

    function test_WhoIsNotCapableIsRefused() public {
        ISessions.Terms memory terms = _terms();
        terms.capabilities = 4;
        uint256 id = _create(terms);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotCapable.selector, runners[0], 4));
        _claimSeat(id, 0);
    }

    function test_WhoIsNotRegisteredIsRefused() public {
        ISessions.Terms memory terms = _terms();
        terms.capabilities = 0;
        uint256 id = _create(terms);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotCapable.selector, stranger, 0));
        _claimSeat(id, 0, stranger);
    }

    function test_TooLittleStakeIsRefused() public {
        uint256 id = _create(_terms());
        vm.prank(runners[0]);
        stakes.requestUnbond(1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_InsufficientStake.selector, STAKE, STAKE - 1));
        _claimSeat(id, 0);
    }

    function test_NoStakeIsNeededWhereNoneIsAsked() public {
        ISessions.Terms memory terms = _terms();
        terms.minStake = 0;
        uint256 id = _create(terms);
        vm.prank(runners[0]);
        stakes.requestUnbond(STAKE);
        _claimSeat(id, 0);
    }

    function test_TooLittleReputationIsRefused() public {
        ISessions.Terms memory terms = _terms();
        terms.minReputation = 500;
        uint256 id = _create(terms);
        _claimSeat(id, 0);
        vm.prank(recorder);
        reputation.record(runners[1], 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_InsufficientReputation.selector, 500, 475));
        _claimSeat(id, 1);
    }

    function test_AfterTheOpenPeriodNobodyClaims() public {
        uint256 id = _create(_terms());
        _skip(OPEN_PERIOD);
        _claimSeat(id, 0);
        _skip(1);
        _expectDeadlinePassed(_epoch() - 1);
        _claimSeat(id, 1);
    }

    function test_AReopenedSeatServesInTheCurrentRoundWhileItTrains() public {
        uint256 id = _withEmptySeat();
        sessions.rollOver(id, 1);
        _claimSeat(id, 2, runners[3]);
        assertEq(sessions.seat(id, 2).joinedRound, 1);
        assertEq(sessions.session(id).occupied, 3);
        _submit(id, 2, runners[3]);
    }

    function test_PastTheDeadlineOfTrainingTheRoundIsSettledFirst() public {
        uint256 id = _withEmptySeat();
        _expectDeadlinePassed(_epoch() - 1);
        _claimSeat(id, 2, runners[3]);
    }

    function test_AReopenedSeatServesFromTheNextRoundOtherwise() public {
        uint256 id = _started(_terms());
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        _claimSeat(id, 2, runners[3]);
        assertEq(sessions.seat(id, 2).joinedRound, 2);
        assertEq(sessions.session(id).occupied, 2);
        assertEq(sessions.session(id).claimed, 3);

        _conclude(id, REWARD);
        assertEq(sessions.session(id).occupied, 3);
        _submit(id, 0);
        _submit(id, 1);
        _submit(id, 2, runners[3]);
        sessions.close(id, 2);
        _conclude(id, 2 * REWARD);
        assertEq(sessions.session(id).occupied, 3, "nobody joins twice");
    }

    function test_AReopenedUploadedSeatShowsNoStaleShard() public {
        uint256 id = _started(_uploadedTerms());
        assertNotEq(sessions.seat(id, 2).shard, 0);
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        assertEq(abi.encode(sessions.seat(id, 2)), abi.encode(_noSeat()));
        _claimSeat(id, 2, runners[3]);
        assertEq(sessions.seat(id, 2).shard, 0);
        assertEq(sessions.seat(id, 2).key, _key(runners[3]));
    }

    function test_WhereNoRoundFollowsNobodyJoins() public {
        ISessions.Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 id = _started(terms);
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        _expectWrongPhase(ISessions.Phase.Training, ISessions.Phase.Closed);
        _claimSeat(id, 2, runners[3]);
    }

    function test_WhereTheRequesterCancelledNobodyJoinsTheNextRound() public {
        uint256 id = _started(_terms());
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        vm.prank(requester);
        sessions.cancel(id);
        _expectWrongPhase(ISessions.Phase.Training, ISessions.Phase.Closed);
        _claimSeat(id, 2, runners[3]);
    }

    function test_AfterTheEndNobodyJoins() public {
        uint256 id = _create(_terms());
        vm.prank(requester);
        sessions.cancel(id);
        _expectWrongState(ISessions.State.Active, ISessions.State.Cancelled);
        _claimSeat(id, 0);
    }

    /// @dev One of three posted, the deadline of round 1 has just passed, seat 2 was forfeited.
    function _withEmptySeat() private returns (uint256 id) {
        id = _started(_terms());
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
    }

    function _noSeat() private pure returns (ISessions.Seat memory empty) {}
}
