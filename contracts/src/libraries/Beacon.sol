// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Beacon: public randomness of a past or the present epoch.
/// @notice Filecoin's precompile answers with a hash of the drand signature of that epoch: the same on every fork, defined for
/// null rounds, and nobody can choose it by choosing when to ask. It aborts the whole transaction for a future epoch, hence
/// the check first.
library Beacon {
    address internal constant PRECOMPILE = 0xfE00000000000000000000000000000000000006;

    error Beacon_FutureEpoch(uint256 expected, uint256 actual);
    error Beacon_Unavailable(uint256 epoch);

    function at(uint256 epoch) internal view returns (bytes32) {
        if (epoch > block.number) revert Beacon_FutureEpoch(block.number, epoch);
        (bool answered, bytes memory answer) = PRECOMPILE.staticcall(abi.encode(epoch));
        if (!answered || answer.length != 32) revert Beacon_Unavailable(epoch);
        return abi.decode(answer, (bytes32));
    }
}
