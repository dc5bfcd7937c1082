// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowCommitTest is EscrowTest {
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public override {
        super.setUp();
        _open();
    }

    function test_CommitReplacesTheRoot(uint128 first, uint128 second) public {
        first = uint128(bound(first, 0, BUDGET));
        second = uint128(bound(second, first, BUDGET));
        vm.startPrank(controller);
        escrow.commit(ID, ROOT, first);
        vm.expectEmit(address(escrow));
        emit IEscrow.PayoutsCommitted(controller, ID, keccak256("second"), second);
        escrow.commit(ID, keccak256("second"), second);
        assertEq(escrow.budget(controller, ID).root, keccak256("second"));
        assertEq(escrow.budget(controller, ID).committed, second);
    }

    function test_ASmallerSumIsRefused() public {
        vm.startPrank(controller);
        escrow.commit(ID, ROOT, 2);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_SumDecreased.selector, 2, 1));
        escrow.commit(ID, ROOT, 1);
    }

    function test_MoreThanTheDepositIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_OverBudget.selector, BUDGET, BUDGET + 1));
        vm.prank(controller);
        escrow.commit(ID, ROOT, BUDGET + 1);
    }

    function test_OnlyTheBudgetsOwnControllerMayCommit(address caller) public {
        vm.assume(caller != controller);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownBudget.selector, caller, ID));
        vm.prank(caller);
        escrow.commit(ID, ROOT, 1);
    }

    function test_AfterClosingTheRootIsImmutable() public {
        vm.startPrank(controller);
        escrow.close(ID);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BudgetClosed.selector, ID));
        escrow.commit(ID, ROOT, 0);
    }

    function test_AControllerThatLostItsRoleFinishesWhatItOpened() public {
        vm.prank(governor);
        authority.revoke(Roles.CONTROLLER, controller);
        vm.startPrank(controller);
        escrow.commit(ID, ROOT, 1 ether);
        assertEq(escrow.close(ID), BUDGET - 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotController.selector, controller));
        escrow.open(2, funder, 1);
    }
}
