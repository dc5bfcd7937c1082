// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title MockUsdfc: USDFC for local networks and tests. Anyone may mint it, so it is worth nothing.
/// @notice Behaves like the real token where that matters to the network: 18 decimals, EIP-2612 permit, EIP-3009
/// authorizations, and transfers that revert for the zero address, the token itself and a list of refused recipients
/// (the real token refuses the contracts of its own protocol).
contract MockUsdfc is ERC20, ERC20Permit {
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    /// @notice Whether transfers to an address revert.
    mapping(address recipient => bool) public isRefused;
    /// @notice Whether an authorization was used or cancelled (EIP-3009).
    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    error MockUsdfc_RefusedRecipient(address recipient);
    error MockUsdfc_AuthorizationNotActive(uint256 validAfter, uint256 validBefore, uint256 actual);
    error MockUsdfc_AuthorizationUsed(address authorizer, bytes32 nonce);
    error MockUsdfc_InvalidSigner(address expected, address actual);
    error MockUsdfc_NotPayee(address expected, address actual);

    constructor() ERC20("USD for Filecoin Community", "USDFC") ERC20Permit("USD for Filecoin Community") {
        isRefused[address(this)] = true;
    }

    /// @notice Creates `amount` base units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Makes transfers to `recipient` revert, or succeed again.
    function setRefused(address recipient, bool refused) external {
        isRefused[recipient] = refused;
    }

    /// @notice Moves tokens on a signature of `from`; anyone may send it.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _useAuthorization(
            TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce, _pack(v, r, s)
        );
        _transfer(from, to, value);
    }

    /// @notice The same, sent by the recipient only, so that nobody can take the transfer out of the call around it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (to != msg.sender) revert MockUsdfc_NotPayee(to, msg.sender);
        _useAuthorization(
            RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce, _pack(v, r, s)
        );
        _transfer(from, to, value);
    }

    /// @notice Makes an unused authorization worthless.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        if (authorizationState[authorizer][nonce]) revert MockUsdfc_AuthorizationUsed(authorizer, nonce);
        _requireSigner(
            authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), _pack(v, r, s)
        );
        authorizationState[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    /// @notice EIP-712 version of the domain, as on the real token.
    function version() external pure returns (string memory) {
        return "1";
    }

    function _useAuthorization(
        bytes32 typeHash,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) private {
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) {
            revert MockUsdfc_AuthorizationNotActive(validAfter, validBefore, block.timestamp);
        }
        if (authorizationState[from][nonce]) revert MockUsdfc_AuthorizationUsed(from, nonce);
        _requireSigner(
            from, keccak256(abi.encode(typeHash, from, to, value, validAfter, validBefore, nonce)), signature
        );
        authorizationState[from][nonce] = true;
        emit AuthorizationUsed(from, nonce);
    }

    function _requireSigner(address expected, bytes32 structHash, bytes memory signature) private view {
        address actual = ECDSA.recover(_hashTypedDataV4(structHash), signature);
        if (actual != expected) revert MockUsdfc_InvalidSigner(expected, actual);
    }

    function _pack(uint8 v, bytes32 r, bytes32 s) private pure returns (bytes memory) {
        return abi.encodePacked(r, s, v);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (to != address(0) && isRefused[to]) revert MockUsdfc_RefusedRecipient(to);
        super._update(from, to, value);
    }
}
