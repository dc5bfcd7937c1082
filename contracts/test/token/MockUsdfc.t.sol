// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {NetworkTest} from "../support/NetworkTest.sol";

/// @title The mock behaves like the real token where the network depends on it.
contract MockUsdfcTest is NetworkTest {
    uint256 private constant KEY = 0xA11CE;
    address private owner = vm.addr(KEY);
    address private payee = makeAddr("payee");

    function setUp() public override {
        super.setUp();
        usdfc.mint(owner, 10 ether);
        vm.warp(1_000);
    }

    function test_ItHasTheNamesOfTheRealToken() public view {
        assertEq(usdfc.name(), "USD for Filecoin Community");
        assertEq(usdfc.symbol(), "USDFC");
        assertEq(usdfc.decimals(), 18);
        assertEq(usdfc.version(), "1");
    }

    function test_RefusedRecipientsRevert() public {
        usdfc.setRefused(payee, true);
        vm.startPrank(owner);
        address[2] memory refused = [payee, address(usdfc)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_RefusedRecipient.selector, refused[i]));
            usdfc.transfer(refused[i], 0);
        }
        vm.expectRevert();
        usdfc.transfer(address(0), 1);
        usdfc.setRefused(payee, false);
        usdfc.transfer(payee, 1);
    }

    function test_AnAuthorizationMovesTokensOnce() public {
        bytes32 nonce = keccak256("nonce");
        (uint8 v, bytes32 r, bytes32 s) = _sign(usdfc.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), nonce);
        usdfc.transferWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
        assertEq(usdfc.balanceOf(payee), 3 ether);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_AuthorizationUsed.selector, owner, nonce));
        usdfc.transferWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
    }

    function test_ReceivingIsForThePayee() public {
        bytes32 nonce = keccak256("nonce");
        (uint8 v, bytes32 r, bytes32 s) = _sign(usdfc.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), nonce);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_NotPayee.selector, payee, address(this)));
        usdfc.receiveWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
        vm.prank(payee);
        usdfc.receiveWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
        assertEq(usdfc.balanceOf(payee), 3 ether);
    }

    function test_ACancelledAuthorizationIsWorthless() public {
        bytes32 nonce = keccak256("nonce");
        (uint8 v, bytes32 r, bytes32 s) =
            _signHash(keccak256(abi.encode(usdfc.CANCEL_AUTHORIZATION_TYPEHASH(), owner, nonce)));
        usdfc.cancelAuthorization(owner, nonce, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_AuthorizationUsed.selector, owner, nonce));
        usdfc.cancelAuthorization(owner, nonce, v, r, s);
        (v, r, s) = _sign(usdfc.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), nonce);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_AuthorizationUsed.selector, owner, nonce));
        usdfc.transferWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
    }

    function test_AnAuthorizationHasItsTimeAndItsSigner() public {
        bytes32 nonce = keccak256("nonce");
        (uint8 v, bytes32 r, bytes32 s) = _sign(usdfc.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), nonce);
        vm.expectPartialRevert(MockUsdfc.MockUsdfc_InvalidSigner.selector);
        usdfc.transferWithAuthorization(owner, payee, 4 ether, 0, 2_000, nonce, v, r, s);
        vm.warp(2_000);
        vm.expectRevert(abi.encodeWithSelector(MockUsdfc.MockUsdfc_AuthorizationNotActive.selector, 0, 2_000, 2_000));
        usdfc.transferWithAuthorization(owner, payee, 3 ether, 0, 2_000, nonce, v, r, s);
    }

    /// @dev Over a transfer of 3 USDFC from `owner` to `payee`, valid until 2,000.
    function _sign(bytes32 typeHash, bytes32 nonce) private view returns (uint8, bytes32, bytes32) {
        return _signHash(keccak256(abi.encode(typeHash, owner, payee, 3 ether, 0, 2_000, nonce)));
    }

    function _signHash(bytes32 structHash) private view returns (uint8, bytes32, bytes32) {
        return vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", usdfc.DOMAIN_SEPARATOR(), structHash)));
    }
}
