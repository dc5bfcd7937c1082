// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SumTree} from "../support/SumTree.sol";
import {SessionTest} from "../support/SessionTest.sol";

/// @title Sessions that end when their target is reached.
contract SessionsTargetTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_targeted());
    }

    function _targeted() private pure returns (ISessions.Terms memory terms) {
        terms = _terms();
        terms.targeted = true;
    }

    function _reach(uint128 payoutSum) private {
        (bytes32 root,) = SumTree.root(_leaves(payoutSum));
        _proposeIn(id, sessions.session(id).round, root, payoutSum, true);
    }

    function test_ARoundThatReachesTheTargetCompletesTheSession() public {
        _round(id, REWARD);
        _close(id);
        uint128 earned = 2 * (REWARD + KEEPER_FEE) - KEEPER_FEE + BONUS;
        _reach(earned);
        assertTrue(sessions.proposal(id).reached);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        uint128 refund = sessions.budgetOf(_targeted()) - earned;
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCompleted(id, _aggregate(id, 2), refund);
        sessions.finalize(id, 2);

        _expectState(id, ISessions.State.Completed);
        assertEq(sessions.session(id).finalRounds, 2);
        escrow.withdraw(requester);
        assertEq(usdfc.balanceOf(requester), refund);
        for (uint256 i = 0; i < 3; ++i) {
            escrow.claim(_claimOf(id, earned, i));
        }
        assertEq(usdfc.balanceOf(address(escrow)), 0, "every base unit has left");
        sessions.settleSeat(id, 0);
        assertEq(reputation.recordOf(runners[0]).finished, 2);
    }

    function test_TheBonusIsPayableInTheRoundThatReachesTheTarget() public {
        _close(id);
        uint128 most = REWARD + KEEPER_FEE + BONUS;
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_PayoutTooHigh.selector, most, most + 1));
        _proposeIn(id, 1, keccak256("root"), most + 1, true);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_PayoutTooHigh.selector, most - BONUS, most));
        _proposeIn(id, 1, keccak256("root"), most, false);
        _proposeIn(id, 1, keccak256("root"), most, true);
    }

    function test_WithoutATargetNoneIsReached() public {
        id = _started(_terms());
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NoTarget.selector, id));
        _proposeIn(id, 1, keccak256("root"), REWARD, true);
    }

    function test_WhoAttestsAgreesThatTheTargetIsReached() public {
        _close(id);
        _reach(REWARD);
        ISessions.Proposal memory p = sessions.proposal(id);
        bytes32 other = keccak256(abi.encode(id, 1, p.aggregate, p.updatesRoot, p.payoutsRoot, p.payoutSum, false));
        bytes32 expected = _proposalHash(id);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_ProposalMismatch.selector, expected, other));
        vm.prank(keepers[1]);
        sessions.attest(id, 1, other);
        _attest(id, keepers[1]);
    }

    function test_AClaimThatNobodySharesEndsNothing() public {
        _close(id);
        _reach(REWARD);
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        _expectState(id, ISessions.State.Active);
        // The next round is a round like any other.
        _round(id, REWARD);
        assertEq(sessions.session(id).round, 3);
    }

    function test_WhoCancelledMeanwhileHasACancelledSession() public {
        _close(id);
        _reach(REWARD);
        vm.prank(requester);
        sessions.cancel(id);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        sessions.finalize(id, 1);
        _expectState(id, ISessions.State.Cancelled);
    }
}
