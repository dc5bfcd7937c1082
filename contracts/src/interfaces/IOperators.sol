// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IOperators: who offers work to the network and how to reach them.
/// @notice Holds no tokens. Every operator is one key; the list is enumerable without logs.
interface IOperators {
    struct Operator {
        bytes32 metadata; // sha2-256 digest of a DAG-CBOR manifest (hardware, region, software)
        bytes32 key; // X25519 public key for sealed data
        uint64 capabilities; // bit mask, see CAPABILITY_* in `Capabilities`
        uint40 registeredAt; // epoch
        bool active;
    }

    event OperatorRegistered(address indexed operator, bytes32 metadata, bytes32 key, uint64 capabilities);
    event OperatorUpdated(address indexed operator, bytes32 metadata, bytes32 key, uint64 capabilities);
    event OperatorRetired(address indexed operator);

    error Operators_AlreadyRegistered(address operator);
    error Operators_NotRegistered(address operator);
    error Operators_MaskedAddress(address operator);
    error Operators_ZeroKey();

    function register(bytes32 metadata, bytes32 key, uint64 capabilities) external;
    function update(bytes32 metadata, bytes32 key, uint64 capabilities) external;
    function retire() external;

    function operator(address account) external view returns (Operator memory);
    /// @notice Whether `account` is active and has every bit of `required`.
    function isCapable(address account, uint64 required) external view returns (bool);
    function count() external view returns (uint256);
    /// @notice Up to `limit` operators from index `from`, in order of registration.
    function page(uint256 from, uint256 limit) external view returns (address[] memory);
}
