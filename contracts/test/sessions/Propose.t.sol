// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsProposeTest is SessionTest {
    bytes32 private constant ROOT = keccak256("root");
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_AProposalStandsForItsAttestations() public {
        _close(id);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundProposed(
            id, 1, keepers[0], _aggregate(id, 1), keccak256("updates"), ROOT, REWARD, false, keccak256("report")
        );
        _proposeIn(id, 1, ROOT, REWARD);

        ISessions.Proposal memory standing = sessions.proposal(id);
        assertEq(standing.proposer, keepers[0]);
        assertEq(standing.proposedAt, _epoch());
        assertEq(standing.attested, 1);
        assertEq(standing.payoutsRoot, ROOT);
        assertEq(standing.payoutSum, REWARD);
        assertEq(standing.report, keccak256("report"));
        assertTrue(sessions.hasAttested(id, 1, keepers[0]));
        assertFalse(sessions.hasAttested(id, 2, keepers[0]));
        assertFalse(sessions.hasAttested(id, 0, keepers[1]));
        _expectPhase(id, ISessions.Phase.Proposed);
        assertEq(sessions.session(id).deadline, _epoch() + PROPOSE_PERIOD);
    }

    function test_ThereIsOneProposalARound() public {
        _close(id);
        _propose(id, REWARD);
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Proposed);
        _proposeIn(id, 1, ROOT, REWARD);
    }

    function test_BeforeClosingAndInAnotherRoundItIsRefused() public {
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Training);
        _proposeIn(id, 1, ROOT, REWARD);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongRound.selector, 1, 2));
        _proposeIn(id, 2, ROOT, REWARD);
    }

    function test_AfterTheDeadlineItIsRefused() public {
        _close(id);
        _skip(PROPOSE_PERIOD + 1);
        _expectDeadlinePassed(_epoch() - 1);
        _proposeIn(id, 1, ROOT, REWARD);
    }

    function test_ARoundPaysAtMostItsRewardAndFee(uint128 sum) public {
        _close(id);
        sum = uint128(bound(sum, REWARD + KEEPER_FEE + 1, type(uint128).max));
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_PayoutTooHigh.selector, REWARD + KEEPER_FEE, sum));
        _proposeIn(id, 1, ROOT, sum);
        _proposeIn(id, 1, ROOT, REWARD + KEEPER_FEE);
    }

    function test_TheLastRoundPaysTheBonusToo() public {
        _round(id, REWARD);
        _round(id, REWARD);
        _close(id);
        uint128 most = 2 * REWARD + KEEPER_FEE + BONUS;
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_PayoutTooHigh.selector, most, most + 1));
        _proposeIn(id, 3, ROOT, most + 1);
        _proposeIn(id, 3, ROOT, most);
    }

    function test_PayoutsNeverFall() public {
        _round(id, REWARD);
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_PayoutDecreased.selector, REWARD, REWARD - 1));
        _proposeIn(id, 2, ROOT, REWARD - 1);
    }

    function test_AnAggregateAndARootForMoneyAreNeeded() public {
        _close(id);
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        _proposeIn(id, 1, 0, 1);
        vm.expectRevert(ISessions.Sessions_ZeroDigest.selector);
        vm.prank(keepers[0]);
        sessions.propose(id, 1, 0, 0, ROOT, 1, false, 0);
        vm.prank(keepers[0]);
        sessions.propose(id, 1, keccak256("aggregate"), 0, 0, 0, false, 0);
    }

    function test_AKeeperNeedsItsBond() public {
        _close(id);
        vm.prank(keepers[0]);
        stakes.requestUnbond(1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_InsufficientStake.selector, STAKE, STAKE - 1));
        _proposeIn(id, 1, ROOT, REWARD);
    }
}
