// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title IReputation: a bounded score from finished and missed rounds.
/// @notice Starts neutral (500 of 1000). Only holders of the RECORDER role write; replaceable.
interface IReputation {
    struct Record {
        uint16 score; // 0..1000, neutral 500
        uint32 finished; // rounds finished, all time
        uint32 missed; // rounds missed, all time
        uint40 updatedAt; // epoch of the last change, 0 when never
    }

    event ReputationChanged(address indexed operator, uint16 score, uint32 finished, uint32 missed);

    error Reputation_NotRecorder(address actual);

    function record(address operator, uint16 finished, uint16 missed) external;
    function recordOf(address operator) external view returns (Record memory);
    function score(address operator) external view returns (uint16);
}
