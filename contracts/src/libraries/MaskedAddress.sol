// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title MaskedAddress: tells Filecoin's masked actor ids from ordinary addresses.
/// @notice A native account appears to contracts as 0xff, eleven zero bytes and its actor id. Such an id may change hands in a
/// reorganisation of the chain, so nothing of value is tied to one.
library MaskedAddress {
    function isMasked(address account) internal pure returns (bool) {
        return uint160(account) >> 64 == 0xff0000000000000000000000;
    }
}
