// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VmSafe} from "forge-std/Vm.sol";

import {IEscrow} from "../src/interfaces/IEscrow.sol";
import {ISessions} from "../src/interfaces/ISessions.sol";
import {Draw} from "../src/libraries/Draw.sol";
import {SessionTest} from "./support/SessionTest.sol";
import {SumTree} from "./support/SumTree.sol";

/// @title Gas of the hot paths, written to snapshots/; the ci profile fails where they differ.
/// @notice Isolated calls are transactions of their own: 21,000 intrinsic, calldata, cold slots. SPEC.md gives the reasons.
/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasTest is SessionTest {
    string private constant GROUP = "gas";

    function setUp() public override {
        vm.skip(vm.isContext(VmSafe.ForgeContext.Coverage), "coverage compiles without the optimizer");
        super.setUp();
    }

    function test_Stakes() public {
        address runner = makeAddr("first");
        usdfc.mint(runner, 100 ether);
        vm.prank(runner);
        usdfc.approve(address(stakes), type(uint256).max);

        vm.prank(runner);
        stakes.deposit(10 ether);
        vm.snapshotGasLastCall(GROUP, "Stakes.deposit first");
        vm.prank(runner);
        stakes.deposit(10 ether);
        vm.snapshotGasLastCall(GROUP, "Stakes.deposit later");
        vm.prank(runner);
        stakes.requestUnbond(10 ether);
        vm.snapshotGasLastCall(GROUP, "Stakes.requestUnbond");
        _skip(UNBONDING);
        stakes.withdraw(runner);
        vm.snapshotGasLastCall(GROUP, "Stakes.withdraw");
    }

    function test_Session() public {
        _fund(requester, address(escrow), sessions.budgetOf(_terms()));
        vm.prank(requester);
        uint256 id = sessions.createSession(_terms());
        vm.snapshotGasLastCall(GROUP, "Sessions.createSession");
        _claimSeat(id, 0);
        _claimSeat(id, 1);
        vm.prank(runners[2]);
        sessions.claimSeat(id, 2, bytes32(type(uint256).max));
        vm.snapshotGasLastCall(GROUP, "Sessions.claimSeat");
        sessions.start(id);
        vm.snapshotGasLastCall(GROUP, "Sessions.start");

        for (uint128 round = 1; round <= 3; ++round) {
            string memory at = round == 1 ? " first" : " later";
            _submit(id, 0);
            vm.snapshotGasLastCall(GROUP, string.concat("Sessions.submitUpdate", at));
            _submit(id, 1);
            _submit(id, 2);
            sessions.close(id, uint16(round));
            vm.snapshotGasLastCall(GROUP, "Sessions.close");
            _propose(id, REWARD * round);
            vm.snapshotGasLastCall(GROUP, string.concat("Sessions.propose", at));
            _attest(id, keepers[1]);
            vm.snapshotGasLastCall(GROUP, string.concat("Sessions.attest", at));
            _skip(CHALLENGE_WINDOW);
            sessions.finalize(id, uint16(round));
            if (round < 3) vm.snapshotGasLastCall(GROUP, string.concat("Sessions.finalize", at));
            else vm.snapshotGasLastCall(GROUP, "Sessions.finalize last");
        }
        sessions.settleSeat(id, 0);
        vm.snapshotGasLastCall(GROUP, "Sessions.settleSeat");
        escrow.withdraw(requester);
        vm.snapshotGasLastCall(GROUP, "Escrow.withdraw");
    }

    /// @dev Two of three seats: what a draw adds to an update, to closing and to the end of the round before.
    function test_Draw() public {
        ISessions.Terms memory terms = _terms();
        terms.cohort = 2;
        uint256 id = _started(terms);
        uint256 drawn = Draw.drawn(terms.drawSeed, 1, 3, 2);
        uint256 posted;
        for (uint16 seat = 0; seat < 3; ++seat) {
            if ((drawn >> seat) & 1 == 0) continue;
            _submit(id, seat);
            if (posted++ == 0) vm.snapshotGasLastCall(GROUP, "Sessions.submitUpdate first, drawn");
        }
        sessions.close(id, 1);
        vm.snapshotGasLastCall(GROUP, "Sessions.close, drawn");
        _propose(id, REWARD);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        sessions.finalize(id, 1);
        vm.snapshotGasLastCall(GROUP, "Sessions.finalize first, drawn");
    }

    function test_ForfeitAndReclaim() public {
        uint256 id = _started(_terms());
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        vm.snapshotGasLastCall(GROUP, "Sessions.forfeit");
        vm.prank(runners[3]);
        sessions.claimSeat(id, 2, bytes32(type(uint256).max));
        vm.snapshotGasLastCall(GROUP, "Sessions.claimSeat reopened");
    }

    /// @dev A tree of 1,024 operators: ten proof steps, payees that have been paid before.
    function test_Claims() public {
        SumTree.Leaf[] memory leaves = new SumTree.Leaf[](256);
        _fund(requester, address(escrow), 10_000_000 ether);
        vm.prank(controller);
        escrow.open(1, requester, 10_000_000 ether);
        IEscrow.Claim memory claim;
        for (uint128 round = 1; round <= 2; ++round) {
            for (uint256 i = 0; i < leaves.length; ++i) {
                leaves[i] = SumTree.Leaf(vm.addr(i + 1), round * 1 ether);
            }
            (bytes32 root, uint128 sum) = SumTree.root(leaves);
            vm.prank(controller);
            escrow.commit(1, root, sum);
            claim = IEscrow.Claim(controller, 1, leaves[7].operator, round * 1 ether, SumTree.proof(leaves, 7));
            escrow.claim(claim);
            vm.snapshotGasLastCall(GROUP, round == 1 ? "Escrow.claim first" : "Escrow.claim later");
        }
        assertEq(usdfc.balanceOf(leaves[7].operator), 2 ether);
    }
}
