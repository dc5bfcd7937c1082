// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../src/interfaces/IReputation.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsForfeitTest is SessionTest {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        id = _started(_terms());
    }

    function _refused(uint16 seat) private {
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_NotForfeitable.selector, seat));
        sessions.forfeit(id, seat);
    }

    function test_WhoMissesTheDeadlineLosesTheSeat() public {
        _round(id, REWARD);
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        vm.expectEmit(address(sessions));
        emit ISessions.SeatForfeited(id, 2, runners[2], 1, 1);
        vm.prank(stranger);
        sessions.forfeit(id, 2);

        assertEq(sessions.seat(id, 2).operator, address(0));
        assertEq(sessions.session(id).occupied, 2);
        assertEq(sessions.session(id).claimed, 2);
        IReputation.Record memory record = reputation.recordOf(runners[2]);
        assertEq(record.finished, 1);
        assertEq(record.missed, 1);
        assertEq(record.score, 480);
    }

    function test_BeforeTheDeadlineNobodyDoes() public {
        _skip(ROUND_PERIOD);
        _refused(0);
    }

    function test_WhoPostedDoesNot() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        _refused(0);
        sessions.close(id, 1);
        _refused(0);
        _propose(id, REWARD);
        _refused(0);
    }

    function test_ALaterPhaseOfTheMissedRoundIsNotTooLate() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        _propose(id, REWARD);
        sessions.forfeit(id, 2);
        assertEq(sessions.session(id).occupied, 2);
    }

    function test_TheNextRoundForgives() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        _conclude(id, REWARD);
        _refused(2);
        _submit(id, 2);
    }

    function test_WhoJoinsTheNextRoundMissedNothing() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.close(id, 1);
        sessions.forfeit(id, 2);
        _claimSeat(id, 2, runners[3]);
        _refused(2);
    }

    function test_AnEmptySeatIsRefused() public {
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_SeatEmpty.selector, 2));
        sessions.forfeit(id, 2);
    }

    function test_OutsideActiveItIsRefused() public {
        uint256 open = _create(_terms());
        _claimSeat(open, 0);
        _expectWrongState(ISessions.State.Active, ISessions.State.Open);
        sessions.forfeit(open, 0);
    }

    function test_ItMayComeBackAndStartsFromNothing() public {
        _round(id, REWARD);
        _round(id, 2 * REWARD);
        _submit(id, 0);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        sessions.rollOver(id, 3);
        _claimSeat(id, 2, runners[2]);
        ISessions.Seat memory seat = sessions.seat(id, 2);
        assertEq(seat.finished, 0);
        assertEq(seat.lastRound, 0);
        assertEq(seat.joinedRound, 3);
        _submit(id, 2);
        assertEq(sessions.seat(id, 2).finished, 1);
    }

    function test_AfterForfeitsTheRestClosesEarlyAgain() public {
        _submit(id, 0);
        _submit(id, 1);
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        sessions.close(id, 1);
        _conclude(id, REWARD);
        _submit(id, 0);
        _submit(id, 1);
        sessions.close(id, 2);
    }

    function test_ALostRecorderRoleKeepsNoSeatOccupied() public {
        vm.prank(governor);
        authority.revoke(Roles.RECORDER, address(sessions));
        _skip(ROUND_PERIOD + 1);
        sessions.forfeit(id, 2);
        assertEq(sessions.seat(id, 2).operator, address(0));
        assertEq(reputation.recordOf(runners[2]).updatedAt, 0);
    }

    /// @dev With whatever gas the call is made: it reverts, or the miss is on record.
    function test_StarvingTheRecordOfGasFailsTheWholeCall(uint256 gas_) public {
        _skip(ROUND_PERIOD + 1);
        gas_ = bound(gas_, 20_000, 200_000);
        try sessions.forfeit{gas: gas_}(id, 2) {
            assertEq(reputation.recordOf(runners[2]).missed, 1);
        } catch {
            assertEq(sessions.seat(id, 2).operator, runners[2]);
        }
    }
}
