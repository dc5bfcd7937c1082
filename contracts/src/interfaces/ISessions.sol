// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ISessions: federated sessions, their seats and rounds.
/// @notice session: Open -> Active -> Completed | Cancelled | Expired.
/// round: Training -> Closed [-> Unmasking] -> Proposed -> Final | Voided. Every arrow has a deadline and a
/// permissionless caller. Holds no tokens: money moves in Escrow. All periods and deadlines are in epochs.
/// Every bytes32 digest is the sha2-256 of a DAG-CBOR block (CIDv1, codec 0x71).
interface ISessions {
    enum State {
        None,
        Open,
        Active,
        Completed,
        Cancelled,
        Expired
    }

    enum Phase {
        None,
        Training,
        Closed,
        Unmasking,
        Proposed
    }

    enum DataMode {
        Private,
        Uploaded
    }

    /// @notice What a requester fixes at creation and nobody can change afterwards.
    struct Terms {
        bytes32 spec; // digest of the canonical session spec
        uint16 seats; // 1..256
        uint16 quorum; // least number of updates that closes a round at its deadline, 1..seats
        uint16 rounds; // 1..10_000
        uint16 attestations; // keepers that must agree, the proposer included, 1..64
        uint16 maxRollovers; // how often a round may be extended before it is void, 0..100
        uint16 performanceBps; // share of the round reward split by score instead of samples
        uint16 minReputation; // 0..1000
        DataMode dataMode;
        bool unmasking; // rounds pass through Unmasking (secure aggregation)
        bool targeted; // a proposal may say that the spec's target is reached: then its round is the last
        uint40 openPeriod; // epochs to fill and seal all seats before anyone may expire the session
        uint40 roundPeriod; // epochs for training
        uint40 unmaskPeriod; // epochs for posting shares
        uint40 proposePeriod; // epochs for a proposal, and again for its attestations, before the round is void
        uint40 challengeWindow; // epochs between proposal and finality
        uint64 capabilities; // what a runner must be capable of
        uint16 cohort; // seats that take part in each round, quorum..seats; fewer than all are drawn anew for every round
        uint64 drawSeed; // decides all draws, together with the round
        uint128 roundReward; // base units per round, split among accepted updates
        uint128 keeperFee; // base units per round to the proposer
        uint128 completionBonus; // base units, split among seats present in every final round that they were drawn for
        uint128 minStake; // active stake a runner needs
        uint128 keeperBond; // active stake a proposing or attesting keeper needs
    }

    struct Session {
        address requester;
        State state;
        Phase phase;
        uint16 round; // current round, 1-based; 0 while Open
        uint16 finalRounds; // rounds that ended Final
        uint16 occupied; // seats that serve in the current round (Open: in the first)
        uint16 expected; // of those, seats that take part in it: their updates close it before its deadline
        uint16 claimed; // seats with a holder
        uint16 posted; // updates of the current round
        uint16 rollovers; // of the current round
        uint40 deadline; // of the current phase (of Open: the expiry)
        bool cancelling; // ends after the current round
        uint128 committed; // cumulative payouts of final rounds
        bytes32 model; // aggregate digest of the last final round, 0 before
        bytes32 accumulator; // fold of the current round's updates
    }

    struct Seat {
        address operator;
        uint16 joinedRound; // first round the holder is expected in; 0 = not yet serving
        uint16 lastRound; // last round the holder posted in
        uint16 finished; // final rounds this holder posted in, and the current one while it can still become final
        bytes32 key; // X25519 key the shard is sealed to
        bytes32 shard; // digest of the sealed shard, 0 until sealed (Uploaded only)
    }

    struct Proposal {
        address proposer;
        uint40 proposedAt; // epoch
        uint16 attested; // number of agreeing keepers, the proposer included
        bool reached; // the target is reached: if the round becomes final, it is the last
        bytes32 aggregate; // digest of the aggregate manifest
        bytes32 updatesRoot; // Merkle root of accepted updates
        bytes32 payoutsRoot; // cumulative Merkle-sum root of payouts
        uint128 payoutSum; // cumulative sum under payoutsRoot
        bytes32 report; // digest of the evaluation report, not part of what attesters compare
    }

