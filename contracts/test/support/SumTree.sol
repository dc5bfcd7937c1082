// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {MerkleSum} from "../../src/libraries/MerkleSum.sol";

/// @title SumTree: builds whole Merkle-sum trees for tests, level by level; an odd node is promoted unchanged.
library SumTree {
    struct Leaf {
        address operator;
        uint128 cumulative;
    }

    /// @dev Root hash and sum; zero for no leaves.
    function root(Leaf[] memory leaves) internal pure returns (bytes32 hash, uint128 sum) {
        if (leaves.length == 0) return (0, 0);
        IEscrow.ProofNode[] memory level = _hashed(leaves);
        while (level.length > 1) level = _above(level);
        return (level[0].hash, level[0].sum);
    }

    /// @dev Siblings from the leaf at `index` up to the root.
    function proof(Leaf[] memory leaves, uint256 index) internal pure returns (IEscrow.ProofNode[] memory steps) {
        IEscrow.ProofNode[] memory level = _hashed(leaves);
        IEscrow.ProofNode[] memory found = new IEscrow.ProofNode[](32);
        uint256 count;
        while (level.length > 1) {
            uint256 sibling = index ^ 1;
            if (sibling < level.length) found[count++] = level[sibling];
            level = _above(level);
            index /= 2;
        }
        steps = new IEscrow.ProofNode[](count);
        for (uint256 i = 0; i < count; ++i) {
            steps[i] = found[i];
        }
    }

    function _hashed(Leaf[] memory leaves) private pure returns (IEscrow.ProofNode[] memory level) {
        level = new IEscrow.ProofNode[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            level[i] = IEscrow.ProofNode(MerkleSum.leaf(leaves[i].operator, leaves[i].cumulative), leaves[i].cumulative);
        }
    }

    function _above(IEscrow.ProofNode[] memory level) private pure returns (IEscrow.ProofNode[] memory above) {
        above = new IEscrow.ProofNode[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            IEscrow.ProofNode memory left = level[2 * i];
            if (2 * i + 1 == level.length) {
                above[i] = left;
            } else {
                IEscrow.ProofNode memory right = level[2 * i + 1];
                (above[i].hash, above[i].sum) = MerkleSum.parent(left.hash, left.sum, right.hash, right.sum);
            }
        }
    }
}
