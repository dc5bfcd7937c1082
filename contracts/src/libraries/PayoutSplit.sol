// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title PayoutSplit: what one accepted update earns in a round.
/// @notice `R * (10000 - b) * w / (10000 * W) + R * b * q / (10000 * Q)`: R the round reward, b the performance share in bps, w
/// and W the update's and all accepted samples, q and Q the update's and all scores. Both terms are rounded down, so all
/// updates of a round together never earn more than R; the remainder stays in the budget.
library PayoutSplit {
    using SafeCast for uint256;

    uint256 internal constant BPS = 10_000;

    /// @dev A zero total makes its term zero. `samples <= totalSamples` and `score <= totalScore` keep the result within R.
    function rewardDown(
        uint128 reward,
        uint16 performanceBps,
        uint64 samples,
        uint256 totalSamples,
        uint32 score,
        uint256 totalScore
    ) internal pure returns (uint128) {
        uint256 bySamples = totalSamples == 0
            ? 0
            : (uint256(reward) * (BPS - performanceBps) * samples) / (BPS * totalSamples);
        uint256 byScore = totalScore == 0 ? 0 : (uint256(reward) * performanceBps * score) / (BPS * totalScore);
        return (bySamples + byScore).toUint128();
    }
}