    event SessionCreated(uint256 indexed session, address indexed requester, bytes32 spec, uint128 budget, Terms terms);
    event SeatClaimed(uint256 indexed session, uint16 indexed seat, address indexed operator, bytes32 key);
    event SeatSealed(uint256 indexed session, uint16 indexed seat, address indexed operator, bytes32 shard);
    event SeatForfeited(
        uint256 indexed session, uint16 indexed seat, address indexed operator, uint16 finished, uint16 missed
    );
    event SeatSettled(
        uint256 indexed session, uint16 indexed seat, address indexed operator, uint16 finished, uint16 missed
    );
    event HoldoutSealed(uint256 indexed session, address indexed keeper, bytes32 holdout);
    event SessionStarted(uint256 indexed session);
    event RoundStarted(uint256 indexed session, uint16 indexed round, uint40 deadline);
    event UpdateSubmitted(
        uint256 indexed session,
        uint16 indexed round,
        address indexed operator,
        uint16 seat,
        bytes32 digest,
        uint64 samples
    );
    event RoundClosed(
        uint256 indexed session, uint16 indexed round, uint16 posted, bytes32 accumulator, uint40 deadline
    );
    event RoundRolledOver(uint256 indexed session, uint16 indexed round, uint16 rollovers, uint40 deadline);
    event SharesPosted(uint256 indexed session, uint16 indexed round, address indexed operator, bytes32 digest);
    event RoundUnmasked(uint256 indexed session, uint16 indexed round, uint16 posted, uint40 deadline);
    event RoundProposed(
        uint256 indexed session,
        uint16 indexed round,
        address indexed proposer,
        bytes32 aggregate,
        bytes32 updatesRoot,
        bytes32 payoutsRoot,
        uint128 payoutSum,
        bool reached,
        bytes32 report
    );
    event RoundAttested(uint256 indexed session, uint16 indexed round, address indexed keeper, uint16 attested);
    event RoundFinalized(uint256 indexed session, uint16 indexed round, bytes32 aggregate, uint128 payoutSum);
    event RoundVoided(uint256 indexed session, uint16 indexed round);
    event SessionCancelling(uint256 indexed session, uint16 lastRound);
    event SessionCompleted(uint256 indexed session, bytes32 model, uint128 refunded);
    event SessionCancelled(uint256 indexed session, bytes32 model, uint128 refunded);
    event SessionExpired(uint256 indexed session, uint128 refunded);

    error Sessions_UnknownSession(uint256 session);
    error Sessions_WrongState(State expected, State actual);
    error Sessions_WrongPhase(Phase expected, Phase actual);
    error Sessions_WrongRound(uint16 expected, uint16 actual);
    error Sessions_NotRequester(address expected, address actual);
    error Sessions_InvalidTerms(bytes32 field);
    error Sessions_SeatOutOfRange(uint16 seats, uint16 seat);
    error Sessions_SeatTaken(uint16 seat, address holder);
    error Sessions_SeatEmpty(uint16 seat);
    error Sessions_NotSeatHolder(address expected, address actual);
    error Sessions_AlreadySeated(address operator);
    /// @dev The holder does not serve yet, or the seat is not drawn for the round.
    error Sessions_SeatNotServing(uint16 seat);
    error Sessions_InsufficientStake(uint128 expected, uint128 actual);
    error Sessions_InsufficientReputation(uint16 expected, uint16 actual);
    error Sessions_NotCapable(address operator, uint64 required);
    error Sessions_ZeroKey();
    error Sessions_ZeroDigest();
    error Sessions_ZeroSamples();
    error Sessions_AlreadyPosted(uint16 seat, uint16 round);
    error Sessions_SeatsNotReady(uint16 expected, uint16 actual);
    error Sessions_DeadlinePassed(uint40 deadline, uint40 actual);
    error Sessions_TooEarly(uint40 expected, uint40 actual);
    error Sessions_QuorumReached(uint16 quorum, uint16 posted);
    error Sessions_QuorumMissed(uint16 quorum, uint16 posted);
    error Sessions_NoTarget(uint256 session);
    error Sessions_PayoutTooHigh(uint128 expected, uint128 actual);
    error Sessions_PayoutDecreased(uint128 expected, uint128 actual);
    error Sessions_AlreadyAttested(address keeper);
    error Sessions_ProposalMismatch(bytes32 expected, bytes32 actual);
    error Sessions_NotForfeitable(uint16 seat);
    error Sessions_NothingToSettle(uint16 seat);
    error Sessions_LengthMismatch(uint256 expected, uint256 actual);
    error Sessions_AlreadySealed(uint16 seat);
    error Sessions_WrongDataMode(DataMode expected, DataMode actual);

