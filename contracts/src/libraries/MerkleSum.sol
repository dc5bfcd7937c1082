// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../interfaces/IEscrow.sol";

/// @title MerkleSum: a Merkle tree in which every node also carries the sum of the leaves below it.
/// @notice leaf = keccak256(0x00 ++ operator ++ cumulative), node = keccak256(0x01 ++ left hash ++ left sum ++ right hash ++
/// right sum) with the smaller hash on the left. All leaves together cannot sum to more than the root says.
library MerkleSum {
    /// @dev Hash of the leaf of `operator`; its sum is `cumulative`.
    function leaf(address operator, uint128 cumulative) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), operator, cumulative));
    }

    /// @dev The parent of two nodes. Reverts when the sums overflow. Written in assembly because a claim in a tree of 1,024
    /// operators hashes ten nodes: encodePacked in its place costs 200 gas more for each.
    function parent(bytes32 hashA, uint128 sumA, bytes32 hashB, uint128 sumB)
        internal
        pure
        returns (bytes32 hash, uint128 sum)
    {
        sum = sumA + sumB;
        if (hashB < hashA) (hashA, sumA, hashB, sumB) = (hashB, sumB, hashA, sumA);
        assembly ("memory-safe") {
            let node := mload(0x40)
            mstore8(node, 1)
            mstore(add(node, 1), hashA)
            mstore(add(node, 33), shl(128, sumA))
            mstore(add(node, 49), hashB)
            mstore(add(node, 81), shl(128, sumB))
            hash := keccak256(node, 97)
        }
    }

    /// @dev Hash and sum of the root that `proof` leads to from the leaf of `operator`.
    function rootOf(address operator, uint128 cumulative, IEscrow.ProofNode[] calldata proof)
        internal
        pure
        returns (bytes32 hash, uint128 sum)
    {
        hash = leaf(operator, cumulative);
        sum = cumulative;
        for (uint256 i = 0; i < proof.length; ++i) {
            (hash, sum) = parent(hash, sum, proof[i].hash, proof[i].sum);
        }
    }
}
