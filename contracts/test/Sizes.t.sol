// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VmSafe} from "forge-std/Vm.sol";

import {NetworkTest} from "./support/NetworkTest.sol";

/// @title Every contract stays under the limit of 24,576 bytes (EIP-170, enforced on Filecoin) with a tenth to spare.
contract SizesTest is NetworkTest {
    function test_EveryContractFitsWithATenthToSpare() public {
        vm.skip(vm.isContext(VmSafe.ForgeContext.Coverage), "coverage compiles without the optimizer");
        address[6] memory deployed = [
            address(authority),
            address(stakes),
            address(escrow),
            address(operators),
            address(reputation),
            address(sessions)
        ];
        for (uint256 i = 0; i < deployed.length; ++i) {
            assertLe(deployed[i].code.length, uint256(24_576 * 9) / 10);
        }
    }
}
