// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";

import {Escrow} from "../../src/Escrow.sol";
import {Stakes} from "../../src/Stakes.sol";
import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {IStakes} from "../../src/interfaces/IStakes.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {SumTree} from "../support/SumTree.sol";

/// @title MoneyHandler: everything that can happen to stakes and budgets, by a controller and a slasher that may be hostile.
/// @notice The controller commits trees that take back what earlier ones gave; some recipients are refused by the token. Ghosts
/// remember what was paid, so that the invariants need not believe the contracts.
contract MoneyHandler is CommonBase, StdUtils {
    uint256 public constant BUDGETS = 3;
    uint256 public constant ACTORS = 4;

    Stakes public immutable stakes;
    Escrow public immutable escrow;
    MockUsdfc public immutable usdfc;
    address public immutable controller;
    address public immutable slasher;

    address[] public actors;
    /// @dev What each actor was paid by each budget, counted from token transfers.
    mapping(uint256 id => mapping(address operator => uint256)) public paid;
    /// @dev The deepest a claim record ever was.
    mapping(uint256 id => mapping(address operator => uint128)) public highest;
    /// @dev The leaves behind the current root of each budget.
    mapping(uint256 id => SumTree.Leaf[]) private _trees;
    /// @dev Hash of a budget when it closed.
    mapping(uint256 id => bytes32) public closedAs;
    mapping(bytes32 action => uint256) public done;

    constructor(Stakes stakes_, Escrow escrow_, MockUsdfc usdfc_, address controller_, address slasher_) {
        (stakes, escrow, usdfc) = (stakes_, escrow_, usdfc_);
        (controller, slasher) = (controller_, slasher_);
        for (uint256 i = 0; i < ACTORS; ++i) {
            actors.push(address(uint160(0xA0000 + i)));
            vm.startPrank(actors[i]);
            usdfc_.approve(address(stakes_), type(uint256).max);
            usdfc_.approve(address(escrow_), type(uint256).max);
            vm.stopPrank();
        }
    }

    // --- stakes ---

    function deposit(uint256 seed, uint128 amount) external {
        amount = uint128(bound(amount, 1, 1e27));
        _mint(_actor(seed), amount);
        vm.prank(_actor(seed));
        stakes.deposit(amount);
        ++done["deposit"];
    }

    function requestUnbond(uint256 seed, uint128 amount) external {
        uint128 active = stakes.active(_actor(seed));
        if (active == 0) return;
        vm.prank(_actor(seed));
        stakes.requestUnbond(uint128(bound(amount, 1, active)));
        ++done["requestUnbond"];
    }

    function cancelUnbond(uint256 seed) external {
        if (stakes.account(_actor(seed)).unbonding == 0) return;
        vm.prank(_actor(seed));
        stakes.cancelUnbond();
        ++done["cancelUnbond"];
    }

    function withdrawStake(uint256 seed) external {
        IStakes.Account memory account = stakes.account(_actor(seed));
        if (account.unbonding == 0 || account.withdrawableFrom > vm.getBlockNumber()) return;
        try stakes.withdraw(_actor(seed)) {
            ++done["withdrawStake"];
        } catch {
            require(usdfc.isRefused(_actor(seed)), "only a refused recipient stops a withdrawal");
        }
    }

    function slash(uint256 seed, uint128 amount) external {
        vm.prank(slasher);
        stakes.slash(_actor(seed), uint128(bound(amount, 1, 1e27)), seed, address(0xBEEF));
        ++done["slash"];
    }

    // --- escrow ---

    function open(uint256 seed, uint128 amount) external {
        uint256 id = seed % BUDGETS;
        if (escrow.budget(controller, id).funder != address(0)) return;
        amount = uint128(bound(amount, 1, 1e27));
        _mint(_actor(seed), amount);
        vm.prank(controller);
        escrow.open(id, _actor(seed), amount);
        ++done["open"];
    }

    function commit(uint256 seed, uint128[4] calldata cumulative) external {
        (uint256 id, IEscrow.Budget memory budget) = _open(seed);
        if (budget.funder == address(0)) return;
        SumTree.Leaf[] memory leaves = new SumTree.Leaf[](ACTORS);
        for (uint256 i = 0; i < ACTORS; ++i) {
            leaves[i] = SumTree.Leaf(actors[i], uint128(bound(cumulative[i], 0, budget.deposited / ACTORS)));
        }
        (bytes32 root, uint128 sum) = SumTree.root(leaves);
        if (sum < budget.committed) return;
        vm.prank(controller);
        escrow.commit(id, root, sum);
        delete _trees[id];
        for (uint256 i = 0; i < ACTORS; ++i) {
            _trees[id].push(leaves[i]);
        }
        ++done["commit"];
    }

    function close(uint256 seed) external {
        // Rarely: a closed budget has nothing more to show.
        if ((seed >> 128) % 8 != 0) return;
        (uint256 id, IEscrow.Budget memory budget) = _open(seed);
        if (budget.funder == address(0)) return;
        vm.prank(controller);
        escrow.close(id);
        closedAs[id] = fingerprint(id);
        ++done["close"];
    }

    function claim(uint256 seed, uint256 index) external {
        uint256 id = seed % BUDGETS;
        SumTree.Leaf[] memory leaves = _trees[id];
        if (leaves.length == 0) return;
        index = index % leaves.length;
        IEscrow.Claim memory wanted = IEscrow.Claim(
            controller, id, leaves[index].operator, leaves[index].cumulative, SumTree.proof(leaves, index)
        );
        uint256 before = usdfc.balanceOf(escrow.payeeOf(wanted.operator));
        try escrow.claim(wanted) {
            paid[id][wanted.operator] += usdfc.balanceOf(escrow.payeeOf(wanted.operator)) - before;
            if (wanted.cumulative > highest[id][wanted.operator]) highest[id][wanted.operator] = wanted.cumulative;
            ++done["claim"];
        } catch {}
    }

    function withdrawCredit(uint256 seed) external {
        if (escrow.credit(_actor(seed)) == 0) return;
        try escrow.withdraw(_actor(seed)) {
            ++done["withdrawCredit"];
        } catch {
            require(usdfc.isRefused(escrow.payeeOf(_actor(seed))), "only a refused recipient stops a withdrawal");
        }
    }

    function setPayee(uint256 seed, uint256 payee) external {
        if (usdfc.isRefused(_actor(payee))) return;
        vm.prank(_actor(seed));
        escrow.setPayee(_actor(payee));
        ++done["setPayee"];
    }

    // --- world ---

    function refuse(uint256 seed, bool refused) external {
        usdfc.setRefused(_actor(seed), refused);
    }

    function skip_(uint256 epochs) external {
        vm.roll(vm.getBlockNumber() + bound(epochs, 1, 200));
    }

    /// @dev Everything about a budget that may never change once it is closed.
    function fingerprint(uint256 id) public view returns (bytes32) {
        IEscrow.Budget memory budget = escrow.budget(controller, id);
        return keccak256(abi.encode(budget.root, budget.committed, budget.deposited, budget.refunded, budget.closed));
    }

    /// @dev The token refuses to mint to refused recipients too.
    function _mint(address actor, uint256 amount) private {
        bool refused = usdfc.isRefused(actor);
        usdfc.setRefused(actor, false);
        usdfc.mint(actor, amount);
        usdfc.setRefused(actor, refused);
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % ACTORS];
    }

    /// @dev An open budget; its funder is zero when there is none.
    function _open(uint256 seed) private view returns (uint256 id, IEscrow.Budget memory budget) {
        id = seed % BUDGETS;
        budget = escrow.budget(controller, id);
        if (budget.closed) budget.funder = address(0);
    }
}
