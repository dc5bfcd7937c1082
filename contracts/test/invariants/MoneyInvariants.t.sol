// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {IStakes} from "../../src/interfaces/IStakes.sol";
import {NetworkTest} from "../support/NetworkTest.sol";
import {MoneyHandler} from "./MoneyHandler.sol";

/// @title Invariants of the money contracts under any controller (numbers as in SPEC.md), all checked in one campaign.
contract MoneyInvariants is NetworkTest {
    MoneyHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new MoneyHandler(stakes, escrow, usdfc, controller, slasher);
        targetContract(address(handler));
    }

    function invariant_Money() public view {
        _checkI1();
        _checkI2();
        _checkI3();
        _checkI4();
        _checkI5();
    }

    /// @dev The campaign means something only if its random calls get everywhere.
    function test_TheHandlerReachesEveryAction() public {
        bytes32[11] memory actions = [
            bytes32("deposit"),
            "requestUnbond",
            "cancelUnbond",
            "withdrawStake",
            "slash",
            "open",
            "commit",
            "close",
            "claim",
            "withdrawCredit",
            "setPayee"
        ];
        for (uint256 i = 0; i < 200; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            handler.deposit(seed, uint128(seed));
            handler.open(seed, uint128(seed));
            handler.commit(seed, [uint128(seed), uint128(seed >> 8), uint128(seed >> 16), uint128(seed >> 24)]);
            handler.claim(seed, seed >> 64);
            handler.requestUnbond(seed, uint128(seed >> 32));
            handler.skip_(seed);
            handler.withdrawStake(seed >> 32);
            if (i % 3 == 0) handler.cancelUnbond(seed);
            if (i % 5 == 0) handler.slash(seed, uint128(seed) % 1e6);
            handler.setPayee(seed, seed >> 8);
            if (i > 100) handler.close(seed);
            handler.withdrawCredit(seed);
        }
        for (uint256 j = 0; j < actions.length; ++j) {
            assertGt(handler.done(actions[j]), 0, string(abi.encodePacked(actions[j])));
        }
    }

    /// @dev I11: whatever happened, everyone who the token accepts gets everything out.
    function afterInvariant() public {
        vm.roll(vm.getBlockNumber() + UNBONDING);
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            address actor = handler.actors(i);
            usdfc.setRefused(actor, false);
            uint128 active = stakes.active(actor);
            if (active != 0) {
                vm.prank(actor);
                stakes.requestUnbond(active);
            }
        }
        vm.roll(vm.getBlockNumber() + UNBONDING);
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            address actor = handler.actors(i);
            if (stakes.account(actor).unbonding != 0) stakes.withdraw(actor);
            if (escrow.credit(actor) != 0) escrow.withdraw(actor);
            assertEq(escrow.credit(actor), 0, "I11: credit left");
        }
        assertEq(usdfc.balanceOf(address(stakes)), 0, "I11: stake left behind");
    }

    function _checkI1() private view {
        uint256 owed;
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            IStakes.Account memory account = stakes.account(handler.actors(i));
            owed += uint256(account.active) + account.unbonding;
        }
        assertEq(usdfc.balanceOf(address(stakes)), owed, "I1: Stakes holds what it owes");
    }

    function _checkI2() private view {
        uint256 owed;
        for (uint256 id = 0; id < handler.BUDGETS(); ++id) {
            IEscrow.Budget memory budget = escrow.budget(controller, id);
            owed += uint256(budget.deposited) - budget.refunded - budget.claimed;
        }
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            owed += escrow.credit(handler.actors(i));
        }
        assertEq(usdfc.balanceOf(address(escrow)), owed, "I2: Escrow holds what it owes");
    }

    function _checkI3() private view {
        for (uint256 id = 0; id < handler.BUDGETS(); ++id) {
            IEscrow.Budget memory budget = escrow.budget(controller, id);
            assertLe(budget.claimed, budget.committed, "I3: claimed <= committed");
            assertLe(budget.committed, budget.deposited, "I3: committed <= deposited");
        }
    }

    function _checkI4() private view {
        for (uint256 id = 0; id < handler.BUDGETS(); ++id) {
            uint256 sum;
            for (uint256 i = 0; i < handler.ACTORS(); ++i) {
                address actor = handler.actors(i);
                uint128 claimed = escrow.claimedBy(controller, id, actor);
                assertEq(claimed, handler.highest(id, actor), "I4: claims only grow");
                assertEq(claimed, handler.paid(id, actor), "I4: what is recorded was paid, once");
                sum += claimed;
            }
            assertEq(escrow.budget(controller, id).claimed, sum, "I4: claims add up");
        }
    }

    function _checkI5() private view {
        for (uint256 id = 0; id < handler.BUDGETS(); ++id) {
            IEscrow.Budget memory budget = escrow.budget(controller, id);
            if (!budget.closed) continue;
            assertEq(handler.fingerprint(id), handler.closedAs(id), "I5: a closed budget never changes");
            assertEq(budget.refunded, budget.deposited - budget.committed, "I5: the rest went back");
        }
    }
}
