// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IStakes} from "../../src/interfaces/IStakes.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract StakesSlashTest is NetworkTest {
    address private operator = makeAddr("operator");
    address private victim = makeAddr("victim");

    function setUp() public override {
        super.setUp();
        _stake(operator, 10 ether);
        vm.prank(operator);
        stakes.requestUnbond(4 ether);
    }

    function test_ActiveStakeGoesFirstThenUnbonding(uint128 amount) public {
        amount = uint128(bound(amount, 1, type(uint128).max));
        uint128 expected = amount < 10 ether ? amount : 10 ether;
        vm.expectEmit(address(stakes));
        emit IStakes.Slashed(operator, 7, victim, expected);
        vm.prank(slasher);
        assertEq(stakes.slash(operator, amount, 7, victim), expected);

        IStakes.Account memory account = stakes.account(operator);
        assertEq(account.active, amount < 6 ether ? 6 ether - amount : 0);
        assertEq(account.unbonding, expected > 6 ether ? 10 ether - expected : 4 ether);
        assertEq(usdfc.balanceOf(victim), expected);
    }

    function test_UnbondingStakeIsInReachUntilItIsWithdrawn() public {
        _skip(UNBONDING);
        vm.prank(slasher);
        stakes.slash(operator, 10 ether, 1, victim);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NothingUnbonding.selector, operator));
        stakes.withdraw(operator);
    }

    function test_WhereNothingIsLeftNothingHappens() public {
        vm.startPrank(slasher);
        stakes.slash(operator, 10 ether, 1, victim);
        vm.recordLogs();
        assertEq(stakes.slash(operator, 1, 2, victim), 0);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_NothingIsRefused() public {
        vm.expectRevert(IStakes.Stakes_ZeroAmount.selector);
        vm.prank(slasher);
        stakes.slash(operator, 0, 1, victim);
    }

    function test_OnlyASlasherMaySlash(address caller) public {
        vm.assume(caller != slasher);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NotSlasher.selector, caller));
        vm.prank(caller);
        stakes.slash(operator, 1, 1, victim);
    }

    function test_EveryoneCanLeaveBeforeANewSlasherHasPower() public {
        address fresh = makeAddr("fresh slasher");
        vm.prank(governor);
        authority.grant(Roles.SLASHER, fresh);
        vm.prank(operator);
        stakes.requestUnbond(6 ether);
        _skip(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStakes.Stakes_NotSlasher.selector, fresh));
        vm.prank(fresh);
        stakes.slash(operator, 1, 1, victim);
        stakes.withdraw(operator);
        assertEq(usdfc.balanceOf(operator), 10 ether);
    }
}
