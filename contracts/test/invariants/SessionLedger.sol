// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Sessions} from "../../src/Sessions.sol";
import {IEscrow} from "../../src/interfaces/IEscrow.sol";
import {ISessions} from "../../src/interfaces/ISessions.sol";
import {Draw} from "../../src/libraries/Draw.sol";
import {SumTree} from "../support/SumTree.sol";

/// @title SessionLedger: what everyone has earned, kept as an honest keeper keeps it, apart from the contracts.
/// @notice Follows the split of SPEC.md: reward by samples and score, keeper fee, completion bonus in the last round.
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
    function _split(uint256 id, uint16 round, address proposer, bool reached)
        internal
        returns (bytes32 root, uint128 sum)
    {
        ISessions.Terms memory terms = sessions.terms(id);
        bool last = reached || round == terms.rounds;
        ISessions.Seat[] memory seats = sessions.seatsOf(id);
        for (uint256 i = 0; i < actors.length; ++i) {
            _pending[id][actors[i]] = earned[id][actors[i]];
        }
        if (last) _addBonus(id, round, terms, seats);
        _addRewards(id, round, seats);
        _pending[id][proposer] += terms.keeperFee;
        return SumTree.root(_leaves(id, true));
    }

    function _addRewards(uint256 id, uint16 round, ISessions.Seat[] memory seats) private {
        (uint256 totalSamples, uint256 totalScore) = _totals(id, round, seats);
        for (uint256 i = 0; i < seats.length; ++i) {
            address operator = seats[i].operator;
            if (operator == address(0) || seats[i].lastRound != round) continue;
            uint64 samples = _samples[id][round][operator];
            _pending[id][operator] += sessions.rewardOf(id, samples, totalSamples, _score(round, i), totalScore);
        }
    }

    function _addBonus(uint256 id, uint16 round, ISessions.Terms memory terms, ISessions.Seat[] memory seats) private {
        uint128 present;
        for (uint16 i = 0; i < seats.length; ++i) {
            if (_isPresent(id, round, i, seats[i])) ++present;
        }
        for (uint16 i = 0; i < seats.length; ++i) {
            if (_isPresent(id, round, i, seats[i])) {
                _pending[id][seats[i].operator] += terms.completionBonus / present;
            }
        }
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
        returns (uint256 totalSamples, uint256 totalScore)
    {
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].operator == address(0) || seats[i].lastRound != round) continue;
            totalSamples += _samples[id][round][seats[i].operator];
            totalScore += _score(round, i);
        }
    }

    /// @dev There from the first round on, and in every final round that the seat was drawn for, this one included.
    function _isPresent(uint256 id, uint16 round, uint16 index, ISessions.Seat memory seat)
        private
        view
        returns (bool)
    {
        uint16 drawn;
        for (uint16 past = 1; past <= round; ++past) {
            bool counts = past == round || sessions.aggregateOf(id, past) != 0;
            if (counts && _isDrawn(id, past, index)) ++drawn;
        }
        return seat.joinedRound == 1 && drawn != 0 && seat.finished == drawn;
    }

    function _isDrawn(uint256 id, uint16 round, uint16 index) internal view returns (bool) {
        ISessions.Terms memory terms = sessions.terms(id);
        return (Draw.drawn(terms.drawSeed, round, terms.seats, terms.cohort) >> index) & 1 != 0;
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
