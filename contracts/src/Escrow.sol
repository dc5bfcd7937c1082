// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IEscrow} from "./interfaces/IEscrow.sol";
import {MaskedAddress} from "./libraries/MaskedAddress.sol";
import {MerkleSum} from "./libraries/MerkleSum.sol";
import {Roles} from "./libraries/Roles.sol";
import {SafeToken} from "./libraries/SafeToken.sol";

/// @title Escrow: see IEscrow. Immutable and ownerless.
/// @notice Invariants, per budget: claimed <= committed <= deposited, and refunded = deposited - committed once closed. Over all:
/// the balance of this contract is at least everything deposited and not yet claimed or withdrawn.
contract Escrow is IEscrow {
    using SafeToken for IERC20;

    IERC20 private immutable _token;
    IAuthority private immutable _authority;

    mapping(address controller => mapping(uint256 id => Budget)) private _budgets;
    mapping(address controller => mapping(uint256 id => mapping(address operator => uint128))) private _claimed;
    mapping(address owner => uint128) private _credits;
    mapping(address owner => address) private _payees;

    constructor(address token_, address authority_) {
        _token = IERC20(token_);
        _authority = IAuthority(authority_);
    }

    /// @inheritdoc IEscrow
    /// @dev The role is asked for here only: a controller that loses it opens nothing more, but finishes what it has opened, so
    /// that taking the role away locks nobody's money.
    function open(uint256 id, address funder, uint128 amount) external {
        if (!_authority.holds(Roles.CONTROLLER, msg.sender)) revert Escrow_NotController(msg.sender);
        if (amount == 0) revert Escrow_ZeroAmount();
        Budget storage budget_ = _budgets[msg.sender][id];
        if (budget_.funder != address(0)) revert Escrow_BudgetExists(id);

        budget_.funder = funder;
        budget_.deposited = amount;
        emit BudgetOpened(msg.sender, id, funder, amount);
        _token.pull(funder, amount);
    }

    /// @inheritdoc IEscrow
    function commit(uint256 id, bytes32 root, uint128 committed) external {
        Budget storage budget_ = _openBudget(id);
        if (committed < budget_.committed) revert Escrow_SumDecreased(budget_.committed, committed);
        if (committed > budget_.deposited) revert Escrow_OverBudget(budget_.deposited, committed);

        budget_.root = root;
        budget_.committed = committed;
        emit PayoutsCommitted(msg.sender, id, root, committed);
    }

    /// @inheritdoc IEscrow
    function close(uint256 id) external returns (uint128 refunded) {
        Budget storage budget_ = _openBudget(id);
        address funder = budget_.funder;
        refunded = budget_.deposited - budget_.committed;

        budget_.closed = true;
        budget_.refunded = refunded;
        _credits[funder] += refunded;
        emit BudgetClosed(msg.sender, id, funder, refunded);
    }

    /// @inheritdoc IEscrow
    function claim(Claim calldata claim_) external returns (uint128 paid) {
        Budget storage budget_ = _budgets[claim_.controller][claim_.id];
        uint128 committed = budget_.committed;
        {
            bytes32 root = budget_.root;
            (bytes32 hash, uint128 sum) = MerkleSum.rootOf(claim_.operator, claim_.cumulative, claim_.proof);
            if (hash != root || sum != committed) {
                if (budget_.funder == address(0)) revert Escrow_UnknownBudget(claim_.controller, claim_.id);
                revert Escrow_InvalidProof(root, hash);
            }
        }
        uint128 before = _claimed[claim_.controller][claim_.id][claim_.operator];
        if (claim_.cumulative <= before) revert Escrow_NothingToClaim(claim_.operator, claim_.cumulative);
        paid = claim_.cumulative - before;
        // A later root may have moved what an earlier one gave to somebody else: no budget pays for another.
        uint128 claimed = budget_.claimed + paid;
        if (claimed > committed) revert Escrow_OverBudget(committed, claimed);

        budget_.claimed = claimed;
        _claimed[claim_.controller][claim_.id][claim_.operator] = claim_.cumulative;
        address payee = payeeOf(claim_.operator);
        emit PayoutClaimed(claim_.controller, claim_.id, claim_.operator, payee, paid, claim_.cumulative);
        _token.push(payee, paid);
    }

    /// @inheritdoc IEscrow
    function claimMany(Claim[] calldata claims) external {
        for (uint256 i = 0; i < claims.length; ++i) {
            try this.claim(claims[i]) {}
            catch (bytes memory reason) {
                emit ClaimSkipped(claims[i].controller, claims[i].id, claims[i].operator, reason);
            }
        }
    }

    /// @inheritdoc IEscrow
    function withdraw(address owner) external returns (uint128 paid) {
        paid = _credits[owner];
        if (paid == 0) revert Escrow_NoCredit(owner);

        _credits[owner] = 0;
        address payee = payeeOf(owner);
        emit CreditWithdrawn(owner, payee, paid);
        _token.push(payee, paid);
    }

    /// @inheritdoc IEscrow
    function setPayee(address payee) external {
        if (
            payee == address(0) || payee == address(this) || payee == address(_token) || MaskedAddress.isMasked(payee)
                || !_token.accepts(payee)
        ) revert Escrow_InvalidPayee(payee);

        _payees[msg.sender] = payee;
        emit PayeeSet(msg.sender, payee);
    }

    /// @inheritdoc IEscrow
    function budget(address controller, uint256 id) external view returns (Budget memory) {
        return _budgets[controller][id];
    }

    /// @inheritdoc IEscrow
    function claimedBy(address controller, uint256 id, address operator) external view returns (uint128) {
        return _claimed[controller][id][operator];
    }

    /// @inheritdoc IEscrow
    function credit(address owner) external view returns (uint128) {
        return _credits[owner];
    }

    /// @inheritdoc IEscrow
    function payeeOf(address owner) public view returns (address) {
        address payee = _payees[owner];
        return payee == address(0) ? owner : payee;
    }

    /// @inheritdoc IEscrow
    function token() external view returns (address) {
        return address(_token);
    }

    function _openBudget(uint256 id) private view returns (Budget storage budget_) {
        budget_ = _budgets[msg.sender][id];
        if (budget_.funder == address(0)) revert Escrow_UnknownBudget(msg.sender, id);
        if (budget_.closed) revert Escrow_BudgetClosed(id);
    }
}
