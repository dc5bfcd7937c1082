// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {SumTree} from "../support/SumTree.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowClaimManyTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _open();
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
    }

    function _claims() private view returns (IEscrow.Claim[] memory claims) {
        claims = new IEscrow.Claim[](3);
        for (uint256 i = 0; i < 3; ++i) {
            claims[i] = _claimOf(_leaves(10 ether, 20 ether, 30 ether), i);
        }
    }

    function test_AllAreClaimed() public {
        escrow.claimMany(_claims());
        assertEq(usdfc.balanceOf(operator_[0]), 10 ether);
        assertEq(usdfc.balanceOf(operator_[1]), 20 ether);
        assertEq(usdfc.balanceOf(operator_[2]), 30 ether);
    }

    function test_OneRefusedRecipientBlocksNobody() public {
        usdfc.setRefused(operator_[1], true);
        vm.expectEmit(address(escrow));
        emit IEscrow.ClaimSkipped(
            controller,
            ID,
            operator_[1],
            abi.encodeWithSelector(MockUsdfc.MockUsdfc_RefusedRecipient.selector, operator_[1])
        );
        escrow.claimMany(_claims());
        assertEq(usdfc.balanceOf(operator_[0]), 10 ether);
        assertEq(usdfc.balanceOf(operator_[2]), 30 ether);
        assertEq(escrow.claimedBy(controller, ID, operator_[1]), 0);
    }

    function test_WhatIsPaidAlreadyIsSkipped() public {
        escrow.claimMany(_claims());
        vm.recordLogs();
        escrow.claimMany(_claims());
        assertEq(vm.getRecordedLogs().length, 3, "three skips, no payment");
        assertEq(escrow.budget(controller, ID).claimed, 60 ether);
    }
}
