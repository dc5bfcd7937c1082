// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Stakes} from "../../src/Stakes.sol";
import {IStakes} from "../../src/interfaces/IStakes.sol";
import {SafeToken} from "../../src/libraries/SafeToken.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract StakesDepositTest is NetworkTest {
    uint256 private constant KEY = 0xA11CE;
    address private operator = vm.addr(KEY);

    function test_DepositBecomesActive(uint128 first, uint128 second) public {
        first = uint128(bound(first, 1, type(uint128).max - 1));
        second = uint128(bound(second, 1, type(uint128).max - first));
        _fund(operator, address(stakes), uint256(first) + second);
        vm.startPrank(operator);
        vm.expectEmit(address(stakes));
        emit IStakes.Deposited(operator, operator, first);
        stakes.deposit(first);
        stakes.deposit(second);

        assertEq(stakes.active(operator), uint256(first) + second);
        assertEq(usdfc.balanceOf(address(stakes)), uint256(first) + second);
        assertEq(usdfc.balanceOf(operator), 0);
    }

    function test_NothingIsRefused() public {
        vm.expectRevert(IStakes.Stakes_ZeroAmount.selector);
        stakes.deposit(0);
    }

    function test_MoreThanFitsIsRefused() public {
        uint256 amount = uint256(type(uint128).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_AmountTooLarge.selector, amount));
        stakes.deposit(amount);
    }

    function test_WithoutAllowanceTheTokenRefuses() public {
        usdfc.mint(operator, 1 ether);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(stakes), 0, 1 ether)
        );
        vm.prank(operator);
        stakes.deposit(1 ether);
    }

    function test_ATokenThatAnswersFalseIsRefused() public {
        vm.mockCall(
            address(usdfc), abi.encodeCall(IERC20.transferFrom, (operator, address(stakes), 1)), abi.encode(false)
        );
        vm.expectRevert(
            abi.encodeWithSelector(SafeToken.SafeToken_TransferRefused.selector, operator, address(stakes), 1)
        );
        vm.prank(operator);
        stakes.deposit(1);
    }

    function test_PermitNeedsNoApproval() public {
        usdfc.mint(operator, 5 ether);
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, address(stakes), 5 ether, block.timestamp);
        vm.prank(operator);
        stakes.depositWithPermit(5 ether, block.timestamp, v, r, s);
        assertEq(stakes.active(operator), 5 ether);
    }

    function test_AFrontRunPermitDoesNoHarm() public {
        usdfc.mint(operator, 5 ether);
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, address(stakes), 5 ether, block.timestamp);
        vm.prank(stranger);
        usdfc.permit(operator, address(stakes), 5 ether, block.timestamp, v, r, s);
        vm.prank(operator);
        stakes.depositWithPermit(5 ether, block.timestamp, v, r, s);
        assertEq(stakes.active(operator), 5 ether);
    }

    function test_ABadPermitWithoutAllowanceIsRefused() public {
        usdfc.mint(operator, 5 ether);
        (uint8 v, bytes32 r, bytes32 s) = _permit(0xB0B, address(stakes), 5 ether, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(SafeToken.SafeToken_AllowanceTooLow.selector, 5 ether, 0));
        vm.prank(operator);
        stakes.depositWithPermit(5 ether, block.timestamp, v, r, s);
    }

    function test_UnbondingMustBeShorterThanTheAuthoritysDelay() public {
        new Stakes(address(usdfc), address(authority), DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_UnbondingTooLong.selector, DELAY, DELAY));
        new Stakes(address(usdfc), address(authority), DELAY);
    }

    function test_TheTokenIsKnown() public view {
        assertEq(stakes.token(), address(usdfc));
        assertEq(stakes.unbondingPeriod(), UNBONDING);
    }
}
