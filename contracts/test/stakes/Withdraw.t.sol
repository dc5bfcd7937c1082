// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IStakes} from "../../src/interfaces/IStakes.sol";
import {SafeToken} from "../../src/libraries/SafeToken.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract StakesWithdrawTest is NetworkTest {
    address private operator = makeAddr("operator");

    function setUp() public override {
        super.setUp();
        _stake(operator, 10 ether);
        vm.prank(operator);
        stakes.requestUnbond(4 ether);
    }

    function test_AnyoneMayPayItOutToTheOperatorAfterTheDelay() public {
        _skip(UNBONDING);
        vm.expectEmit(address(stakes));
        emit IStakes.Withdrawn(operator, 4 ether);
        vm.prank(stranger);
        stakes.withdraw(operator);

        assertEq(usdfc.balanceOf(operator), 4 ether);
        assertEq(stakes.active(operator), 6 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NothingUnbonding.selector, operator));
        stakes.withdraw(operator);
    }

    function test_TheDelayEndsInItsEpoch() public {
        uint40 from = _epoch() + UNBONDING;
        _skip(UNBONDING - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NotWithdrawable.selector, from, from - 1));
        stakes.withdraw(operator);
        _skip(1);
        stakes.withdraw(operator);
    }

    function test_BeforeTheDelayItIsRefused(uint40 early) public {
        early = uint40(bound(early, 1, UNBONDING));
        uint40 from = _epoch() + UNBONDING;
        _skip(UNBONDING - early);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NotWithdrawable.selector, from, _epoch()));
        stakes.withdraw(operator);
    }

    function test_ARefusedOperatorKeepsItsStakeAndBlocksNobody() public {
        address other = makeAddr("other");
        _stake(other, 1 ether);
        vm.prank(other);
        stakes.requestUnbond(1 ether);
        _skip(UNBONDING);
        usdfc.setRefused(operator, true);

        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_RefusedRecipient.selector, operator));
        stakes.withdraw(operator);
        assertEq(stakes.account(operator).unbonding, 4 ether);
        stakes.withdraw(other);
        assertEq(usdfc.balanceOf(other), 1 ether);
    }

    function test_ATokenThatAnswersFalseIsRefused() public {
        _skip(UNBONDING);
        vm.mockCall(address(usdfc), abi.encodeCall(IERC20.transfer, (operator, 4 ether)), abi.encode(false));
        vm.expectRevert(
            abi.encodeWithSelector(SafeToken.SafeToken_TransferRefused.selector, address(stakes), operator, 4 ether)
        );
        stakes.withdraw(operator);
    }
}
