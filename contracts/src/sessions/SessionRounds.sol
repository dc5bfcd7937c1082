// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISessions} from "../interfaces/ISessions.sol";
import {RoundPhase} from "../libraries/RoundPhase.sol";
import {SessionStorage} from "./SessionStorage.sol";

/// @title SessionRounds: a round from its first update to its result.
/// @notice Training -> Closed -> Proposed -> final or void; sessions with secure aggregation pass from Training through Unmasking
/// to Closed.
abstract contract SessionRounds is SessionStorage {
    using RoundPhase for RoundPhase.Progress;

    /// @inheritdoc ISessions
    function submitUpdate(uint256 id, uint16 round, uint16 index, bytes32 digest, uint64 samples) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Training);
        p.requireBeforeDeadline();
        if (digest == 0) revert Sessions_ZeroDigest();
        if (samples == 0) revert Sessions_ZeroSamples();
        SeatRecord storage seat_ = _heldSeat(s, index);
        if (!_takesPart(s, seat_, index)) revert Sessions_SeatNotServing(index);
        uint16 last = seat_.lastRound;
        if (last == round) revert Sessions_AlreadyPosted(index, round);

        if (last != 0 && _wasFinal(s, last)) seat_.finished += 1;
        seat_.lastRound = round;
        uint16 posted = p.posted;
        p.posted = posted + 1;
        bytes32 accumulator = posted == 0 ? bytes32(0) : s.accumulator;
        s.accumulator = keccak256(abi.encodePacked(accumulator, msg.sender, digest, samples));
        emit UpdateSubmitted(id, round, msg.sender, index, digest, samples);
    }

    /// @inheritdoc ISessions
    function close(uint256 id, uint16 round) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Training);
        p.requireClosable(s.terms.quorum, _expected(s));

        p.closedAt = RoundPhase.epoch();
        uint40 deadline = s.terms.unmasking
            ? p.enter(Phase.Unmasking, s.terms.unmaskPeriod)
            : p.enter(Phase.Closed, s.terms.proposePeriod);
        emit RoundClosed(id, round, p.posted, s.accumulator, deadline);
    }

    /// @inheritdoc ISessions
    function rollOver(uint256 id, uint16 round) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Training);
        p.requireLate();
        if (p.posted >= s.terms.quorum) revert Sessions_QuorumReached(s.terms.quorum, p.posted);

        uint16 rollovers = p.rollovers;
        if (rollovers == s.terms.maxRollovers) {
            emit RoundVoided(id, round);
            _advance(id, s, false);
        } else {
            p.rollovers = rollovers + 1;
            emit RoundRolledOver(id, round, rollovers + 1, p.enter(Phase.Training, s.terms.roundPeriod));
        }
    }

    /// @inheritdoc ISessions
    function postShares(uint256 id, uint16 round, uint16 index, bytes32 digest) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Unmasking);
        p.requireBeforeDeadline();
        if (digest == 0) revert Sessions_ZeroDigest();
        SeatRecord storage seat_ = _heldSeat(s, index);
        if (seat_.lastRound != round) revert Sessions_SeatNotServing(index);
        if (seat_.sharedRound == round) revert Sessions_AlreadyPosted(index, round);

        seat_.sharedRound = round;
        p.shared += 1;
        emit SharesPosted(id, round, msg.sender, digest);
    }

    /// @inheritdoc ISessions
    function closeUnmasking(uint256 id, uint16 round) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Unmasking);
        if (p.shared != p.posted) p.requireLate();

        emit RoundUnmasked(id, round, p.shared, p.enter(Phase.Closed, s.terms.proposePeriod));
    }

    /// @inheritdoc ISessions
    function propose(
        uint256 id,
        uint16 round,
        bytes32 aggregate,
        bytes32 updatesRoot,
        bytes32 payoutsRoot,
        uint128 payoutSum,
        bool reached,
        bytes32 report
    ) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Closed);
        p.requireBeforeDeadline();
        if (aggregate == 0 || (payoutSum != 0 && payoutsRoot == 0)) revert Sessions_ZeroDigest();
        if (payoutSum < s.committed) revert Sessions_PayoutDecreased(s.committed, payoutSum);
        if (reached && !s.terms.targeted) revert Sessions_NoTarget(id);
        uint128 most = _mostPayable(s, reached || round == s.terms.rounds);
        if (payoutSum > most) revert Sessions_PayoutTooHigh(most, payoutSum);
        _requireStake(msg.sender, s.terms.keeperBond);

        p.enter(Phase.Proposed, s.terms.proposePeriod);
        s.attestedRound[msg.sender] = round;
        s.proposal = Proposal({
            proposer: msg.sender,
            proposedAt: RoundPhase.epoch(),
            attested: 1,
            reached: reached,
            aggregate: aggregate,
            updatesRoot: updatesRoot,
            payoutsRoot: payoutsRoot,
            payoutSum: payoutSum,
            report: report
        });
        emit RoundProposed(id, round, msg.sender, aggregate, updatesRoot, payoutsRoot, payoutSum, reached, report);
    }

    /// @inheritdoc ISessions
    function attest(uint256 id, uint16 round, bytes32 proposalHash) external {
        SessionRecord storage s = _sessions[id];
        s.progress.requireAt(id, round, Phase.Proposed);
        s.progress.requireBeforeDeadline();
        if (s.attestedRound[msg.sender] == round) revert Sessions_AlreadyAttested(msg.sender);
        Proposal storage standing = s.proposal;
        bytes32 expected = keccak256(
            abi.encode(
                id,
                round,
                standing.aggregate,
                standing.updatesRoot,
                standing.payoutsRoot,
                standing.payoutSum,
                standing.reached
            )
        );
        if (proposalHash != expected) revert Sessions_ProposalMismatch(expected, proposalHash);
        _requireStake(msg.sender, s.terms.keeperBond);

        s.attestedRound[msg.sender] = round;
        uint16 attested = standing.attested + 1;
        standing.attested = attested;
        emit RoundAttested(id, round, msg.sender, attested);
    }

    /// @inheritdoc ISessions
    function finalize(uint256 id, uint16 round) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireAt(id, round, Phase.Proposed);
        Proposal storage standing = s.proposal;
        uint16 attestations = s.terms.attestations;
        if (standing.attested < attestations) revert Sessions_QuorumMissed(attestations, standing.attested);
        uint40 finalFrom = standing.proposedAt + s.terms.challengeWindow;
        if (block.number < finalFrom) revert Sessions_TooEarly(finalFrom, RoundPhase.epoch());
        (bytes32 aggregate, uint128 payoutSum) = (standing.aggregate, standing.payoutSum);

        s.aggregates[round] = aggregate;
        s.model = aggregate;
        s.committed = payoutSum;
        p.finalRounds += 1;
        p.lastFinal = round;
        emit RoundFinalized(id, round, aggregate, payoutSum);
        if (payoutSum != 0) _escrow.commit(id, standing.payoutsRoot, payoutSum);
        _advance(id, s, standing.reached);
    }

    /// @inheritdoc ISessions
    function voidRound(uint256 id, uint16 round) external {
        SessionRecord storage s = _sessions[id];
        RoundPhase.Progress storage p = s.progress;
        p.requireRound(id, round);
        if (p.phase == Phase.Proposed) {
            (uint16 attestations, uint16 attested) = (s.terms.attestations, s.proposal.attested);
            if (attested >= attestations) revert Sessions_QuorumReached(attestations, attested);
        } else if (p.phase != Phase.Closed) {
            revert Sessions_WrongPhase(Phase.Closed, p.phase);
        }
        p.requireLate();

        emit RoundVoided(id, round);
        _advance(id, s, false);
    }

    function _heldSeat(SessionRecord storage s, uint16 index) private view returns (SeatRecord storage seat_) {
        seat_ = s.seats[index];
        if (seat_.operator != msg.sender) revert Sessions_NotSeatHolder(seat_.operator, msg.sender);
    }

    /// @dev Whether an earlier round became final. Mostly it is the last final one, which the hot slot knows.
    function _wasFinal(SessionRecord storage s, uint16 round) private view returns (bool) {
        uint16 lastFinal = s.progress.lastFinal;
        return round == lastFinal || (round < lastFinal && s.aggregates[round] != 0);
    }

    /// @dev Most that may have been earned in all rounds up to this one: never more than the budget.
    function _mostPayable(SessionRecord storage s, bool last) private view returns (uint128 most) {
        most = s.committed + s.terms.roundReward + s.terms.keeperFee;
        if (last) most += s.terms.completionBonus;
    }
}
