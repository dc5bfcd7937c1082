// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IAuthority: which logic contracts the money contracts listen to, and from which epoch on.
/// @notice Roles only ever name contracts; a grant made after genesis takes effect after a delay longer than the
/// unbonding period, so that everyone can leave before a new logic contract has any power.
interface IAuthority {
    /// @notice `role` was announced for `account` and is in force from epoch `activeFrom`.
    event RoleGranted(bytes32 indexed role, address indexed account, uint40 activeFrom);
    /// @notice `role` was taken from `account` with immediate effect.
    event RoleRevoked(bytes32 indexed role, address indexed account);
    /// @notice Genesis ended: from now on every grant waits for the delay.
    event Sealed();
    /// @notice The governor changed.
    event GovernorChanged(address indexed governor);

    error Authority_NotGovernor(address expected, address actual);
    error Authority_ZeroAddress();

    function grant(bytes32 role, address account) external;
    function revoke(bytes32 role, address account) external;
    function seal() external;
    function setGovernor(address governor) external;

    function governor() external view returns (address);
    function delay() external view returns (uint40);
    function isSealed() external view returns (bool);
    /// @notice Whether `account` holds `role` in the current epoch.
    function holds(bytes32 role, address account) external view returns (bool);
}
