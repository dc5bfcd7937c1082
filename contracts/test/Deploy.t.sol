// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Deploy} from "../script/Deploy.s.sol";
import {Authority} from "../src/Authority.sol";
import {Escrow} from "../src/Escrow.sol";
import {Stakes} from "../src/Stakes.sol";
import {Roles} from "../src/libraries/Roles.sol";
import {MockUsdfc} from "../src/mocks/MockUsdfc.sol";

/// @title The deployment script, on a pretended Calibration and on a local network.
contract DeployTest is Test {
    address private constant CALIBRATION_USDFC = 0xb3042734b608a1B16e9e86B374A3f3e389B4cDf0;
    address private deployer = makeAddr("deployer");

    /// @dev The environment belongs to the whole process, so the cases run one after the other in a single test.
    function test_DeploysToCalibrationAndLocallyAndResumes() public {
        vm.roll(7);
        vm.chainId(314_159);
        vm.setEnv("PARITY_CALIBRATION", "true");
        vm.setEnv("PARITY_DEPLOYMENTS", "cache/deploy-test-calibration.json");
        _remove("cache/deploy-test-calibration.json");
        _remove("cache/deploy-test-local.json");

        // Asked for Calibration, no real token in sight: never a mock.
        Deploy script = new Deploy();
        vm.expectRevert(abi.encodeWithSelector(Deploy.Deploy_NoUsdfc.selector, CALIBRATION_USDFC));
        script.deploy(deployer);

        vm.etch(CALIBRATION_USDFC, address(new MockUsdfc()).code);
        Deploy.Deployment memory first = _run(script);
        assertEq(first.usdfc, CALIBRATION_USDFC);
        assertEq(first.startBlock, 7);
        _assertComplete(first);
        assertTrue(vm.exists("cache/deploy-test-calibration.json"));

        // Again, later: the same addresses, nothing new.
        vm.roll(9);
        uint256 nonce = vm.getNonce(deployer);
        assertEq(abi.encode(_run(script)), abi.encode(first));
        assertEq(vm.getNonce(deployer), nonce);

        // After an interruption that lost the last contract: only that one is made anew. Its roles are the governor's business,
        // since genesis is over.
        vm.etch(first.sessions, "");
        Deploy.Deployment memory resumed = _run(script);
        assertEq(resumed.escrow, first.escrow);
        assertNotEq(resumed.sessions, first.sessions);

        // A local network of the same chain id gets the mock.
        vm.etch(CALIBRATION_USDFC, "");
        vm.setEnv("PARITY_CALIBRATION", "false");
        vm.setEnv("PARITY_DEPLOYMENTS", "cache/deploy-test-local.json");
        vm.setEnv("PARITY_GOVERNOR", vm.toString(makeAddr("governor")));
        Deploy.Deployment memory local = _run(script);
        _assertComplete(local);
        assertEq(MockUsdfc(local.usdfc).symbol(), "USDFC");
        assertEq(Authority(local.authority).governor(), makeAddr("governor"));

        // No other chain.
        vm.chainId(314);
        vm.expectRevert(abi.encodeWithSelector(Deploy.Deploy_UnsupportedChain.selector, 314));
        script.deploy(deployer);

        _remove("cache/deploy-test-calibration.json");
        _remove("cache/deploy-test-local.json");
    }

    function _run(Deploy script) private returns (Deploy.Deployment memory) {
        return script.deploy(deployer);
    }

    function _assertComplete(Deploy.Deployment memory d) private view {
        Authority authority = Authority(d.authority);
        assertTrue(authority.isSealed());
        assertTrue(authority.holds(Roles.CONTROLLER, d.sessions));
        assertTrue(authority.holds(Roles.RECORDER, d.sessions));
        assertFalse(authority.holds(Roles.SLASHER, d.sessions));
        assertGt(authority.delay(), Stakes(d.stakes).unbondingPeriod());
        assertEq(Stakes(d.stakes).token(), d.usdfc);
        assertEq(Escrow(d.escrow).token(), d.usdfc);
    }

    function _remove(string memory file) private {
        if (vm.exists(file)) vm.removeFile(file);
    }
}
