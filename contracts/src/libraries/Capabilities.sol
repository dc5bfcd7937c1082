// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Capabilities: what the bits of an operator's capability mask mean.
/// @notice Claims of the operator about itself; nothing on chain proves them.
library Capabilities {
    /// @dev Trains in federated sessions.
    uint64 internal constant CAPABILITY_TRAIN = 1;
    /// @dev Proposes and attests aggregates.
    uint64 internal constant CAPABILITY_KEEP = 1 << 1;
    /// @dev Has a CUDA device that it lends to trainers.
    uint64 internal constant CAPABILITY_CUDA = 1 << 2;
}