    // --- requester ---
    /// @notice Creates and funds a session in one transaction; the caller has approved Escrow for the budget.
    function createSession(Terms calldata terms) external returns (uint256 session);
    /// @notice The same with an EIP-2612 permit for Escrow.
    function createSessionWithPermit(Terms calldata terms, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 session);
    /// @notice Names the sealed shards of claimed seats. `operators[i]` must still hold `seats[i]`.
    function sealShards(
        uint256 session,
        uint16[] calldata seats,
        address[] calldata operators,
        bytes32[] calldata shards
    ) external;
    /// @notice Names the holdout sealed to each keeper.
    function sealHoldout(uint256 session, address[] calldata keepers, bytes32[] calldata holdouts) external;
    /// @notice Open: ends at once with a full refund. Active: ends after the current round.
    function cancel(uint256 session) external;

    // --- runner ---
    /// @notice Takes an empty seat: while Open, or a forfeited one while Active. The caller is registered, capable and staked and
    /// holds no other seat of the session.
    function claimSeat(uint256 session, uint16 seat, bytes32 key) external;
    /// @notice Posts the update of the current round, once, until its deadline, from a seat that takes part in it.
    function submitUpdate(uint256 session, uint16 round, uint16 seat, bytes32 digest, uint64 samples) external;
    /// @notice Posts the unmasking shares of a seat that submitted, once, until the deadline of Unmasking.
    function postShares(uint256 session, uint16 round, uint16 seat, bytes32 digest) external;

    // --- keeper ---
    /// @notice Proposes the result of a closed round; one proposal a round. `reached` only where the terms have a target.
    function propose(
        uint256 session,
        uint16 round,
        bytes32 aggregate,
        bytes32 updatesRoot,
        bytes32 payoutsRoot,
        uint128 payoutSum,
        bool reached,
        bytes32 report
    ) external;
    /// @notice Agrees with the standing proposal; `proposalHash` is keccak256(abi.encode(session, round, aggregate,
    /// updatesRoot, payoutsRoot, payoutSum, reached)).
    function attest(uint256 session, uint16 round, bytes32 proposalHash) external;

    // --- anyone ---
    /// @notice Open -> Active once all seats are claimed (Uploaded: and sealed).
    function start(uint256 session) external;
    /// @notice Training -> Closed when all seats that take part posted, or after the deadline with at least the quorum.
    function close(uint256 session, uint16 round) external;
    /// @notice Training past its deadline without quorum: extends it, or voids the round after maxRollovers.
    function rollOver(uint256 session, uint16 round) external;
    /// @notice Unmasking -> Closed when all submitters posted shares or the deadline passed.
    function closeUnmasking(uint256 session, uint16 round) external;
    /// @notice Proposed -> Final after the quorum of attestations and the challenge window. Where the target is reached the session
    /// ends.
    function finalize(uint256 session, uint16 round) external;
    /// @notice Closed past its deadline, or Proposed past its deadline without enough attestations: the round is void, its money
    /// stays in the budget.
    function voidRound(uint256 session, uint16 round) external;
    /// @notice Empties a seat whose holder missed the deadline of a round that it takes part in, and records the miss.
    function forfeit(uint256 session, uint16 seat) external;
    /// @notice Open past its deadline -> Expired with a full refund.
    function expire(uint256 session) external;
    /// @notice After the end: records finished and missed rounds of a seat in Reputation.
    function settleSeat(uint256 session, uint16 seat) external;

    // --- views ---
    function session(uint256 id) external view returns (Session memory);
    function terms(uint256 id) external view returns (Terms memory);
    function seat(uint256 id, uint16 index) external view returns (Seat memory);
    function seatsOf(uint256 id) external view returns (Seat[] memory);
    /// @notice The standing proposal, empty outside Proposed.
    function proposal(uint256 id) external view returns (Proposal memory);
    /// @notice Whether `keeper` proposed or attested in `round`; known for the last round in which it did either.
    function hasAttested(uint256 id, uint16 round, address keeper) external view returns (bool);
    /// @notice Aggregate digest of a final round, 0 otherwise.
    function aggregateOf(uint256 id, uint16 round) external view returns (bytes32);
    function holdoutOf(uint256 id, address keeper) external view returns (bytes32);
    function budgetOf(Terms calldata terms) external pure returns (uint128);
    /// @notice Reward of one accepted update, rounded down; the mirror of the off-chain formula.
    function rewardOf(uint256 id, uint64 samples, uint256 totalSamples, uint32 score, uint256 totalScore)
        external
        view
        returns (uint128);
    /// @notice Beacon randomness of the epoch in which the current round was closed: orders competing keepers.
    function roundSeed(uint256 id) external view returns (bytes32);
    function sessionCount() external view returns (uint256);
}
