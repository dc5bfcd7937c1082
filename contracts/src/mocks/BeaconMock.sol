// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title BeaconMock: stands in for Filecoin's beacon precompile on networks that lack it.
/// @notice Its runtime code is etched at the precompile's address. Like the precompile it takes 32 bytes (an epoch) without
/// a selector, answers 32 bytes, and aborts for a future epoch; unlike it, its answers are predictable.
contract BeaconMock {
    fallback(bytes calldata input) external returns (bytes memory) {
        if (input.length != 32) _abort();
        uint256 epoch = abi.decode(input, (uint256));
        if (epoch > block.number) _abort();
        return abi.encode(keccak256(abi.encode("beacon", epoch)));
    }

    /// @dev Burns the gas of the call: the precompile's abort cannot be told from running out of gas either.
    function _abort() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}
