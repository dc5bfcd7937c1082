// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Capabilities: what the bits of an operator's capability mask mean.
/// @notice Claims of the operator about itself; nothing on chain proves them.
library Capabilities {
    /// @dev Trains seats of federated sessions.
    uint64 internal constant CAPABILITY_RUNNER = 1 << 0;
    /// @dev Aggregates, proposes and attests rounds.
    uint64 internal constant CAPABILITY_KEEPER = 1 << 1;
    /// @dev Runs training inside a container without network.
    uint64 internal constant CAPABILITY_CONTAINER = 1 << 2;
    /// @dev Has an accelerator.
    uint64 internal constant CAPABILITY_ACCELERATOR = 1 << 3;
}
