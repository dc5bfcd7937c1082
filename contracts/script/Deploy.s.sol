// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Script} from "forge-std/Script.sol";

import {Authority} from "../src/Authority.sol";
import {Escrow} from "../src/Escrow.sol";
import {Operators} from "../src/Operators.sol";
import {Reputation} from "../src/Reputation.sol";
import {Sessions} from "../src/Sessions.sol";
import {Stakes} from "../src/Stakes.sol";
import {Roles} from "../src/libraries/Roles.sol";
import {MockUsdfc} from "../src/mocks/MockUsdfc.sol";

/// @title Deploy: puts the contracts on Calibration or on a local network and writes down where they are.
/// @notice May be run again: what the deployments file names and the chain has code for is kept, and only missing steps are
/// made. Both networks have chain id 314159; Calibration is the one on which the real USDFC has code. Environment:
/// PARITY_DEPLOYMENTS (file), PARITY_GOVERNOR (default: the deployer), PARITY_UNBONDING_EPOCHS, PARITY_DELAY_EPOCHS,
/// PARITY_CALIBRATION (true: refuse to deploy a mock token).
contract Deploy is Script {
    uint256 internal constant FILECOIN_TEST = 314_159;
    uint256 internal constant ANVIL = 31_337;
    address internal constant CALIBRATION_USDFC = 0xb3042734b608a1B16e9e86B374A3f3e389B4cDf0;
    /// @dev Two hours: short enough to try leaving on a test network.
    uint256 internal constant UNBONDING_EPOCHS = 240;
    /// @dev One hour more than unbonding, so that a grant never outruns a withdrawal.
    uint256 internal constant DELAY_MARGIN_EPOCHS = 120;

    struct Deployment {
        uint256 startBlock;
        address usdfc;
        address authority;
        address stakes;
        address escrow;
        address operators;
        address reputation;
        address sessions;
    }

    error Deploy_UnsupportedChain(uint256 chainId);
    error Deploy_NoUsdfc(address expected);
    error Deploy_NotGovernor(address expected, address actual);

    function run() external returns (Deployment memory) {
        return deploy(msg.sender);
    }

    /// @notice The same on behalf of a named deployer.
    function deploy(address deployer) public returns (Deployment memory d) {
        string memory file = vm.envOr("PARITY_DEPLOYMENTS", _defaultFile());
        if (vm.exists(file)) d = _read(file);
        if (!_exists(d.authority)) d.startBlock = vm.getBlockNumber();
        bool mocked = _usesMock();

        vm.startBroadcast(deployer);
        _deployToken(d, mocked);
        _deployContracts(d, deployer);
        _authorise(d, deployer);
        vm.stopBroadcast();

        _write(file, d);
    }

    function _deployToken(Deployment memory d, bool mocked) private {
        if (!mocked) d.usdfc = CALIBRATION_USDFC;
        else if (!_exists(d.usdfc)) d.usdfc = address(new MockUsdfc());
    }

    function _deployContracts(Deployment memory d, address deployer) private {
        uint40 unbonding = uint40(vm.envOr("PARITY_UNBONDING_EPOCHS", UNBONDING_EPOCHS));
        uint40 delay = uint40(vm.envOr("PARITY_DELAY_EPOCHS", uint256(unbonding) + DELAY_MARGIN_EPOCHS));
        if (!_exists(d.authority)) d.authority = address(new Authority(deployer, delay));
        if (!_exists(d.stakes)) d.stakes = address(new Stakes(d.usdfc, d.authority, unbonding));
        if (!_exists(d.escrow)) d.escrow = address(new Escrow(d.usdfc, d.authority));
        if (!_exists(d.operators)) d.operators = address(new Operators());
        if (!_exists(d.reputation)) d.reputation = address(new Reputation(d.authority));
        if (!_exists(d.sessions)) {
            d.sessions = address(new Sessions(d.escrow, d.stakes, d.operators, d.reputation));
        }
    }

    function _authorise(Deployment memory d, address deployer) private {
        Authority authority = Authority(d.authority);
        address governor = vm.envOr("PARITY_GOVERNOR", deployer);
        if (authority.isSealed() && authority.governor() == governor) return;
        if (authority.governor() != deployer) revert Deploy_NotGovernor(authority.governor(), deployer);

        if (!authority.holds(Roles.CONTROLLER, d.sessions)) authority.grant(Roles.CONTROLLER, d.sessions);
        if (!authority.holds(Roles.RECORDER, d.sessions)) authority.grant(Roles.RECORDER, d.sessions);
        if (!authority.isSealed()) authority.seal();
        if (governor != deployer) authority.setGovernor(governor);
    }

    function _usesMock() private view returns (bool) {
        if (block.chainid == FILECOIN_TEST && _exists(CALIBRATION_USDFC)) return false;
        if (vm.envOr("PARITY_CALIBRATION", false)) revert Deploy_NoUsdfc(CALIBRATION_USDFC);
        if (block.chainid != FILECOIN_TEST && block.chainid != ANVIL) revert Deploy_UnsupportedChain(block.chainid);
        return true;
    }

    function _exists(address account) private view returns (bool) {
        return account.code.length != 0;
    }

    function _defaultFile() private view returns (string memory) {
        return string.concat("../abi/deployments/", _usesMock() ? "local" : vm.toString(block.chainid), ".json");
    }

    function _read(string memory file) private view returns (Deployment memory d) {
        string memory json = vm.readFile(file);
        d.startBlock = vm.parseJsonUint(json, ".startBlock");
        d.usdfc = vm.parseJsonAddress(json, ".usdfc");
        d.authority = vm.parseJsonAddress(json, ".authority");
        d.stakes = vm.parseJsonAddress(json, ".stakes");
        d.escrow = vm.parseJsonAddress(json, ".escrow");
        d.operators = vm.parseJsonAddress(json, ".operators");
        d.reputation = vm.parseJsonAddress(json, ".reputation");
        d.sessions = vm.parseJsonAddress(json, ".sessions");
    }

    function _write(string memory file, Deployment memory d) private {
        string memory object = "deployment";
        vm.serializeUint(object, "chainId", block.chainid);
        vm.serializeUint(object, "startBlock", d.startBlock);
        vm.serializeAddress(object, "usdfc", d.usdfc);
        vm.serializeAddress(object, "authority", d.authority);
        vm.serializeAddress(object, "stakes", d.stakes);
        vm.serializeAddress(object, "escrow", d.escrow);
        vm.serializeAddress(object, "operators", d.operators);
        vm.serializeAddress(object, "reputation", d.reputation);
        vm.writeJson(vm.serializeAddress(object, "sessions", d.sessions), file);
    }
}
