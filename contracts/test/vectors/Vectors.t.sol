// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {stdJson} from "forge-std/StdJson.sol";

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Draw} from "../../src/libraries/Draw.sol";
import {PayoutSplit} from "../../src/libraries/PayoutSplit.sol";
import {SessionTest} from "../support/SessionTest.sol";

/// @title The formulas that exist in Solidity and in Rust, checked on the vectors that both read (tools/make_vectors.py).
contract VectorsTest is SessionTest {
    using stdJson for string;

    function test_RewardsAreThoseOfTheVectors() public view {
        string memory json = vm.readFile("../abi/vectors/payout.json");
        uint256 count;
        for (; vm.keyExistsJson(json, _at("cases", count)); ++count) {
            string memory at = _at("cases", count);
            uint128 actual = PayoutSplit.rewardDown(
                uint128(json.readUint(string.concat(at, ".reward"))),
                uint16(json.readUint(string.concat(at, ".bps"))),
                uint64(json.readUint(string.concat(at, ".samples"))),
                json.readUint(string.concat(at, ".totalSamples")),
                uint32(json.readUint(string.concat(at, ".score"))),
                json.readUint(string.concat(at, ".totalScore"))
            );
            assertEq(actual, json.readUint(string.concat(at, ".expected")), at);
        }
        assertEq(count, 100, "all cases were read");
    }

    function test_EveryProofOfTheVectorsPays() public {
        string memory json = vm.readFile("../abi/vectors/merkle_sum.json");
        uint256 count;
        for (; vm.keyExistsJson(json, _at("trees", count)); ++count) {
            _payTree(json, _at("trees", count), count + 1);
        }
        assertEq(count, 8, "all trees were read");
    }

    function test_AccumulatorsAreThoseOfTheVectors() public {
        string memory json = vm.readFile("../abi/vectors/updates.json");
        uint256 count;
        for (; vm.keyExistsJson(json, _at("rounds", count)); ++count) {
            string memory at = _at("rounds", count);
            uint256 id = _sessionOf(json, string.concat(at, ".updates"));
            assertEq(sessions.session(id).accumulator, json.readBytes32(string.concat(at, ".accumulator")), at);
        }
        assertEq(count, 5, "all rounds were read");
    }

    function test_DrawsAreThoseOfTheVectors() public view {
        string memory json = vm.readFile("../abi/vectors/draw.json");
        uint256 count;
        for (; vm.keyExistsJson(json, _at("draws", count)); ++count) {
            string memory at = _at("draws", count);
            uint256 drawn = Draw.drawn(
                uint64(json.readUint(string.concat(at, ".seed"))),
                uint16(json.readUint(string.concat(at, ".round"))),
                uint16(json.readUint(string.concat(at, ".seats"))),
                uint16(json.readUint(string.concat(at, ".count")))
            );
            assertEq(bytes32(drawn), json.readBytes32(string.concat(at, ".drawn")), at);
        }
        assertEq(count, 40, "all draws were read");
    }

    /// @dev Commits the root of one tree and claims every leaf through Escrow.
    function _payTree(string memory json, string memory tree, uint256 id) private {
        uint128 sum = uint128(json.readUint(string.concat(tree, ".sum")));
        bytes32 root = json.readBytes32(string.concat(tree, ".root"));
        _fund(requester, address(escrow), sum);
        vm.startPrank(controller);
        escrow.open(id, requester, sum);
        escrow.commit(id, root, sum);
        vm.stopPrank();

        uint256 count;
        string memory leaves = string.concat(tree, ".leaves");
        for (; vm.keyExistsJson(json, _at(leaves, count)); ++count) {
            _payLeaf(json, tree, id, count);
        }
        assertEq(escrow.budget(controller, id).claimed, sum, tree);
    }

    function _payLeaf(string memory json, string memory tree, uint256 id, uint256 index) private {
        string memory leaf = _at(string.concat(tree, ".leaves"), index);
        address operator = json.readAddress(string.concat(leaf, ".operator"));
        uint128 cumulative = uint128(json.readUint(string.concat(leaf, ".cumulative")));
        string memory steps = _at(string.concat(tree, ".proofs"), index);
        uint256 length;
        while (vm.keyExistsJson(json, _at(steps, length))) ++length;
        IEscrow.ProofNode[] memory proof = new IEscrow.ProofNode[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i].hash = json.readBytes32(string.concat(_at(steps, i), ".hash"));
            proof[i].sum = uint128(json.readUint(string.concat(_at(steps, i), ".sum")));
        }
        if (cumulative == 0) return;
        escrow.claim(IEscrow.Claim(controller, id, operator, cumulative, proof));
        assertEq(usdfc.balanceOf(operator), cumulative, leaf);
    }

    /// @dev A session whose seats post the updates of one vector, in order.
    function _sessionOf(string memory json, string memory updates) private returns (uint256 id) {
        uint16 count;
        while (vm.keyExistsJson(json, _at(updates, count))) ++count;
        return _post(json, updates, count);
    }

    function _post(string memory json, string memory updates, uint16 count) private returns (uint256 id) {
        address[] memory holders = new address[](count);
        delete runners;
        for (uint16 i = 0; i < count; ++i) {
            holders[i] = json.readAddress(string.concat(_at(updates, i), ".operator"));
            runners.push(holders[i]);
            vm.prank(holders[i]);
            operators.register(0, _key(holders[i]), 1);
            _stake(holders[i], STAKE);
        }
        id = _startedWith(count);
        for (uint16 i = 0; i < count; ++i) {
            string memory at = _at(updates, i);
            bytes32 digest = json.readBytes32(string.concat(at, ".digest"));
            uint64 samples = uint64(json.readUint(string.concat(at, ".samples")));
            vm.prank(holders[i]);
            sessions.submitUpdate(id, 1, i, digest, samples);
        }
    }

    function _startedWith(uint16 seats) private returns (uint256) {
        ISessions.Terms memory terms = _terms();
        (terms.seats, terms.quorum, terms.cohort) = (seats, 1, seats);
        return _started(terms);
    }

    function _at(string memory list, uint256 index) private view returns (string memory) {
        string memory prefix = bytes(list)[0] == "." ? "" : ".";
        return string.concat(prefix, list, "[", vm.toString(index), "]");
    }
}
