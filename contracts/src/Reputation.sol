// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IReputation} from "./interfaces/IReputation.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title Reputation: see IReputation.
/// @notice One missed round weighs as much as five finished ones. Within one record the finished rounds count first, so that a
/// miss always shows, also at the ceiling.
contract Reputation is IReputation {
    uint16 private constant MAX = 1_000;
    uint16 private constant NEUTRAL = 500;
    uint256 private constant PER_FINISHED = 5;
    uint256 private constant PER_MISSED = 25;

    IAuthority private immutable _authority;

    mapping(address operator => Record) private _records;

    constructor(address authority_) {
        _authority = IAuthority(authority_);
    }

    /// @inheritdoc IReputation
    function record(address operator, uint16 finished, uint16 missed) external {
        if (!_authority.holds(Roles.RECORDER, msg.sender)) revert Reputation_NotRecorder(msg.sender);

        Record memory updated = recordOf(operator);
        uint256 raised = updated.score + PER_FINISHED * finished;
        if (raised > MAX) raised = MAX;
        uint256 lowered = PER_MISSED * missed;
        updated.score = lowered < raised ? uint16(raised - lowered) : 0;
        updated.finished = _addSaturating(updated.finished, finished);
        updated.missed = _addSaturating(updated.missed, missed);
        updated.updatedAt = uint40(block.number);

        _records[operator] = updated;
        emit ReputationChanged(operator, updated.score, updated.finished, updated.missed);
    }

    /// @inheritdoc IReputation
    function score(address operator) external view returns (uint16) {
        return recordOf(operator).score;
    }

    /// @inheritdoc IReputation
    function recordOf(address operator) public view returns (Record memory known) {
        known = _records[operator];
        if (known.updatedAt == 0) known.score = NEUTRAL;
    }

    function _addSaturating(uint32 total, uint16 more) private pure returns (uint32) {
        uint256 sum = uint256(total) + more;
        return sum > type(uint32).max ? type(uint32).max : uint32(sum);
    }
}
