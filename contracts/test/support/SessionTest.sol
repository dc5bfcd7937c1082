// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {NetworkTest} from "./NetworkTest.sol";
import {SumTree} from "./SumTree.sol";

/// @title SessionTest: a requester, runners and keepers, and every step of a session in one line.
abstract contract SessionTest is NetworkTest {
    uint128 internal constant REWARD = 100 ether;
    uint128 internal constant KEEPER_FEE = 1 ether;
    uint128 internal constant BONUS = 30 ether;
    uint128 internal constant STAKE = 10 ether;
    uint40 internal constant OPEN_PERIOD = 100;
    uint40 internal constant ROUND_PERIOD = 20;
    uint40 internal constant UNMASK_PERIOD = 7;
    uint40 internal constant PROPOSE_PERIOD = 10;
    uint40 internal constant CHALLENGE_WINDOW = 5;

    address internal requester = makeAddr("requester");
    address[] internal runners;
    address[] internal keepers;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < 4; ++i) {
            runners.push(_operator(string.concat("runner", vm.toString(i))));
            keepers.push(_operator(string.concat("keeper", vm.toString(i))));
        }
    }

    // --- accounts ---

    /// @dev A registered operator with stake.
    function _operator(string memory name) internal returns (address account) {
        account = makeAddr(name);
        vm.prank(account);
        operators.register(keccak256(bytes(name)), _key(account), 3);
        _stake(account, STAKE);
    }

    function _key(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("key", account));
    }

    // --- terms ---

    function _terms() internal pure returns (ISessions.Terms memory) {
        return ISessions.Terms({
            spec: keccak256("spec"),
            seats: 3,
            quorum: 2,
            rounds: 3,
            attestations: 2,
            maxRollovers: 1,
            performanceBps: 2_000,
            minReputation: 0,
            dataMode: ISessions.DataMode.Private,
            unmasking: false,
            targeted: false,
            openPeriod: OPEN_PERIOD,
            roundPeriod: ROUND_PERIOD,
            unmaskPeriod: UNMASK_PERIOD,
            proposePeriod: PROPOSE_PERIOD,
            challengeWindow: CHALLENGE_WINDOW,
            capabilities: 1,
            cohort: 3,
            drawSeed: 7,
            roundReward: REWARD,
            keeperFee: KEEPER_FEE,
            completionBonus: BONUS,
            minStake: STAKE,
            keeperBond: STAKE
        });
    }

    function _uploadedTerms() internal pure returns (ISessions.Terms memory terms) {
        terms = _terms();
        terms.dataMode = ISessions.DataMode.Uploaded;
    }

    // --- steps of a session ---

    function _create(ISessions.Terms memory terms) internal returns (uint256 id) {
        _fund(requester, address(escrow), sessions.budgetOf(terms));
        vm.prank(requester);
        return sessions.createSession(terms);
    }

    function _claimSeat(uint256 id, uint16 seat) internal {
        _claimSeat(id, seat, runners[seat]);
    }

    function _claimSeat(uint256 id, uint16 seat, address runner) internal {
        vm.prank(runner);
        sessions.claimSeat(id, seat, _key(runner));
    }

    function _seal(uint256 id, uint16 seat, address runner) internal {
        uint16[] memory seats = new uint16[](1);
        address[] memory holders = new address[](1);
        bytes32[] memory shards = new bytes32[](1);
        (seats[0], holders[0], shards[0]) = (seat, runner, keccak256(abi.encode("shard", seat, runner)));
        vm.prank(requester);
        sessions.sealShards(id, seats, holders, shards);
    }

    /// @dev An Active session of these terms with runner i in seat i.
    function _started(ISessions.Terms memory terms) internal returns (uint256 id) {
        id = _create(terms);
        for (uint16 i = 0; i < terms.seats; ++i) {
            _claimSeat(id, i);
            if (terms.dataMode == ISessions.DataMode.Uploaded) _seal(id, i, runners[i]);
        }
        sessions.start(id);
    }

    function _submit(uint256 id, uint16 seat) internal {
        _submit(id, seat, runners[seat]);
    }

    function _submit(uint256 id, uint16 seat, address runner) internal {
        _submitIn(id, sessions.session(id).round, seat, runner);
    }

    /// @dev Without a call before the one that counts, for tests that expect it to revert.
    function _submitIn(uint256 id, uint16 round, uint16 seat, address runner) internal {
        vm.prank(runner);
        sessions.submitUpdate(id, round, seat, _digest(id, round, runner), 100);
    }

    function _digest(uint256 id, uint16 round, address runner) internal pure returns (bytes32) {
        return keccak256(abi.encode("update", id, round, runner));
    }

    /// @dev Everyone submits and the round closes.
    function _close(uint256 id) internal {
        uint16 seats = sessions.terms(id).seats;
        for (uint16 i = 0; i < seats; ++i) {
            _submit(id, i);
        }
        sessions.close(id, sessions.session(id).round);
    }

    /// @dev Keeper 0 proposes `payoutSum` (cumulative) split evenly among the runners.
    function _propose(uint256 id, uint128 payoutSum) internal {
        (bytes32 root,) = SumTree.root(_leaves(payoutSum));
        _proposeRoot(id, root, payoutSum);
    }

    function _proposeRoot(uint256 id, bytes32 root, uint128 payoutSum) internal {
        _proposeIn(id, sessions.session(id).round, root, payoutSum);
    }

    /// @dev Without a call before the one that counts, for tests that expect it to revert.
    function _proposeIn(uint256 id, uint16 round, bytes32 root, uint128 payoutSum) internal {
        _proposeIn(id, round, root, payoutSum, false);
    }

    function _proposeIn(uint256 id, uint16 round, bytes32 root, uint128 payoutSum, bool reached) internal {
        vm.prank(keepers[0]);
        sessions.propose(
            id, round, _aggregate(id, round), keccak256("updates"), root, payoutSum, reached, keccak256("report")
        );
    }

    function _attest(uint256 id, address keeper) internal {
        uint16 round = sessions.session(id).round;
        bytes32 hash = _proposalHash(id);
        vm.prank(keeper);
        sessions.attest(id, round, hash);
    }

    function _proposalHash(uint256 id) internal view returns (bytes32) {
        ISessions.Proposal memory standing = sessions.proposal(id);
        return keccak256(
            abi.encode(
                id,
                sessions.session(id).round,
                standing.aggregate,
                standing.updatesRoot,
                standing.payoutsRoot,
                standing.payoutSum,
                standing.reached
            )
        );
    }

    /// @dev A whole round in which everyone posts, up to its end; `payoutSum` is cumulative.
    function _round(uint256 id, uint128 payoutSum) internal {
        _close(id);
        _conclude(id, payoutSum);
    }

    /// @dev From Closed to final.
    function _conclude(uint256 id, uint128 payoutSum) internal {
        _propose(id, payoutSum);
        _attest(id, keepers[1]);
        _skip(CHALLENGE_WINDOW);
        sessions.finalize(id, sessions.session(id).round);
    }

    function _aggregate(uint256 id, uint16 round) internal pure returns (bytes32) {
        return keccak256(abi.encode("aggregate", id, round));
    }

    // --- payouts ---

    /// @dev `sum` split evenly among runners 0 to 2, the remainder to the first.
    function _leaves(uint128 sum) internal view returns (SumTree.Leaf[] memory leaves) {
        leaves = new SumTree.Leaf[](3);
        for (uint256 i = 0; i < 3; ++i) {
            leaves[i] = SumTree.Leaf(runners[i], sum / 3);
        }
        leaves[0].cumulative += sum % 3;
    }

    function _claimOf(uint256 id, uint128 sum, uint256 index) internal view returns (IEscrow.Claim memory) {
        SumTree.Leaf[] memory leaves = _leaves(sum);
        return IEscrow.Claim({
            controller: address(sessions),
            id: id,
            operator: leaves[index].operator,
            cumulative: leaves[index].cumulative,
            proof: SumTree.proof(leaves, index)
        });
    }

    // --- expectations ---

    function _expectWrongState(ISessions.State expected, ISessions.State actual) internal {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongState.selector, expected, actual));
    }

    function _expectWrongPhase(ISessions.Phase expected, ISessions.Phase actual) internal {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongPhase.selector, expected, actual));
    }

    function _expectTooEarly(uint256 expected) internal {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_TooEarly.selector, expected, _epoch()));
    }

    function _expectDeadlinePassed(uint256 deadline) internal {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_DeadlinePassed.selector, deadline, _epoch()));
    }

    function _expectState(uint256 id, ISessions.State state) internal view {
        assertEq(uint8(sessions.session(id).state), uint8(state), "state");
    }

    function _expectPhase(uint256 id, ISessions.Phase phase) internal view {
        assertEq(uint8(sessions.session(id).phase), uint8(phase), "phase");
    }
}
