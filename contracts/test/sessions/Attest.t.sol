// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsAttestTest is SessionTest {
    uint256 private id;
    bytes32 private hash;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
        _close(id);
        _propose(id, REWARD);
        hash = _proposalHash(id);
    }

    function _attestWith(address keeper, bytes32 proposalHash) private {
        vm.prank(keeper);
        sessions.attest(id, 1, proposalHash);
    }

    function test_AgreementIsCounted() public {
        vm.expectEmit(address(sessions));
        emit ISessions.RoundAttested(id, 1, keepers[1], 2);
        _attestWith(keepers[1], hash);
        assertEq(sessions.proposal(id).attested, 2);
        assertTrue(sessions.hasAttested(id, 1, keepers[1]));
    }

    function test_NobodyAgreesTwiceNorTheProposerWithItself() public {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadyAttested.selector, keepers[0]));
        _attestWith(keepers[0], hash);
        _attestWith(keepers[1], hash);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_AlreadyAttested.selector, keepers[1]));
        _attestWith(keepers[1], hash);
    }

    function test_AnotherResultIsNoAgreement(bytes32 other) public {
        vm.assume(other != hash);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_ProposalMismatch.selector, hash, other));
        _attestWith(keepers[1], other);
    }

    function test_TheReportIsNotPartOfTheAgreement() public view {
        assertEq(
            hash,
            keccak256(
                abi.encode(
                    id,
                    uint16(1),
                    _aggregate(id, 1),
                    keccak256("updates"),
                    sessions.proposal(id).payoutsRoot,
                    uint128(REWARD),
                    false
                )
            )
        );
    }

    function test_AKeeperNeedsItsBond() public {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_InsufficientStake.selector, STAKE, 0));
        _attestWith(stranger, hash);
    }

    function test_AfterTheDeadlineItIsRefused() public {
        _skip(PROPOSE_PERIOD + 1);
        _expectDeadlinePassed(_epoch() - 1);
        _attestWith(keepers[1], hash);
    }

    function test_WithoutAProposalItIsRefused() public {
        _skip(PROPOSE_PERIOD + 1);
        sessions.voidRound(id, 1);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongRound.selector, 2, 1));
        _attestWith(keepers[1], hash);
        _expectWrongPhase(ISessions.Phase.Proposed, ISessions.Phase.Training);
        vm.prank(keepers[1]);
        sessions.attest(id, 2, hash);
        assertEq(sessions.proposal(id).proposer, address(0), "no stale proposal");
    }
}
