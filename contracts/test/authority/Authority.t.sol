// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Authority} from "../../src/Authority.sol";
import {IAuthority} from "../../src/interfaces/IAuthority.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

contract AuthorityTest is NetworkTest {
    bytes32 private constant ROLE = keccak256("ROLE");
    address private account = makeAddr("account");

    function test_GrantWaitsForTheDelayAfterGenesis() public {
        vm.expectEmit(address(authority));
        emit IAuthority.RoleGranted(ROLE, account, _epoch() + DELAY);
        vm.prank(governor);
        authority.grant(ROLE, account);

        _skip(DELAY - 1);
        assertFalse(authority.holds(ROLE, account));
        _skip(1);
        assertTrue(authority.holds(ROLE, account));
        assertFalse(authority.holds(keccak256("OTHER"), account));
    }

    function test_GrantHoldsAtOnceBeforeGenesisEnds() public {
        Authority fresh = new Authority(governor, DELAY);
        assertFalse(fresh.isSealed());
        vm.prank(governor);
        fresh.grant(ROLE, account);
        assertTrue(fresh.holds(ROLE, account));
    }

    function test_GrantingAgainDoesNotStartTheDelayAnew() public {
        vm.startPrank(governor);
        authority.grant(ROLE, account);
        _skip(DELAY);
        authority.grant(ROLE, account);
        assertTrue(authority.holds(ROLE, account));
    }

    function test_RevokeTakesEffectAtOnce() public {
        vm.startPrank(governor);
        authority.grant(ROLE, account);
        _skip(DELAY);
        vm.expectEmit(address(authority));
        emit IAuthority.RoleRevoked(ROLE, account);
        authority.revoke(ROLE, account);
        assertFalse(authority.holds(ROLE, account));
        vm.recordLogs();
        authority.revoke(ROLE, account);
        assertEq(vm.getRecordedLogs().length, 0, "revoking nothing is no change");
    }

    function test_ARevokedRoleWaitsAgain() public {
        vm.startPrank(governor);
        authority.grant(ROLE, account);
        _skip(DELAY);
        authority.revoke(ROLE, account);
        authority.grant(ROLE, account);
        assertFalse(authority.holds(ROLE, account));
    }

    function test_SealHappensOnce() public {
        Authority fresh = new Authority(governor, DELAY);
        vm.startPrank(governor);
        vm.expectEmit(address(fresh));
        emit IAuthority.Sealed();
        fresh.seal();
        assertTrue(fresh.isSealed());
        vm.recordLogs();
        fresh.seal();
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_SetGovernorHandsOver() public {
        vm.expectEmit(address(authority));
        emit IAuthority.GovernorChanged(account);
        vm.prank(governor);
        authority.setGovernor(account);
        assertEq(authority.governor(), account);

        vm.expectRevert(abi.encodeWithSelector(IAuthority.Authority_NotGovernor.selector, account, governor));
        vm.prank(governor);
        authority.seal();
    }

    function test_OnlyTheGovernorMayCall(address caller) public {
        vm.assume(caller != governor);
        bytes memory refusal = abi.encodeWithSelector(IAuthority.Authority_NotGovernor.selector, governor, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        authority.grant(ROLE, account);
        vm.expectRevert(refusal);
        authority.revoke(ROLE, account);
        vm.expectRevert(refusal);
        authority.seal();
        vm.expectRevert(refusal);
        authority.setGovernor(account);
    }

    function test_TheZeroAddressIsRefused() public {
        vm.expectRevert(IAuthority.Authority_ZeroAddress.selector);
        new Authority(address(0), DELAY);
        vm.startPrank(governor);
        vm.expectRevert(IAuthority.Authority_ZeroAddress.selector);
        authority.grant(ROLE, address(0));
        vm.expectRevert(IAuthority.Authority_ZeroAddress.selector);
        authority.setGovernor(address(0));
    }
}
