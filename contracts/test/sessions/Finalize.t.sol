// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsFinalizeTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function test_AFinalRoundReleasesItsPayouts() public {
        _close(id);
        _propose(id, REWARD);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundFinalized(id, 1, _aggregate(id, 1), REWARD);
        vm.expectEmit(address(sessions));
        emit ISessions.RoundStarted(id, 2, _epoch() + ROUND_PERIOD);
        vm.prank(stranger);
        sessions.finalize(id, 1);

        ISessions.Session memory session = sessions.session(id);
        assertEq(session.round, 2);
        assertEq(session.finalRounds, 1);
        assertEq(session.committed, REWARD);
        assertEq(session.model, _aggregate(id, 1));
        assertEq(sessions.aggregateOf(id, 1), _aggregate(id, 1));
        assertEq(sessions.aggregateOf(id, 2), 0);
        escrow.claim(_claimOf(id, REWARD, 1));
        assertEq(usdfc.balanceOf(runners[1]), REWARD / 3);
    }

    function test_TheLastRoundCompletesTheSession() public {
        _round(id, REWARD);
        _round(id, 2 * REWARD);
        _close(id);
        _propose(id, 3 * REWARD);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        uint128 refund = sessions.budgetOf(_terms()) - 3 * REWARD;
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCompleted(id, _aggregate(id, 3), refund);
        sessions.finalize(id, 3);

        _expectState(id, ISessions.State.Completed);
        _expectPhase(id, ISessions.Phase.None);
        assertEq(sessions.session(id).finalRounds, 3);
        assertEq(sessions.seat(id, 0).finished, 3);
        escrow.withdraw(requester);
        assertEq(usdfc.balanceOf(requester), refund);
        for (uint256 i = 0; i < 3; ++i) {
            escrow.claim(_claimOf(id, 3 * REWARD, i));
        }
        assertEq(usdfc.balanceOf(address(escrow)), 0, "every base unit has left");
    }

    function test_ARoundThatPaysNothingCommitsNothing() public {
        _close(id);
        vm.prank(keepers[0]);
        sessions.propose(id, 1, keccak256("aggregate"), 0, 0, 0, false, 0);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        sessions.finalize(id, 1);
        assertEq(escrow.budget(address(sessions), id).root, 0);
    }

    function test_WithoutEnoughAttestationsItIsRefused() public {
        _close(id);
        _propose(id, REWARD);
        _skip(CHALLENGE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_QuorumMissed.selector, 2, 1));
        sessions.finalize(id, 1);
    }

    function test_InsideTheChallengeWindowItIsRefused() public {
        _close(id);
        _propose(id, REWARD);
        _attest(id, keepers[1]);
        uint40 from = _epoch() + CHALLENGE_WINDOW;
        _skip(CHALLENGE_WINDOW - 1);
        _expectTooEarly(from);
        sessions.finalize(id, 1);
        _skip(1);
        sessions.finalize(id, 1);
    }

    function test_AnAttestedRoundCanBeFinalisedHoweverLate() public {
        _close(id);
        _propose(id, REWARD);
        _attest(id, keepers[1]);
        _skip(1_000);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_QuorumReached.selector, 2, 2));
        sessions.voidRound(id, 1);
        sessions.finalize(id, 1);
    }

    function test_AFinalRoundIsFinalOnce() public {
        _round(id, REWARD);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongRound.selector, 2, 1));
        sessions.finalize(id, 1);
    }

    function test_AClosedRoundIsNotFinal() public {
        _close(id);
        _expectWrongPhase(ISessions.Phase.Proposed, ISessions.Phase.Closed);
        sessions.finalize(id, 1);
    }

    function test_TheFinalRootIsImmutable() public {
        for (uint128 round = 1; round <= 3; ++round) {
            _round(id, round * REWARD);
        }
        IEscrow.Budget memory budget = escrow.budget(address(sessions), id);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BudgetClosed.selector, id));
        vm.prank(address(sessions));
        escrow.commit(id, keccak256("other"), budget.committed);
    }
}
