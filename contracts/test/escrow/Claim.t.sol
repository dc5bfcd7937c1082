// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {MerkleSum} from "../../src/libraries/MerkleSum.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {SumTree} from "../support/SumTree.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract EscrowClaimTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _open();
    }

    function test_AnyoneMayClaimForAnOperator() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        vm.expectEmit(address(escrow));
        emit IEscrow.PayoutClaimed(controller, ID, operator_[1], operator_[1], 20 ether, 20 ether);
        vm.prank(stranger);
        assertEq(escrow.claim(_claimOf(leaves, 1)), 20 ether);

        assertEq(usdfc.balanceOf(operator_[1]), 20 ether);
        assertEq(escrow.claimedBy(controller, ID, operator_[1]), 20 ether);
        assertEq(escrow.budget(controller, ID).claimed, 20 ether);
    }

    function test_LaterClaimsPayTheDifference(uint64[3] calldata first, uint64[3] calldata more) public {
        _commit(_leaves(first[0], first[1], first[2]));
        for (uint256 i = 0; i < 3; ++i) {
            if (first[i] != 0) escrow.claim(_claimOf(_leaves(first[0], first[1], first[2]), i));
        }
        uint128[3] memory total;
        for (uint256 i = 0; i < 3; ++i) {
            total[i] = uint128(first[i]) + more[i];
        }
        SumTree.Leaf[] memory leaves = _leaves(total[0], total[1], total[2]);
        _commit(leaves);
        for (uint256 i = 0; i < 3; ++i) {
            if (more[i] != 0) assertEq(escrow.claim(_claimOf(leaves, i)), more[i]);
            assertEq(usdfc.balanceOf(operator_[i]), total[i]);
        }
    }

    function test_TheSameClaimPaysOnce() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        escrow.claim(_claimOf(leaves, 0));
        IEscrow.Claim memory again = _claimOf(leaves, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_NothingToClaim.selector, operator_[0], 10 ether));
        escrow.claim(again);
    }

    function test_AnotherAmountOrOperatorIsNoProof(uint128 amount, address other) public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        IEscrow.Claim memory forged = _claimOf(leaves, 0);
        vm.assume(amount != forged.cumulative && amount < type(uint128).max / 2 && other != forged.operator);

        forged.cumulative = amount;
        vm.expectPartialRevert(IEscrow.Escrow_InvalidProof.selector);
        escrow.claim(forged);
        forged.cumulative = 10 ether;
        forged.operator = other;
        vm.expectPartialRevert(IEscrow.Escrow_InvalidProof.selector);
        escrow.claim(forged);
    }

    function test_AnInnerNodeDoesNotPassForALeaf() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        IEscrow.ProofNode[] memory proof = SumTree.proof(leaves, 2);
        IEscrow.Claim memory forged = IEscrow.Claim(controller, ID, operator_[0], proof[0].sum, proof);
        vm.expectPartialRevert(IEscrow.Escrow_InvalidProof.selector);
        escrow.claim(forged);
    }

    /// @dev The root is that of an honest tree, but the controller committed to a smaller sum.
    function test_TheSumMustArriveToo() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        (bytes32 root,) = SumTree.root(leaves);
        vm.prank(controller);
        escrow.commit(ID, root, 59 ether);
        IEscrow.Claim memory claim = _claimOf(leaves, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_InvalidProof.selector, root, root));
        escrow.claim(claim);
    }

    function test_OverflowingSumsRevert() public {
        IEscrow.ProofNode[] memory proof = new IEscrow.ProofNode[](1);
        proof[0] = IEscrow.ProofNode(keccak256("sibling"), type(uint128).max);
        IEscrow.Claim memory claim = IEscrow.Claim(controller, ID, operator_[0], 1, proof);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        escrow.claim(claim);
    }

    function test_AnUnknownBudgetIsNamed() public {
        IEscrow.Claim memory claim = IEscrow.Claim(stranger, ID, operator_[0], 1, new IEscrow.ProofNode[](0));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_UnknownBudget.selector, stranger, ID));
        escrow.claim(claim);
    }

    /// @dev The second root takes back what the first gave to A and gives it to B, after A was paid.
    function test_NoBudgetPaysMoreThanItCommitted() public {
        SumTree.Leaf[] memory leaves = _leaves(100 ether, 0, 0);
        _commit(leaves);
        escrow.claim(_claimOf(leaves, 0));
        leaves = _leaves(0, 90 ether, 20 ether);
        _commit(leaves);
        IEscrow.Claim memory tooMuch = _claimOf(leaves, 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Escrow_OverBudget.selector, 110 ether, 190 ether));
        escrow.claim(tooMuch);
    }

    function test_ATreeOfOneNeedsNoProof() public {
        vm.prank(controller);
        escrow.commit(ID, MerkleSum.leaf(operator_[0], 5), 5);
        escrow.claim(IEscrow.Claim(controller, ID, operator_[0], 5, new IEscrow.ProofNode[](0)));
        assertEq(usdfc.balanceOf(operator_[0]), 5);
    }

    function test_ThePayeeIsPaid() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        vm.prank(operator_[0]);
        escrow.setPayee(stranger);
        escrow.claim(_claimOf(leaves, 0));
        assertEq(usdfc.balanceOf(stranger), 10 ether);
    }

    function test_ARefusedPayeeLosesNothing() public {
        SumTree.Leaf[] memory leaves = _leaves(10 ether, 20 ether, 30 ether);
        _commit(leaves);
        usdfc.setRefused(operator_[0], true);
        IEscrow.Claim memory claim = _claimOf(leaves, 0);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_RefusedRecipient.selector, operator_[0]));
        escrow.claim(claim);
        vm.prank(operator_[0]);
        escrow.setPayee(stranger);
        escrow.claim(claim);
        assertEq(usdfc.balanceOf(stranger), 10 ether);
    }
}
