// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Sessions} from "../../src/Sessions.sol";
import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {SumTree} from "../support/SumTree.sol";

/// @title SessionLedger: what everyone has earned, kept as an honest keeper keeps it, apart from the contracts.
/// @notice Follows the split of SPEC.md: reward by samples and score, keeper fee, completion bonus in the last scheduled round.
abstract contract SessionLedger {
    Sessions public immutable sessions;

    /// @dev Operators sorted by address: the order of the leaves.
    address[] public actors;
    /// @dev Cumulative earnings in final rounds.
    mapping(uint256 id => mapping(address operator => uint128)) public earned;
    /// @dev The same with the standing proposal.
    mapping(uint256 id => mapping(address operator => uint128)) internal _pending;
    /// @dev Samples of the current round, as posted.
    mapping(uint256 id => mapping(uint16 round => mapping(address operator => uint64))) internal _samples;

    constructor(Sessions sessions_) {
        sessions = sessions_;
    }

    /// @dev Sets the pending earnings of a closed round and returns their tree.
    function _split(uint256 id, uint16 round, address proposer) internal returns (bytes32 root, uint128 sum) {
        ISessions.Terms memory terms = sessions.terms(id);
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        for (uint256 i = 0; i < actors.length; ++i) {
            _pending[id][actors[i]] = earned[id][actors[i]];
        }
        (uint256 totalSamples, uint256 totalScore, uint128 present) = _totals(id, round, seats);
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].operator == address(0) || seats[i].lastRound != round) continue;
            _pending[
                id
            ][
                seats[i].operator
            ] += sessions.rewardOf(
                id, _samples[id][round][seats[i].operator], totalSamples, _score(round, i), totalScore
            );
            if (round == terms.rounds && _isPresent(id, seats[i])) {
                _pending[id][seats[i].operator] += terms.completionBonus / present;
            }
        }
        _pending[id][proposer] += terms.keeperFee;
        return SumTree.root(_leaves(id, true));
    }

    function _settle(uint256 id) internal {
        for (uint256 i = 0; i < actors.length; ++i) {
            earned[id][actors[i]] = _pending[id][actors[i]];
        }
    }

    /// @notice A claim of everything that an operator has earned in final rounds.
    function claimOf(uint256 id, address operator) public view returns (IEscrow.Claim memory claim) {
        SumTree.Leaf[] memory leaves = _leaves(id, false);
        for (uint256 i = 0; i < leaves.length; ++i) {
            if (leaves[i].operator == operator) {
                return IEscrow.Claim(address(sessions), id, operator, leaves[i].cumulative, SumTree.proof(leaves, i));
            }
        }
    }

    function _totals(uint256 id, uint16 round, ISessions.Seat[] memory seats)
        private
        view
        returns (uint256 totalSamples, uint256 totalScore, uint128 present)
    {
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].operator == address(0) || seats[i].lastRound != round) continue;
            totalSamples += _samples[id][round][seats[i].operator];
            totalScore += _score(round, i);
            if (_isPresent(id, seats[i])) ++present;
        }
    }

    /// @dev There from the first round on and in every final one, this one included.
    function _isPresent(uint256 id, ISessions.Seat memory seat) private view returns (bool) {
        return seat.joinedRound == 1 && seat.finished == sessions.session(id).finalRounds + 1;
    }

    function _score(uint16 round, uint256 index) private pure returns (uint32) {
        return uint32(uint256(keccak256(abi.encode(round, index))) % 1_000);
    }

    function _leaves(uint256 id, bool pending) private view returns (SumTree.Leaf[] memory leaves) {
        SumTree.Leaf[] memory all = new SumTree.Leaf[](actors.length);
        uint256 count;
        for (uint256 i = 0; i < actors.length; ++i) {
            uint128 cumulative = pending ? _pending[id][actors[i]] : earned[id][actors[i]];
            if (cumulative != 0) all[count++] = SumTree.Leaf(actors[i], cumulative);
        }
        leaves = new SumTree.Leaf[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = all[i];
        }
    }
}
