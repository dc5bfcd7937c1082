// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Vm} from "forge-std/Vm.sol";

import {Escrow} from "../../src/Escrow.sol";
import {Operators} from "../../src/Operators.sol";
import {Sessions} from "../../src/Sessions.sol";
import {Stakes} from "../../src/Stakes.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {MockUsdfc} from "../../src/mocks/MockUsdfc.sol";
import {SessionLedger} from "./SessionLedger.sol";

/// @title SessionHandler: drives sessions with honest steps, late steps, misses and nonsense in any order.
/// @notice `step` does what a session is waiting for, so that campaigns get far; the other actions do whatever they like and may
/// fail. Ghosts remember what the events said.
contract SessionHandler is CommonBase, StdUtils, SessionLedger {
    uint256 public constant SESSIONS = 3;
    uint256 public constant ACTORS = 7;
    address public constant REQUESTER = address(0xCAFE);

    Escrow public immutable escrow;
    Stakes public immutable stakes;
    MockUsdfc public immutable usdfc;

    /// @dev Fold over the events of the current round.
    mapping(uint256 id => mapping(uint16 round => bytes32)) public folded;
    /// @dev First aggregate that a round was seen to have.
    mapping(uint256 id => mapping(uint16 round => bytes32)) public firstAggregate;
    /// @dev Root and sums of a budget when its session ended.
    mapping(uint256 id => bytes32) public endedAs;
    mapping(bytes32 action => uint256) public done;
    /// @dev A seat posted in a round that it was not drawn for.
    bool public undrawn;

    constructor(Sessions sessions_, Escrow escrow_, Stakes stakes_, Operators operators, MockUsdfc usdfc_)
        SessionLedger(sessions_)
    {
        (escrow, stakes, usdfc) = (escrow_, stakes_, usdfc_);
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = address(uint160(0xA0000 + i));
            actors.push(actor);
            usdfc_.mint(actor, 1 ether);
            vm.startPrank(actor);
            usdfc_.approve(address(stakes_), type(uint256).max);
            stakes_.deposit(1 ether);
            operators.register(0, bytes32(uint256(1)), 3);
            vm.stopPrank();
        }
        vm.prank(REQUESTER);
        usdfc_.approve(address(escrow_), type(uint256).max);
    }

    // --- the natural course ---

    /// @notice Does what the session waits for; an eighth of the runners is lazy.
    function step(uint256 seed) external {
        uint256 id = _id(seed);
        if (id == 0) return;
        ISessions.Session memory session = sessions.session(id);
        if (session.state == ISessions.State.Open) _fill(id, seed);
        if (session.state != ISessions.State.Active) return;
        if (session.phase == ISessions.Phase.Training) _train(id, session.round, seed);
        else if (session.phase == ISessions.Phase.Unmasking) _unmask(id, session.round);
        else if (session.phase == ISessions.Phase.Closed) propose(seed);
        else _agree(id, session.round);
    }

    function _fill(uint256 id, uint256 seed) private {
        ISessions.Terms memory terms = sessions.terms(id);
        for (uint16 i = 0; i < terms.seats; ++i) {
            claimSeat(seed, i, uint256(i) + seed % 3);
            if (terms.dataMode == ISessions.DataMode.Uploaded) sealShard(seed, i);
        }
        try sessions.start(id) {
            ++done["start"];
        } catch {}
    }

    function _train(uint256 id, uint16 round, uint256 seed) private {
        uint16 seats = sessions.terms(id).seats;
        for (uint16 i = 0; i < seats; ++i) {
            if (uint256(keccak256(abi.encode(seed, i))) % 8 != 0) submit(seed, i, uint64(seed >> 64));
        }
        _close(id, round);
    }

    function _unmask(uint256 id, uint16 round) private {
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        for (uint16 i = 0; i < seats.length; ++i) {
            vm.prank(seats[i].operator);
            try sessions.postShares(id, round, i, keccak256("shares")) {} catch {}
        }
        try sessions.closeUnmasking(id, round) {
            ++done["closeUnmasking"];
        } catch {}
    }

    function _agree(uint256 id, uint16 round) private {
        ISessions.Proposal memory p = sessions.proposal(id);
        bytes32 hash =
            keccak256(abi.encode(id, round, p.aggregate, p.updatesRoot, p.payoutsRoot, p.payoutSum, p.reached));
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(actors[ACTORS - 1 - i]);
            try sessions.attest(id, round, hash) {} catch {}
        }
        vm.roll(vm.getBlockNumber() + sessions.terms(id).challengeWindow);
        _finalize(id, round);
    }

    // --- requester ---

    function create(uint256 seed, uint16 seats, uint16 rounds) external {
        if (sessions.sessionCount() == SESSIONS) return;
        ISessions.Terms memory terms = ISessions.Terms({
            spec: keccak256("spec"),
            seats: uint16(bound(seats, 1, 4)),
            quorum: 1,
            rounds: uint16(bound(rounds, 1, 4)),
            attestations: uint16(1 + seed % 2),
            maxRollovers: uint16((seed >> 8) % 3),
            performanceBps: uint16((seed >> 16) % 10_001),
            minReputation: 0,
            dataMode: ISessions.DataMode((seed >> 32) % 2),
            unmasking: (seed >> 40) % 4 == 0,
            targeted: (seed >> 44) % 2 == 0,
            openPeriod: 30,
            roundPeriod: 10,
            unmaskPeriod: 5,
            proposePeriod: 8,
            challengeWindow: uint40((seed >> 48) % 4),
            capabilities: 1,
            cohort: 0,
            drawSeed: uint64(seed),
            roundReward: uint128(bound(seed >> 64, 1, 1e24)),
            keeperFee: uint128((seed >> 96) % 1e18),
            completionBonus: uint128((seed >> 128) % 1e20),
            minStake: 0.5 ether,
            keeperBond: 0.1 ether
        });
        terms.quorum = uint16(bound(seed >> 192, 1, terms.seats));
        terms.cohort = uint16(bound(seed >> 208, terms.quorum, terms.seats));
        usdfc.mint(REQUESTER, sessions.budgetOf(terms));
        vm.prank(REQUESTER);
        sessions.createSession(terms);
        ++done["create"];
    }

    function sealShard(uint256 seed, uint16 seat) public {
        uint256 id = _id(seed);
        if (id == 0) return;
        uint16[] memory seats = new uint16[](1);
        address[] memory holders = new address[](1);
        bytes32[] memory shards = new bytes32[](1);
        (seats[0], shards[0]) = (seat % sessions.terms(id).seats, keccak256("shard"));
        holders[0] = sessions.seat(id, seats[0]).operator;
        vm.prank(REQUESTER);
        try sessions.sealShards(id, seats, holders, shards) {
            ++done["sealShard"];
        } catch {}
    }

    function cancel(uint256 seed) external {
        // Rarely: a cancelled session has little more to show.
        uint256 id = _id(seed);
        if (id == 0 || (seed >> 128) % 8 != 0) return;
        vm.prank(REQUESTER);
        try sessions.cancel(id) {
            _noteEnd(id);
            ++done["cancel"];
        } catch {}
    }

    // --- runners ---

    function claimSeat(uint256 seed, uint16 seat, uint256 actor) public {
        uint256 id = _id(seed);
        if (id == 0) return;
        vm.prank(actors[actor % ACTORS]);
        try sessions.claimSeat(id, seat % 4, keccak256("key")) {
            ++done["claimSeat"];
        } catch {}
    }

    function submit(uint256 seed, uint16 seat, uint64 samples) public {
        uint256 id = _id(seed);
        if (id == 0) return;
        seat = seat % 4;
        uint16 round = sessions.session(id).round;
        address holder = sessions.seat(id, seat).operator;
        vm.recordLogs();
        vm.prank(holder);
        try sessions.submitUpdate(id, round, seat, keccak256(abi.encode(seed)), samples) {
            Vm.Log memory log = vm.getRecordedLogs()[0];
            (, bytes32 digest, uint64 said) = abi.decode(log.data, (uint16, bytes32, uint64));
            address operator = address(uint160(uint256(log.topics[3])));
            uint16 inRound = uint16(uint256(log.topics[2]));
            folded[id][inRound] = keccak256(abi.encodePacked(folded[id][inRound], operator, digest, said));
            _samples[id][round][operator] = said;
            if (!_isDrawn(id, round, seat)) undrawn = true;
            if (sessions.terms(id).cohort < sessions.terms(id).seats) ++done["drawn"];
            ++done["submit"];
        } catch {}
    }

    function requestUnbond(uint256 actor, uint128 amount) external {
        address operator = actors[actor % ACTORS];
        if (stakes.active(operator) < 0.1 ether) return;
        vm.prank(operator);
        stakes.requestUnbond(uint128(bound(amount, 1, 0.1 ether)));
    }

    // --- keepers ---

    function propose(uint256 seed) public {
        uint256 id = _id(seed);
        if (id == 0 || sessions.session(id).phase != ISessions.Phase.Closed) return;
        if (vm.getBlockNumber() > sessions.session(id).deadline) return;
        uint16 round = sessions.session(id).round;
        address keeper = actors[seed % ACTORS];
        if (stakes.active(keeper) < 0.1 ether) return;
        // Now and then the target is reached.
        bool reached = sessions.terms(id).targeted && (seed >> 16) % 4 == 0;
        (bytes32 root, uint128 sum) = _split(id, round, keeper, reached);
        vm.prank(keeper);
        sessions.propose(id, round, keccak256(abi.encode(seed)), 0, root, sum, reached, 0);
        ++done["propose"];
    }

    // --- anyone ---

    function poke(uint256 seed, uint8 which, uint16 seat) external {
        uint256 id = _id(seed);
        if (id == 0) return;
        uint16 round = sessions.session(id).round;
        which = which % 7;
        if (which == 0) _close(id, round);
        else if (which == 1) _rollOver(id, round);
        else if (which == 2) _finalize(id, round);
        else if (which == 3) _voidRound(id, round);
        else if (which == 4) _expire(id);
        else if (which == 5) _forfeit(id, seat % 4);
        else _settleSeat(id, seat % 4);
    }

    function claim(uint256 seed, uint256 actor) external {
        if (_id(seed) == 0) return;
        try escrow.claim(claimOf(_id(seed), actors[actor % ACTORS])) {
            ++done["claim"];
        } catch {}
    }

    function withdraw() external {
        try escrow.withdraw(REQUESTER) {
            ++done["withdraw"];
        } catch {}
    }

    function refuse(uint256 actor, bool refused) external {
        usdfc.setRefused(actors[actor % ACTORS], refused);
    }

    function skip_(uint256 epochs) external {
        vm.roll(vm.getBlockNumber() + bound(epochs, 1, 12));
    }

    function _close(uint256 id, uint16 round) private {
        try sessions.close(id, round) {
            ++done["close"];
        } catch {}
    }

    function _rollOver(uint256 id, uint16 round) private {
        try sessions.rollOver(id, round) {
            _noteEnd(id);
            ++done["rollOver"];
        } catch {}
    }

    function _finalize(uint256 id, uint16 round) private {
        bool early = sessions.proposal(id).reached && round < sessions.terms(id).rounds;
        try sessions.finalize(id, round) {
            if (early) ++done["reach"];
            firstAggregate[id][round] = sessions.aggregateOf(id, round);
            _settle(id);
            _noteEnd(id);
            ++done["finalize"];
        } catch {}
    }

    function _voidRound(uint256 id, uint16 round) private {
        try sessions.voidRound(id, round) {
            _noteEnd(id);
            ++done["voidRound"];
        } catch {}
    }

    function _expire(uint256 id) private {
        try sessions.expire(id) {
            _noteEnd(id);
            ++done["expire"];
        } catch {}
    }

    function _forfeit(uint256 id, uint16 seat) private {
        try sessions.forfeit(id, seat) {
            ++done["forfeit"];
        } catch {}
    }

    function _settleSeat(uint256 id, uint16 seat) private {
        try sessions.settleSeat(id, seat) {
            ++done["settleSeat"];
        } catch {}
    }

    /// @notice Everything about the budget of an ended session that may never change again.
    function fingerprint(uint256 id) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                escrow.budget(address(sessions), id).root,
                escrow.budget(address(sessions), id).committed,
                escrow.budget(address(sessions), id).refunded,
                sessions.session(id)
            )
        );
    }

    function _noteEnd(uint256 id) private {
        if (sessions.session(id).state > ISessions.State.Active) endedAs[id] = fingerprint(id);
    }

    /// @dev One of the existing sessions, 0 before the first.
    function _id(uint256 seed) private view returns (uint256) {
        uint256 count = sessions.sessionCount();
        return count == 0 ? 0 : 1 + (seed >> 200) % count;
    }
}
