// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IStakes} from "../../src/interfaces/IStakes.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract StakesUnbondTest is NetworkTest {
    address private operator = makeAddr("operator");

    function setUp() public override {
        super.setUp();
        _stake(operator, 10 ether);
    }

    function test_RequestMovesActiveToUnbonding(uint128 amount) public {
        amount = uint128(bound(amount, 1, 10 ether));
        vm.expectEmit(address(stakes));
        emit IStakes.UnbondRequested(operator, amount, _epoch() + UNBONDING);
        vm.prank(operator);
        stakes.requestUnbond(amount);

        IStakes.Account memory account = stakes.account(operator);
        assertEq(account.active, 10 ether - amount);
        assertEq(account.unbonding, amount);
        assertEq(account.withdrawableFrom, _epoch() + UNBONDING);
    }

    function test_ASecondRequestRestartsTheWaitForAll() public {
        vm.startPrank(operator);
        stakes.requestUnbond(4 ether);
        _skip(UNBONDING - 1);
        stakes.requestUnbond(1 ether);
        _skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(IStakes.Stakes_NotWithdrawable.selector, _epoch() + UNBONDING - 1, _epoch())
        );
        stakes.withdraw(operator);
    }

    function test_MoreThanActiveIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_InsufficientActive.selector, 10 ether + 1, 10 ether));
        vm.prank(operator);
        stakes.requestUnbond(10 ether + 1);
    }

    function test_NothingIsRefused() public {
        vm.expectRevert(IStakes.Stakes_ZeroAmount.selector);
        vm.prank(operator);
        stakes.requestUnbond(0);
    }

    function test_CancelUndoesRequests(uint128 first, uint128 second) public {
        first = uint128(bound(first, 1, 9 ether));
        second = uint128(bound(second, 1, 10 ether - first));
        vm.startPrank(operator);
        stakes.requestUnbond(first);
        stakes.requestUnbond(second);
        vm.expectEmit(address(stakes));
        emit IStakes.UnbondCancelled(operator, first + second);
        stakes.cancelUnbond();

        IStakes.Account memory account = stakes.account(operator);
        assertEq(account.active, 10 ether);
        assertEq(account.unbonding, 0);
    }

    function test_CancellingNothingIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NothingUnbonding.selector, operator));
        vm.prank(operator);
        stakes.cancelUnbond();
    }
}
