// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../src/interfaces/IReputation.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract ReputationRecordTest is NetworkTest {
    address private operator = makeAddr("operator");

    function test_EveryoneStartsNeutral() public view {
        IReputation.Record memory record = reputation.recordOf(operator);
        assertEq(record.score, 500);
        assertEq(record.updatedAt, 0);
        assertEq(reputation.score(operator), 500);
    }

    function test_FinishedRoundsRaiseAndMissedRoundsLower() public {
        vm.startPrank(recorder);
        vm.expectEmit(address(reputation));
        emit IReputation.ReputationChanged(operator, 515, 3, 0);
        reputation.record(operator, 3, 0);
        reputation.record(operator, 0, 2);

        IReputation.Record memory record = reputation.recordOf(operator);
        assertEq(record.score, 465);
        assertEq(record.finished, 3);
        assertEq(record.missed, 2);
        assertEq(record.updatedAt, _epoch());
    }

    function test_AMissShowsAlsoAtTheCeiling() public {
        vm.startPrank(recorder);
        reputation.record(operator, 1_000, 0);
        assertEq(reputation.score(operator), 1_000);
        reputation.record(operator, 1_000, 1);
        assertEq(reputation.score(operator), 975);
    }

    function test_TheScoreStaysWithinItsBounds(uint16[8] calldata finished, uint16[8] calldata missed) public {
        vm.startPrank(recorder);
        uint256 score = 500;
        for (uint256 i = 0; i < 8; ++i) {
            reputation.record(operator, finished[i], missed[i]);
            uint256 raised = score + 5 * uint256(finished[i]);
            if (raised > 1_000) raised = 1_000;
            uint256 lowered = 25 * uint256(missed[i]);
            score = lowered < raised ? raised - lowered : 0;
            assertEq(reputation.score(operator), score);
        }
    }

    function test_AScoreOfZeroIsNotNeutralAgain() public {
        vm.prank(recorder);
        reputation.record(operator, 0, 20);
        assertEq(reputation.score(operator), 0);
    }

    function test_CountersSaturateInsteadOfBlocking() public {
        bytes32 slot = keccak256(abi.encode(operator, uint256(0)));
        uint256 packed =
            500 | (uint256(type(uint32).max) << 16) | (uint256(type(uint32).max) << 48) | (uint256(1) << 80);
        vm.store(address(reputation), slot, bytes32(packed));
        vm.prank(recorder);
        reputation.record(operator, 1, 1);

        IReputation.Record memory record = reputation.recordOf(operator);
        assertEq(record.finished, type(uint32).max);
        assertEq(record.missed, type(uint32).max);
        assertEq(record.score, 480);
    }

    function test_OnlyARecorderMayRecord(address caller) public {
        vm.assume(caller != recorder && caller != address(sessions));
        vm.expectRevert(abi.encodeWithSelector(IReputation.Reputation_NotRecorder.selector, caller));
        vm.prank(caller);
        reputation.record(operator, 1, 0);
    }
}
