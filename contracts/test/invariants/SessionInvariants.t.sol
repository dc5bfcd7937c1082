// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Draw} from "../../src/libraries/Draw.sol";
import {NetworkTest} from "../support/NetworkTest.sol";
import {SessionHandler} from "./SessionHandler.sol";

/// @title Invariants of whole sessions (numbers as in SPEC.md), all checked in one campaign.
contract SessionInvariants is NetworkTest {
    SessionHandler private handler;
    address private requester;

    bytes32[19] private ACTIONS = [
        bytes32("create"),
        "claimSeat",
        "sealShard",
        "start",
        "submit",
        "close",
        "closeUnmasking",
        "propose",
        "finalize",
        "reach",
        "drawn",
        "rollOver",
        "voidRound",
        "forfeit",
        "cancel",
        "expire",
        "settleSeat",
        "claim",
        "withdraw"
    ];
    mapping(bytes32 action => uint256) private reached;

    function setUp() public override {
        super.setUp();
        handler = new SessionHandler(sessions, escrow, stakes, operators, usdfc);
        requester = handler.REQUESTER();
        targetContract(address(handler));
        // The natural course weighs as much as all the rest together.
        bytes4[] memory course = new bytes4[](24);
        for (uint256 i = 0; i < 10; ++i) {
            course[i] = SessionHandler.step.selector;
        }
        course[10] = course[11] = SessionHandler.create.selector;
        course[12] = SessionHandler.sealShard.selector;
        course[13] = SessionHandler.cancel.selector;
        course[14] = SessionHandler.claimSeat.selector;
        course[15] = SessionHandler.submit.selector;
        course[16] = SessionHandler.requestUnbond.selector;
        course[17] = SessionHandler.propose.selector;
        course[18] = course[19] = SessionHandler.poke.selector;
        course[20] = SessionHandler.claim.selector;
        course[21] = SessionHandler.withdraw.selector;
        course[22] = SessionHandler.refuse.selector;
        course[23] = SessionHandler.skip_.selector;
        targetSelector(FuzzSelector(address(handler), course));
    }

    function invariant_Sessions() public view {
        uint256 owed = escrow.credit(requester);
        for (uint256 id = 1; id <= sessions.sessionCount(); ++id) {
            IEscrow.Budget memory budget = escrow.budget(address(sessions), id);
            ISessions.Session memory session = sessions.session(id);
            owed += uint256(budget.deposited) - budget.refunded - budget.claimed;
            _checkI3(id, session, budget);
            _checkI4(id, budget);
            _checkI5(id, session, budget);
            _checkI6(id, session);
            _checkI7(id, session);
            _checkI8(id, session);
            _checkI9(id, session);
            _checkI12(id, session);
        }
        assertEq(usdfc.balanceOf(address(escrow)), owed, "I2: Escrow holds what it owes");
        _checkI10();
        assertFalse(handler.undrawn(), "I12: only drawn seats post");
    }

    /// @dev The campaign means something only if its random calls get everywhere.
    function test_TheHandlerReachesEveryTransition() public {
        for (uint256 i = 0; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 other = uint256(keccak256(abi.encode(seed)));
            if (i % 40 == 0) _nextNetwork();
            if (i % 10 == 0) handler.create(seed, uint16(seed >> 16), uint16(seed >> 24));
            if (i % 80 == 0) _forget(seed);
            handler.step(seed);
            if (i % 2 == 0) handler.poke(seed, uint8(other), uint16(other >> 8));
            handler.poke(seed, 5, uint16(other >> 24));
            if (i % 3 == 0) handler.skip_(seed);
            if (i % 5 == 0) handler.cancel(seed);
            handler.claim(seed, other);
            handler.withdraw();
            for (uint256 j = 0; j < ACTIONS.length; ++j) {
                reached[ACTIONS[j]] += handler.done(ACTIONS[j]);
            }
        }
        for (uint256 j = 0; j < ACTIONS.length; ++j) {
            assertGt(reached[ACTIONS[j]], 0, string(abi.encodePacked(ACTIONS[j])));
        }
    }

    /// @dev Nobody fills the session that was just created.
    function _forget(uint256 seed) private {
        for (uint256 i = 0; i < 3; ++i) {
            handler.skip_(12);
        }
        handler.poke(seed, 4, 0);
    }

    function _nextNetwork() private {
        super.setUp();
        handler = new SessionHandler(sessions, escrow, stakes, operators, usdfc);
    }

    /// @dev I11: from wherever the campaign left it, calls that anyone may make end every session within bounded time, and then
    /// all the money leaves, but for recipients that the token refuses.
    function afterInvariant() public {
        uint256 stuck;
        for (uint256 id = 1; id <= sessions.sessionCount(); ++id) {
            _drain(id);
            stuck += _payOut(id);
        }
        if (escrow.credit(requester) != 0) escrow.withdraw(requester);
        assertEq(usdfc.balanceOf(address(escrow)), stuck, "I11: only refused recipients leave money behind");
    }

    function _drain(uint256 id) private {
        ISessions.Terms memory terms = sessions.terms(id);
        uint256 most = uint256(terms.rounds) * (terms.maxRollovers + 4) + 1;
        uint256 steps;
        vm.startPrank(stranger);
        for (; sessions.session(id).state <= ISessions.State.Active; ++steps) {
            assertLt(steps, most, "I11: bounded steps");
            _pokeOn(id, terms);
        }
        vm.stopPrank();
    }

    /// @dev Waits out the deadline of whatever the session is in and takes the exit.
    function _pokeOn(uint256 id, ISessions.Terms memory terms) private {
        ISessions.Session memory session = sessions.session(id);
        if (session.deadline >= vm.getBlockNumber()) vm.roll(uint256(session.deadline) + 1);
        if (session.state == ISessions.State.Open) {
            sessions.expire(id);
        } else if (session.phase == ISessions.Phase.Training && session.posted >= terms.quorum) {
            sessions.close(id, session.round);
        } else if (session.phase == ISessions.Phase.Training) {
            sessions.rollOver(id, session.round);
        } else if (session.phase == ISessions.Phase.Unmasking) {
            sessions.closeUnmasking(id, session.round);
        } else if (session.phase == ISessions.Phase.Closed) {
            sessions.voidRound(id, session.round);
        } else if (sessions.proposal(id).attested < terms.attestations) {
            sessions.voidRound(id, session.round);
        } else {
            _finalize(id, session.round);
        }
    }

    function _finalize(uint256 id, uint16 round) private {
        vm.roll(vm.getBlockNumber() + sessions.terms(id).challengeWindow);
        vm.stopPrank();
        handler.poke((id - 1) << 200, 2, 0);
        vm.startPrank(stranger);
        assertNotEq(sessions.aggregateOf(id, round), 0, "I11: an attested round becomes final");
    }

    function _payOut(uint256 id) private returns (uint256 stuck) {
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            address actor = handler.actors(i);
            uint256 due = handler.earned(id, actor) - escrow.claimedBy(address(sessions), id, actor);
            if (due == 0) continue;
            IEscrow.Claim[] memory claims = new IEscrow.Claim[](1);
            claims[0] = handler.claimOf(id, actor);
            escrow.claimMany(claims);
            if (usdfc.isRefused(actor)) stuck += due;
            else assertEq(escrow.claimedBy(address(sessions), id, actor), handler.earned(id, actor), "I11: paid");
        }
    }

    function _checkI3(uint256 id, ISessions.Session memory session, IEscrow.Budget memory budget) private view {
        assertLe(budget.claimed, budget.committed, "I3: claimed <= committed");
        assertLe(budget.committed, budget.deposited, "I3: committed <= deposited");
        assertEq(budget.deposited, sessions.budgetOf(sessions.terms(id)), "I3: the whole budget was locked");
        assertEq(session.committed, budget.committed, "I3: Sessions and Escrow agree");
    }

    function _checkI4(uint256 id, IEscrow.Budget memory budget) private view {
        uint256 claimed;
        uint256 earned;
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            uint128 had = escrow.claimedBy(address(sessions), id, handler.actors(i));
            assertLe(had, handler.earned(id, handler.actors(i)), "I4: nobody has more than it earned");
            claimed += had;
            earned += handler.earned(id, handler.actors(i));
        }
        assertEq(claimed, budget.claimed, "I4: claims add up");
        assertEq(earned, budget.committed, "I4: what is committed was earned");
    }

    function _checkI5(uint256 id, ISessions.Session memory session, IEscrow.Budget memory budget) private view {
        bool ended = session.state > ISessions.State.Active;
        assertEq(budget.closed, ended, "I5: budgets close with their sessions");
        if (!ended) return;
        assertEq(handler.fingerprint(id), handler.endedAs(id), "I5: an ended session never changes");
        assertEq(budget.refunded, budget.deposited - budget.committed, "I5: the rest went back");
    }

    function _checkI6(uint256 id, ISessions.Session memory session) private view {
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        (uint256 claimed, uint256 serving, uint256 posted) = (0, 0, 0);
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].operator == address(0)) continue;
            ++claimed;
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(seats[i].operator, seats[j].operator, "I6: one seat an operator");
            }
            uint16 round = session.round == 0 ? 1 : session.round;
            if (seats[i].joinedRound != 0 && seats[i].joinedRound <= round) ++serving;
            if (session.round != 0 && seats[i].lastRound == session.round) ++posted;
        }
        assertEq(session.claimed, claimed, "I6: claimed");
        assertEq(session.occupied, serving, "I6: occupied");
        assertEq(session.posted, posted, "I6: posted");
        assertLe(posted, serving, "I6: who posts serves");
    }

    function _checkI7(uint256 id, ISessions.Session memory session) private view {
        assertEq(session.accumulator, handler.folded(id, session.round), "I7: the accumulator is the fold over events");
    }

    function _checkI8(uint256 id, ISessions.Session memory session) private view {
        uint256 finals;
        bytes32 last;
        for (uint16 round = 1; round <= sessions.terms(id).rounds; ++round) {
            bytes32 aggregate = sessions.aggregateOf(id, round);
            assertEq(aggregate, handler.firstAggregate(id, round), "I8: a final aggregate never changes");
            if (aggregate == 0) continue;
            ++finals;
            last = aggregate;
        }
        assertEq(session.finalRounds, finals, "I8: final rounds");
        assertEq(session.model, last, "I8: the model is the last final aggregate");
    }

    function _checkI9(uint256 id, ISessions.Session memory session) private view {
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        for (uint256 i = 0; i < seats.length; ++i) {
            uint256 current = session.state == ISessions.State.Active && seats[i].lastRound == session.round ? 1 : 0;
            assertLe(seats[i].finished, session.finalRounds + current, "I9: finished only what is or may become final");
        }
    }

    function _checkI12(uint256 id, ISessions.Session memory session) private view {
        if (session.state != ISessions.State.Active) return;
        ISessions.Terms memory terms = sessions.terms(id);
        uint256 drawn = Draw.drawn(terms.drawSeed, session.round, terms.seats, terms.cohort);
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        uint256 expected;
        for (uint256 i = 0; i < seats.length; ++i) {
            bool serves = seats[i].joinedRound != 0 && seats[i].joinedRound <= session.round;
            if (serves && (drawn >> i) & 1 != 0) ++expected;
        }
        assertEq(session.expected, expected, "I12: expected are those who serve and are drawn");
        assertLe(session.posted, expected, "I12: who posts is expected");
    }

    function _checkI10() private view {
        for (uint256 i = 0; i < handler.ACTORS(); ++i) {
            assertLe(reputation.score(handler.actors(i)), 1_000, "I10: scores are bounded");
        }
    }
}
