// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowCloseTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _open();
    }

    function test_WhatWasNotCommittedIsCreditedToTheFunder(uint128 committed) public {
        committed = uint128(bound(committed, 0, BUDGET));
        vm.startPrank(controller);
        escrow.commit(ID, keccak256("root"), committed);
        vm.expectEmit(address(escrow));
        emit IEscrow.BudgetClosed(controller, ID, funder, BUDGET - committed);
        assertEq(escrow.close(ID), BUDGET - committed);

        IEscrow.Budget memory budget = escrow.budget(controller, ID);
        assertTrue(budget.closed);
        assertEq(budget.refunded, BUDGET - committed);
        assertEq(escrow.credit(funder), BUDGET - committed);
    }

    function test_ClosingTwiceIsRefused() public {
        vm.startPrank(controller);
        escrow.close(ID);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BudgetClosed.selector, ID));
        escrow.close(ID);
    }

    function test_AnUnknownBudgetIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownBudget.selector, controller, 9));
        vm.prank(controller);
        escrow.close(9);
    }

    function test_PayoutsCanBeClaimedAfterClosing() public {
        _commit(_leaves(1 ether, 2 ether, 3 ether));
        vm.prank(controller);
        escrow.close(ID);
        escrow.claim(_claimOf(_leaves(1 ether, 2 ether, 3 ether), 2));
        assertEq(usdfc.balanceOf(operator_[2]), 3 ether);
    }
}
