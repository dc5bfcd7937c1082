// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SafeToken} from "../../src/libraries/SafeToken.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsCreateTest is SessionTest {
    uint256 private constant KEY = 0xA11CE;

    function test_CreateLocksTheWholeBudget() public {
        ISessions.Terms memory terms = _terms();
        uint128 budget = 3 * (REWARD + KEEPER_FEE) + BONUS;
        assertEq(sessions.budgetOf(terms), budget);
        _fund(requester, address(escrow), budget);
        vm.expectEmit(address(sessions));
        emit ISessions.SessionCreated(1, requester, terms.spec, budget, terms);
        vm.prank(requester);
        uint256 id = sessions.createSession(terms);

        assertEq(id, 1);
        assertEq(sessions.sessionCount(), 1);
        assertEq(abi.encode(sessions.terms(id)), abi.encode(terms));
        ISessions.Session memory session = sessions.session(id);
        assertEq(session.requester, requester);
        assertEq(session.deadline, _epoch() + OPEN_PERIOD);
        assertEq(session.accumulator, 0);
        _expectState(id, ISessions.State.Open);
        IEscrow.Budget memory locked = escrow.budget(address(sessions), id);
        assertEq(locked.deposited, budget);
        assertEq(locked.funder, requester);
        assertEq(sessions.seatsOf(id).length, 3);
    }

    function test_IdsCountUp() public {
        assertEq(_create(_terms()), 1);
        assertEq(_create(_terms()), 2);
    }

    function test_APermitNeedsNoApproval() public {
        (address owner, uint128 budget) = _funded();
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, address(escrow), budget, block.timestamp);
        vm.prank(owner);
        uint256 id = sessions.createSessionWithPermit(_terms(), block.timestamp, v, r, s);
        assertEq(sessions.session(id).requester, owner);
    }

    function test_AFrontRunPermitDoesNoHarm() public {
        (address owner, uint128 budget) = _funded();
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, address(escrow), budget, block.timestamp);
        usdfc.permit(owner, address(escrow), budget, block.timestamp, v, r, s);
        vm.prank(owner);
        sessions.createSessionWithPermit(_terms(), block.timestamp, v, r, s);
    }

    function test_ABadPermitWithoutAllowanceIsRefused() public {
        (address owner, uint128 budget) = _funded();
        (uint8 v, bytes32 r, bytes32 s) = _permit(0xB0B, address(escrow), budget, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(SafeToken.SafeToken_AllowanceTooLow.selector, budget, 0));
        vm.prank(owner);
        sessions.createSessionWithPermit(_terms(), block.timestamp, v, r, s);
    }

    function test_EveryFieldHasItsBounds() public {
        ISessions.Terms memory t = _terms();
        t.spec = 0;
        _refused(t, "spec");
        t = _terms();
        t.seats = 0;
        _refused(t, "seats");
        t.seats = 257;
        _refused(t, "seats");
        t = _terms();
        t.quorum = 0;
        _refused(t, "quorum");
        t.quorum = 4;
        _refused(t, "quorum");
        t = _terms();
        t.cohort = 1;
        _refused(t, "cohort");
        t.cohort = 4;
        _refused(t, "cohort");
        t = _terms();
        t.rounds = 0;
        _refused(t, "rounds");
        t.rounds = 10_001;
        _refused(t, "rounds");
        t = _terms();
        t.attestations = 0;
        _refused(t, "attestations");
        t.attestations = 65;
        _refused(t, "attestations");
        t = _terms();
        t.maxRollovers = 101;
        _refused(t, "maxRollovers");
        t = _terms();
        t.performanceBps = 10_001;
        _refused(t, "performanceBps");
        t = _terms();
        t.minReputation = 1_001;
        _refused(t, "minReputation");
        t = _terms();
        t.roundReward = 0;
        _refused(t, "roundReward");
        t = _terms();
        t.roundReward = type(uint128).max;
        _refused(t, "budget");
    }

    function test_EveryPeriodHasItsBounds() public {
        uint40 tooLong = 1_051_201;
        ISessions.Terms memory t = _terms();
        (t.openPeriod, t.roundPeriod) = (0, 1);
        _refused(t, "openPeriod");
        t.openPeriod = tooLong;
        _refused(t, "openPeriod");
        t = _terms();
        t.roundPeriod = 0;
        _refused(t, "roundPeriod");
        t.roundPeriod = tooLong;
        _refused(t, "roundPeriod");
        t = _terms();
        t.proposePeriod = 0;
        _refused(t, "proposePeriod");
        t.proposePeriod = tooLong;
        _refused(t, "proposePeriod");
        t = _terms();
        t.challengeWindow = tooLong;
        _refused(t, "challengeWindow");
        t = _terms();
        t.unmaskPeriod = tooLong;
        _refused(t, "unmaskPeriod");
        (t.unmaskPeriod, t.unmasking) = (0, true);
        _refused(t, "unmaskPeriod");
        t.unmasking = false;
        _create(t);
    }

    function test_NobodyCreatesWithoutMoney() public {
        vm.prank(requester);
        vm.expectRevert();
        sessions.createSession(_terms());
        assertEq(sessions.sessionCount(), 0);
    }

    function _funded() private returns (address owner, uint128 budget) {
        owner = vm.addr(KEY);
        budget = sessions.budgetOf(_terms());
        usdfc.mint(owner, budget);
    }

    function _refused(ISessions.Terms memory terms, bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_InvalidTerms.selector, field));
        sessions.createSession(terms);
    }
}
