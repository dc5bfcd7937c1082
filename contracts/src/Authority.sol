// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAuthority} from "./interfaces/IAuthority.sol";

/// @title Authority: see IAuthority.
/// @notice The governor can announce and revoke roles and nothing else: it never holds tokens and cannot touch stakes, budgets or
/// running sessions.
contract Authority is IAuthority {
    /// @inheritdoc IAuthority
    address public governor;
    /// @inheritdoc IAuthority
    bool public isSealed;
    /// @inheritdoc IAuthority
    uint40 public immutable delay;

    /// @dev Epoch from which a role is in force; 0 when it was never granted or was revoked.
    mapping(bytes32 role => mapping(address account => uint40)) private _activeFrom;

    constructor(address governor_, uint40 delay_) {
        if (governor_ == address(0)) revert Authority_ZeroAddress();
        governor = governor_;
        delay = delay_;
        emit GovernorChanged(governor_);
    }

    modifier onlyGovernor() {
        if (msg.sender != governor) revert Authority_NotGovernor(governor, msg.sender);
        _;
    }

    /// @inheritdoc IAuthority
    /// @dev Granting again what stands changes nothing: an announced role does not start its delay anew.
    function grant(bytes32 role, address account) external onlyGovernor {
        if (account == address(0)) revert Authority_ZeroAddress();
        if (_activeFrom[role][account] != 0) return;
        uint40 activeFrom = uint40(block.number) + (isSealed ? delay : 0);
        _activeFrom[role][account] = activeFrom;
        emit RoleGranted(role, account, activeFrom);
    }

    /// @inheritdoc IAuthority
    function revoke(bytes32 role, address account) external onlyGovernor {
        if (_activeFrom[role][account] == 0) return;
        delete _activeFrom[role][account];
        emit RoleRevoked(role, account);
    }

    /// @inheritdoc IAuthority
    function seal() external onlyGovernor {
        if (isSealed) return;
        isSealed = true;
        emit Sealed();
    }

    /// @inheritdoc IAuthority
    function setGovernor(address governor_) external onlyGovernor {
        if (governor_ == address(0)) revert Authority_ZeroAddress();
        governor = governor_;
        emit GovernorChanged(governor_);
    }

    /// @inheritdoc IAuthority
    function holds(bytes32 role, address account) external view returns (bool) {
        uint40 activeFrom = _activeFrom[role][account];
        return activeFrom != 0 && activeFrom <= block.number;
    }
}
