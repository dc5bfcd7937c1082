// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Authority} from "../../src/Authority.sol";
import {Escrow} from "../../src/Escrow.sol";
import {Operators} from "../../src/Operators.sol";
import {Reputation} from "../../src/Reputation.sol";
import {Sessions} from "../../src/Sessions.sol";
import {Stakes} from "../../src/Stakes.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {BeaconMock} from "../../src/mocks/BeaconMock.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";

/// @title NetworkTest: the whole network, deployed and sealed, with a few accounts.
abstract contract NetworkTest is Test {
    address internal constant BEACON = 0xfE00000000000000000000000000000000000006;
    uint40 internal constant DELAY = 360;
    uint40 internal constant UNBONDING = 240;
    uint40 internal constant GENESIS = 1_000;

    MockUsdfc internal usdfc;
    Authority internal authority;
    Stakes internal stakes;
    Escrow internal escrow;
    Operators internal operators;
    Reputation internal reputation;
    Sessions internal sessions;

    address internal governor = makeAddr("governor");
    /// @dev Test contracts that act as logic contracts of their own.
    address internal controller = makeAddr("controller");
    address internal slasher = makeAddr("slasher");
    address internal recorder = makeAddr("recorder");
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        vm.roll(GENESIS);
        vm.etch(BEACON, type(BeaconMock).runtimeCode);
        usdfc = new MockUsdfc();
        authority = new Authority(governor, DELAY);
        stakes = new Stakes(address(usdfc), address(authority), UNBONDING);
        escrow = new Escrow(address(usdfc), address(authority));
        operators = new Operators();
        reputation = new Reputation(address(authority));
        sessions = new Sessions(address(escrow), address(stakes), address(operators), address(reputation));

        vm.startPrank(governor);
        authority.grant(Roles.CONTROLLER, address(sessions));
        authority.grant(Roles.CONTROLLER, controller);
        authority.grant(Roles.SLASHER, slasher);
        authority.grant(Roles.RECORDER, address(sessions));
        authority.grant(Roles.RECORDER, recorder);
        authority.seal();
        vm.stopPrank();
    }

    /// @dev Lets `epochs` pass.
    function _skip(uint256 epochs) internal {
        vm.roll(vm.getBlockNumber() + epochs);
    }

    function _epoch() internal view returns (uint40) {
        return uint40(vm.getBlockNumber());
    }

    /// @dev Mints `amount` to `owner` and approves `spender` for it.
    function _fund(address owner, address spender, uint256 amount) internal {
        usdfc.mint(owner, amount);
        vm.prank(owner);
        usdfc.approve(spender, amount);
    }

    function _stake(address operator, uint256 amount) internal {
        _fund(operator, address(stakes), amount);
        vm.prank(operator);
        stakes.deposit(amount);
    }

    /// @dev Signs an EIP-2612 permit with the key of `owner`.
    function _permit(uint256 key, address spender, uint256 amount, uint256 deadline)
        internal
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        address owner = vm.addr(key);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                spender,
                amount,
                usdfc.nonces(owner),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", usdfc.DOMAIN_SEPARATOR(), structHash)));
    }
}
