// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../interfaces/ISessions.sol";

/// @title SessionTerms: which terms a session may be created with, and what it costs at most.
/// @notice The bounds keep every deadline reachable and every sum inside its type; they say nothing about good economics.
library SessionTerms {
    /// @dev Seats fit one call of `seatsOf` and one event-sized batch of `sealShards`.
    uint16 internal constant MAX_SEATS = 256;
    uint16 internal constant MAX_ROUNDS = 10_000;
    uint16 internal constant MAX_ATTESTATIONS = 64;
    uint16 internal constant MAX_ROLLOVERS = 100;
    uint16 internal constant MAX_BPS = 10_000;
    uint16 internal constant MAX_REPUTATION = 1_000;
    /// @dev 365 days of 2,880 epochs.
    uint40 internal constant MAX_PERIOD = 1_051_200;

    /// @dev Reverts with the name of the first field that is out of bounds.
    function validate(ISessions.Terms calldata terms) internal pure {
        if (terms.spec == 0) _refuse("spec");
        _within("seats", terms.seats, 1, MAX_SEATS);
        _within("quorum", terms.quorum, 1, terms.seats);
        _within("cohort", terms.cohort, terms.quorum, terms.seats);
        _within("rounds", terms.rounds, 1, MAX_ROUNDS);
        _within("attestations", terms.attestations, 1, MAX_ATTESTATIONS);
        _within("maxRollovers", terms.maxRollovers, 0, MAX_ROLLOVERS);
        _within("performanceBps", terms.performanceBps, 0, MAX_BPS);
        _within("minReputation", terms.minReputation, 0, MAX_REPUTATION);
        _within("openPeriod", terms.openPeriod, 1, MAX_PERIOD);
        _within("roundPeriod", terms.roundPeriod, 1, MAX_PERIOD);
        _within("unmaskPeriod", terms.unmaskPeriod, terms.unmasking ? 1 : 0, MAX_PERIOD);
        _within("proposePeriod", terms.proposePeriod, 1, MAX_PERIOD);
        _within("challengeWindow", terms.challengeWindow, 0, MAX_PERIOD);
        if (terms.roundReward == 0) _refuse("roundReward");
    }

    /// @dev Most that the session can pay out: every round's reward and keeper fee, and the completion bonus.
    function budget(ISessions.Terms calldata terms) internal pure returns (uint128) {
        uint256 total = (uint256(terms.roundReward) + terms.keeperFee) * terms.rounds + terms.completionBonus;
        if (total > type(uint128).max) _refuse("budget");
        return uint128(total);
    }

    function _within(bytes32 field, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) _refuse(field);
    }

    function _refuse(bytes32 field) private pure {
        revert ISessions.Sessions_InvalidTerms(field);
    }
}
