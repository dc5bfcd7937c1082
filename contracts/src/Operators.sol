// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOperators} from "./interfaces/IOperators.sol";
import {MaskedAddress} from "./libraries/MaskedAddress.sol";

/// @title Operators: see IOperators.
/// @notice An operator that retires keeps its place in the list and may register again.
contract Operators is IOperators {
    mapping(address account => Operator) private _operators;
    address[] private _list;

    /// @inheritdoc IOperators
    function register(bytes32 metadata, bytes32 key, uint64 capabilities) external {
        if (MaskedAddress.isMasked(msg.sender)) revert Operators_MaskedAddress(msg.sender);
        if (key == 0) revert Operators_ZeroKey();
        Operator storage record = _operators[msg.sender];
        if (record.active) revert Operators_AlreadyRegistered(msg.sender);

        if (record.registeredAt == 0) _list.push(msg.sender);
        _operators[msg.sender] = Operator(metadata, key, capabilities, uint40(block.number), true);
        emit OperatorRegistered(msg.sender, metadata, key, capabilities);
    }

    /// @inheritdoc IOperators
    function update(bytes32 metadata, bytes32 key, uint64 capabilities) external {
        if (key == 0) revert Operators_ZeroKey();
        Operator storage record = _registered();

        record.metadata = metadata;
        record.key = key;
        record.capabilities = capabilities;
        emit OperatorUpdated(msg.sender, metadata, key, capabilities);
    }

    /// @inheritdoc IOperators
    function retire() external {
        _registered().active = false;
        emit OperatorRetired(msg.sender);
    }

    /// @inheritdoc IOperators
    function operator(address account) external view returns (Operator memory) {
        return _operators[account];
    }

    /// @inheritdoc IOperators
    function isCapable(address account, uint64 required) external view returns (bool) {
        Operator storage record = _operators[account];
        return record.active && record.capabilities & required == required;
    }

    /// @inheritdoc IOperators
    function count() external view returns (uint256) {
        return _list.length;
    }

    /// @inheritdoc IOperators
    function page(uint256 from, uint256 limit) external view returns (address[] memory accounts) {
        uint256 length = _list.length;
        if (from >= length) return new address[](0);
        uint256 size = limit < length - from ? limit : length - from;
        accounts = new address[](size);
        for (uint256 i = 0; i < size; ++i) {
            accounts[i] = _list[from + i];
        }
    }

    function _registered() private view returns (Operator storage record) {
        record = _operators[msg.sender];
        if (!record.active) revert Operators_NotRegistered(msg.sender);
    }
}
