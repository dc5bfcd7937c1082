// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IStakes} from "./interfaces/IStakes.sol";
import {Roles} from "./libraries/Roles.sol";
import {SafeToken} from "./libraries/SafeToken.sol";

/// @title Stakes: see IStakes. Immutable and ownerless.
/// @notice Invariant: the balance of this contract is at least the sum of all active and unbonding stake.
contract Stakes is IStakes {
    using SafeToken for IERC20;

    IERC20 private immutable _token;
    IAuthority private immutable _authority;
    /// @inheritdoc IStakes
    uint40 public immutable unbondingPeriod;

    mapping(address operator => Account) private _accounts;

    constructor(address token_, address authority_, uint40 unbondingPeriod_) {
        _token = IERC20(token_);
        _authority = IAuthority(authority_);
        unbondingPeriod = unbondingPeriod_;
        // Everyone must be able to leave before a new slasher has any power.
        uint40 delay = IAuthority(authority_).delay();
        if (delay <= unbondingPeriod_) revert Stakes_UnbondingTooLong(delay, unbondingPeriod_);
    }

    /// @inheritdoc IStakes
    function deposit(uint256 amount) external {
        _deposit(amount);
    }

    /// @inheritdoc IStakes
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        _token.permit(msg.sender, address(this), amount, deadline, v, r, s);
        _deposit(amount);
    }

    /// @inheritdoc IStakes
    function requestUnbond(uint128 amount) external {
        if (amount == 0) revert Stakes_ZeroAmount();
        Account storage account_ = _accounts[msg.sender];
        uint128 active_ = account_.active;
        if (active_ < amount) revert Stakes_InsufficientActive(amount, active_);

        uint40 withdrawableFrom = uint40(block.number) + unbondingPeriod;
        account_.active = active_ - amount;
        account_.unbonding += amount;
        account_.withdrawableFrom = withdrawableFrom;
        emit UnbondRequested(msg.sender, amount, withdrawableFrom);
    }

    /// @inheritdoc IStakes
    function cancelUnbond() external {
        Account storage account_ = _accounts[msg.sender];
        uint128 amount = account_.unbonding;
        if (amount == 0) revert Stakes_NothingUnbonding(msg.sender);

        account_.active += amount;
        account_.unbonding = 0;
        emit UnbondCancelled(msg.sender, amount);
    }

    /// @inheritdoc IStakes
    function withdraw(address operator) external {
        Account storage account_ = _accounts[operator];
        uint128 amount = account_.unbonding;
        if (amount == 0) revert Stakes_NothingUnbonding(operator);
        uint40 withdrawableFrom = account_.withdrawableFrom;
        if (block.number < withdrawableFrom) revert Stakes_NotWithdrawable(withdrawableFrom, uint40(block.number));

        account_.unbonding = 0;
        emit Withdrawn(operator, amount);
        _token.push(operator, amount);
    }

    /// @inheritdoc IStakes
    function slash(address operator, uint128 amount, uint256 caseId, address beneficiary)
        external
        returns (uint128 taken)
    {
        if (!_authority.holds(Roles.SLASHER, msg.sender)) revert Stakes_NotSlasher(msg.sender);
        if (amount == 0) revert Stakes_ZeroAmount();
        Account storage account_ = _accounts[operator];
        uint128 active_ = account_.active;
        uint128 unbonding = account_.unbonding;

        uint128 fromActive = amount < active_ ? amount : active_;
        uint128 rest = amount - fromActive;
        uint128 fromUnbonding = rest < unbonding ? rest : unbonding;
        taken = fromActive + fromUnbonding;
        if (taken == 0) return 0;

        account_.active = active_ - fromActive;
        account_.unbonding = unbonding - fromUnbonding;
        emit Slashed(operator, caseId, beneficiary, taken);
        _token.push(beneficiary, taken);
    }

    /// @inheritdoc IStakes
    function account(address operator) external view returns (Account memory) {
        return _accounts[operator];
    }

    /// @inheritdoc IStakes
    function active(address operator) external view returns (uint128) {
        return _accounts[operator].active;
    }

    /// @inheritdoc IStakes
    function token() external view returns (address) {
        return address(_token);
    }

    function _deposit(uint256 amount) private {
        if (amount == 0) revert Stakes_ZeroAmount();
        if (amount > type(uint128).max) revert Stakes_AmountTooLarge(amount);

        _accounts[msg.sender].active += uint128(amount);
        emit Deposited(msg.sender, msg.sender, uint128(amount));
        _token.pull(msg.sender, amount);
    }
}
