// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {NetworkTest} from "../support/NetworkTest.sol";
import {SumTree} from "../support/SumTree.sol";

/// @title EscrowTest: budgets of a bare controller and trees of three operators.
abstract contract EscrowTest is NetworkTest {
    uint256 internal constant ID = 1;
    uint128 internal constant BUDGET = 1_000 ether;

    address internal funder = makeAddr("funder");
    address[3] internal operator_ = [makeAddr("operator a"), makeAddr("operator b"), makeAddr("operator c")];

    function _open() internal {
        _fund(funder, address(escrow), BUDGET);
        vm.prank(controller);
        escrow.open(ID, funder, BUDGET);
    }

    function _leaves(uint128 a, uint128 b, uint128 c) internal view returns (SumTree.Leaf[] memory leaves) {
        leaves = new SumTree.Leaf[](3);
        leaves[0] = SumTree.Leaf(operator_[0], a);
        leaves[1] = SumTree.Leaf(operator_[1], b);
        leaves[2] = SumTree.Leaf(operator_[2], c);
    }

    function _commit(SumTree.Leaf[] memory leaves) internal {
        (bytes32 root, uint128 sum) = SumTree.root(leaves);
        vm.prank(controller);
        escrow.commit(ID, root, sum);
    }

    function _claimOf(SumTree.Leaf[] memory leaves, uint256 index) internal view returns (IEscrow.Claim memory) {
        return
            IEscrow.Claim(
                controller, ID, leaves[index].operator, leaves[index].cumulative, SumTree.proof(leaves, index)
            );
    }
}
