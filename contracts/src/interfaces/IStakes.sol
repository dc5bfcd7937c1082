// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IStakes: the bonds of operators.
/// @notice Holds USDFC that operators put at risk. Active stake backs seats and keeper duties; unbonding stake waits
/// out the delay and stays slashable until it is withdrawn. Ownerless; only holders of the SLASHER role may slash.
interface IStakes {
    struct Account {
        uint128 active;
        uint128 unbonding;
        uint40 withdrawableFrom;
    }

    event Deposited(address indexed operator, address indexed from, uint128 amount);
    event UnbondRequested(address indexed operator, uint128 amount, uint40 withdrawableFrom);
    event UnbondCancelled(address indexed operator, uint128 amount);
    event Withdrawn(address indexed operator, uint128 amount);
    event Slashed(address indexed operator, uint256 indexed caseId, address indexed beneficiary, uint128 amount);

    error Stakes_ZeroAmount();
    error Stakes_InsufficientActive(uint128 expected, uint128 actual);
    error Stakes_NothingUnbonding(address operator);
    error Stakes_NotWithdrawable(uint40 expected, uint40 actual);
    error Stakes_NotSlasher(address actual);
    error Stakes_AmountTooLarge(uint256 amount);
    error Stakes_UnbondingTooLong(uint40 delay, uint40 unbondingPeriod);

    /// @notice Bonds `amount` base units of USDFC for the caller; needs an allowance.
    function deposit(uint256 amount) external;
    /// @notice The same with an EIP-2612 permit; a front-run permit does no harm.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    /// @notice Starts to unbond; the whole unbonding amount becomes withdrawable `unbondingPeriod` epochs from now.
    function requestUnbond(uint128 amount) external;
    /// @notice Returns the whole unbonding amount to active stake.
    function cancelUnbond() external;
    /// @notice Pays the whole unbonding amount to the operator after the delay; anyone may call.
    function withdraw(address operator) external;
    /// @notice Takes up to `amount`, first from active then from unbonding stake, and pays it to `beneficiary`.
    function slash(address operator, uint128 amount, uint256 caseId, address beneficiary)
        external
        returns (uint128 taken);

    function account(address operator) external view returns (Account memory);
    function active(address operator) external view returns (uint128);
    function unbondingPeriod() external view returns (uint40);
    function token() external view returns (address);
}
