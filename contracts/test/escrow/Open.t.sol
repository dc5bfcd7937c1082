// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowOpenTest is EscrowTest {
    function test_OpenLocksTheFundersMoney() public {
        _fund(funder, address(escrow), BUDGET);
        vm.expectEmit(address(escrow));
        emit IEscrow.BudgetOpened(controller, ID, funder, BUDGET);
        vm.prank(controller);
        escrow.open(ID, funder, BUDGET);

        IEscrow.Budget memory budget = escrow.budget(controller, ID);
        assertEq(budget.funder, funder);
        assertEq(budget.deposited, BUDGET);
        assertEq(budget.committed, 0);
        assertFalse(budget.closed);
        assertEq(usdfc.balanceOf(address(escrow)), BUDGET);
        assertEq(escrow.token(), address(usdfc));
    }

    function test_BudgetsOfDifferentControllersDoNotMeet() public {
        _open();
        assertEq(escrow.budget(address(sessions), ID).deposited, 0);
    }

    function test_OnlyAControllerMayOpen(address caller) public {
        vm.assume(caller != controller && caller != address(sessions));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NotController.selector, caller));
        vm.prank(caller);
        escrow.open(ID, funder, BUDGET);
    }

    function test_AnIdIsUsedOnceAlsoAfterClosing() public {
        _open();
        vm.startPrank(controller);
        escrow.close(ID);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_BudgetExists.selector, ID));
        escrow.open(ID, funder, BUDGET);
    }

    function test_NothingIsRefused() public {
        vm.expectRevert(IEscrow.Escrow_ZeroAmount.selector);
        vm.prank(controller);
        escrow.open(ID, funder, 0);
    }

    function test_WithoutAllowanceNothingIsOpened() public {
        usdfc.mint(funder, BUDGET);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), 0, BUDGET)
        );
        vm.prank(controller);
        escrow.open(ID, funder, BUDGET);
        assertEq(escrow.budget(controller, ID).funder, address(0));
    }
}
