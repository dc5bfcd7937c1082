// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Beacon} from "../../src/libraries/Beacon.sol";
import {SessionTest} from "../support/SessionTest.sol";

contract SessionsViewsTest is SessionTest {
    function test_TheSeedIsTheBeaconOfTheEpochOfClosing() public {
        uint256 id = _started(_terms());
        _expectWrongPhase(ISessions.Phase.Closed, ISessions.Phase.Training);
        sessions.roundSeed(id);
        _close(id);
        bytes32 seed = keccak256(abi.encode("beacon", uint256(_epoch())));
        assertEq(sessions.roundSeed(id), seed);
        _skip(3);
        _propose(id, REWARD);
        assertEq(sessions.roundSeed(id), seed, "whenever it is asked for");
    }

    function test_WithoutABeaconTheSeedIsUnavailable() public {
        uint256 id = _started(_terms());
        _close(id);
        vm.etch(BEACON, hex"fe");
        vm.expectRevert(abi.encodeWithSelector(Beacon.Beacon_Unavailable.selector, _epoch()));
        sessions.roundSeed(id);
        vm.etch(BEACON, "");
        vm.expectRevert(abi.encodeWithSelector(Beacon.Beacon_Unavailable.selector, _epoch()));
        sessions.roundSeed(id);
    }

    function test_TheBeaconIsNotAskedForTheFuture() public {
        vm.expectRevert(abi.encodeWithSelector(Beacon.Beacon_FutureEpoch.selector, _epoch(), _epoch() + 1));
        this.seedAt(_epoch() + 1);
        (bool answered,) = BEACON.staticcall{gas: 10_000}(abi.encode(uint256(_epoch()) + 1));
        assertFalse(answered, "nor does the mock answer");
        (answered,) = BEACON.staticcall{gas: 10_000}(hex"01");
        assertFalse(answered, "nor anything but an epoch");
    }

    function seedAt(uint256 epoch) external view returns (bytes32) {
        return Beacon.at(epoch);
    }

    function test_AllRewardsOfARoundStayWithinIt(uint64[3] calldata samples, uint32[3] calldata scores, uint16 bps)
        public
    {
        ISessions.Terms memory terms = _terms();
        terms.performanceBps = uint16(bound(bps, 0, 10_000));
        uint256 id = _create(terms);
        uint256 totalSamples = uint256(samples[0]) + samples[1] + samples[2];
        uint256 totalScore = uint256(scores[0]) + scores[1] + scores[2];
        uint256 paid;
        for (uint256 i = 0; i < 3; ++i) {
            paid += sessions.rewardOf(id, samples[i], totalSamples, scores[i], totalScore);
        }
        assertLe(paid, REWARD);
        if (totalSamples != 0 && totalScore != 0) assertGe(paid + 6, REWARD, "less than one unit lost a term");
    }

    function test_UnknownSessionsAreEmpty() public view {
        assertEq(uint8(sessions.session(7).state), uint8(ISessions.State.None));
        assertEq(sessions.terms(7).seats, 0);
        assertEq(sessions.seatsOf(7).length, 0);
    }
}
