// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IEscrow: budgets, cumulative payouts and refunds.
/// @notice Knows amounts and payees, never what the work was. A controller (a logic contract with the CONTROLLER role)
/// opens a budget, commits growing cumulative Merkle-sum roots against it and closes it; everything else is
/// permissionless. A budget is named by (controller, id).
interface IEscrow {
    struct Budget {
        // slot 0
        uint128 committed; // sum of the latest root: what has been earned so far
        uint128 claimed; // what has been paid out so far
        // slot 1
        uint128 deposited; // what was locked at opening
        uint128 refunded; // what went back to the funder at closing
        // slot 2
        bytes32 root; // latest cumulative Merkle-sum root
        // slot 3
        address funder;
        bool closed;
    }

    /// @notice One proof step: hash and sum of the sibling node.
    struct ProofNode {
        bytes32 hash;
        uint128 sum;
    }

    struct Claim {
        address controller;
        uint256 id;
        address operator;
        uint128 cumulative;
        ProofNode[] proof;
    }

    event BudgetOpened(address indexed controller, uint256 indexed id, address indexed funder, uint128 amount);
    event PayoutsCommitted(address indexed controller, uint256 indexed id, bytes32 root, uint128 committed);
    event PayoutClaimed(
        address indexed controller,
        uint256 indexed id,
        address indexed operator,
        address payee,
        uint128 amount,
        uint128 cumulative
    );
    /// @notice A claim inside a batch failed (already paid, bad proof or a payee that cannot receive); the others went on.
    event ClaimSkipped(address indexed controller, uint256 indexed id, address indexed operator, bytes reason);
    event BudgetClosed(address indexed controller, uint256 indexed id, address indexed funder, uint128 refunded);
    event CreditWithdrawn(address indexed owner, address payee, uint128 amount);
    event PayeeSet(address indexed owner, address payee);

    error Escrow_NotController(address actual);
    error Escrow_BudgetExists(uint256 id);
    error Escrow_UnknownBudget(address controller, uint256 id);
    error Escrow_BudgetClosed(uint256 id);
    error Escrow_ZeroAmount();
    error Escrow_SumDecreased(uint128 expected, uint128 actual);
    error Escrow_OverBudget(uint128 expected, uint128 actual);
    error Escrow_InvalidProof(bytes32 expected, bytes32 actual);
    error Escrow_NothingToClaim(address operator, uint128 cumulative);
    error Escrow_NoCredit(address owner);
    error Escrow_InvalidPayee(address payee);

    /// @notice Pulls `amount` from `funder`, who has approved this contract; callable by a controller.
    function open(uint256 id, address funder, uint128 amount) external;
    /// @notice Replaces the cumulative root; `committed` never falls and never exceeds the deposit.
    function commit(uint256 id, bytes32 root, uint128 committed) external;
    /// @notice Ends the budget and credits everything not committed to the funder.
    function close(uint256 id) external returns (uint128 refunded);

    /// @notice Pays the difference between `cumulative` and what `operator` has had, to its payee. Anyone may call.
    function claim(Claim calldata claim_) external returns (uint128 paid);
    /// @notice Many claims; one that fails is skipped with an event and blocks nobody.
    function claimMany(Claim[] calldata claims) external;
    /// @notice Pays the credit of `owner` (refunds) to its payee. Anyone may call.
    function withdraw(address owner) external returns (uint128 paid);
    /// @notice Names where the caller's payouts and credits go; refused when the token cannot be sent there.
    function setPayee(address payee) external;

    function budget(address controller, uint256 id) external view returns (Budget memory);
    function claimedBy(address controller, uint256 id, address operator) external view returns (uint128);
    function credit(address owner) external view returns (uint128);
    /// @notice The registered payee, or `owner` itself when none was named.
    function payeeOf(address owner) external view returns (address);
    function token() external view returns (address);
}
