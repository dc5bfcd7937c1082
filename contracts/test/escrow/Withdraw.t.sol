// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowWithdrawTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _open();
        vm.prank(controller);
        escrow.close(ID);
    }

    function test_AnyoneMayPayOutACredit() public {
        vm.expectEmit(address(escrow));
        emit IEscrow.CreditWithdrawn(funder, funder, BUDGET);
        vm.prank(stranger);
        assertEq(escrow.withdraw(funder), BUDGET);
        assertEq(usdfc.balanceOf(funder), BUDGET);
        assertEq(escrow.credit(funder), 0);
    }

    function test_WithoutCreditItIsRefused() public {
        escrow.withdraw(funder);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NoCredit.selector, funder));
        escrow.withdraw(funder);
    }

    function test_CreditsOfSeveralBudgetsAddUp() public {
        _fund(funder, address(escrow), 5 ether);
        vm.startPrank(controller);
        escrow.open(2, funder, 5 ether);
        escrow.close(2);
        assertEq(escrow.credit(funder), BUDGET + 5 ether);
    }

    function test_ThePayeeIsPaid() public {
        vm.prank(funder);
        escrow.setPayee(stranger);
        escrow.withdraw(funder);
        assertEq(usdfc.balanceOf(stranger), BUDGET);
    }

    function test_ARefusedFunderNamesAPayee() public {
        usdfc.setRefused(funder, true);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_RefusedRecipient.selector, funder));
        escrow.withdraw(funder);
        vm.prank(funder);
        escrow.setPayee(stranger);
        escrow.withdraw(funder);
        assertEq(usdfc.balanceOf(stranger), BUDGET);
    }
}
