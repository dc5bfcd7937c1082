// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Roles: the names under which the Authority authorises contracts.
library Roles {
    /// @dev Opens budgets in Escrow.
    bytes32 internal constant CONTROLLER = keccak256("CONTROLLER");
    /// @dev Slashes in Stakes.
    bytes32 internal constant SLASHER = keccak256("SLASHER");
    /// @dev Writes to Reputation.
    bytes32 internal constant RECORDER = keccak256("RECORDER");
}
