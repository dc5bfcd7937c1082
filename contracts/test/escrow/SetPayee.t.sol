// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowSetPayeeTest is EscrowTest {
    function test_WithoutAPayeeTheOwnerIsPaid() public view {
        assertEq(escrow.payeeOf(funder), funder);
    }

    function test_APayeeCanBeNamedAndTakenBack() public {
        vm.startPrank(funder);
        vm.expectEmit(address(escrow));
        emit IEscrow.PayeeSet(funder, stranger);
        escrow.setPayee(stranger);
        assertEq(escrow.payeeOf(funder), stranger);
        escrow.setPayee(funder);
        assertEq(escrow.payeeOf(funder), funder);
    }

    function test_WhereTheTokenCannotGoIsRefused() public {
        address refused = makeAddr("refused");
        usdfc.setRefused(refused, true);
        address[5] memory bad =
            [address(0), address(usdfc), address(escrow), refused, 0xFF000000000000000000000000000000000004d2];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_InvalidPayee.selector, bad[i]));
            escrow.setPayee(bad[i]);
        }
    }

    function test_ATokenThatAnswersFalseIsRefused() public {
        vm.mockCall(address(usdfc), abi.encodeCall(IERC20.transfer, (stranger, 0)), abi.encode(false));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_InvalidPayee.selector, stranger));
        escrow.setPayee(stranger);
    }
}
