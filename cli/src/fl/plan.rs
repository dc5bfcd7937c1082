//! From flags to a session: its spec and the terms of the contract.

use alloy::primitives::aliases::U40;
use anyhow::{Context, bail};
use parity_abi::ISessions;
use parity_protocol::{
    TokenAmount, capability,
    codec::Block,
    spec::{Data, Privacy, SessionSpec},
};

use super::learn::{self, DataPlan};
use crate::{
    args::fl::{PlanArgs, PrivacyLevel},
    network::Periods,
};

/// Builds and checks the spec of a session.
pub(crate) fn spec(args: &PlanArgs, fallback_name: &str, plan: DataPlan) -> anyhow::Result<SessionSpec> {
    let name = args.name.clone().unwrap_or_else(|| fallback_name.to_owned());
    learn::spec(&args.learn, name, args.seed, privacy(args.privacy_level)?, plan)
}

fn privacy(level: PrivacyLevel) -> anyhow::Result<Privacy> {
    match level {
        PrivacyLevel::None => Ok(Privacy::None),
        PrivacyLevel::Low => Ok(Privacy::Low),
        PrivacyLevel::Medium | PrivacyLevel::High => bail!(
            "privacy level '{}' is not yet available; use 'none' (updates are public) or 'low' (updates are sealed to \
             the keepers)",
            if level == PrivacyLevel::Medium { "medium" } else { "high" }
        ),
    }
}

/// Builds the terms of the contract.
pub(crate) fn terms(args: &PlanArgs, spec: &SessionSpec, periods: Periods) -> anyhow::Result<ISessions::Terms> {
    let cohort = spec.aggregation.cohort(args.seats);
    let quorum = args.quorum.unwrap_or_else(|| (cohort * 2).div_ceil(3));
    if quorum == 0 || quorum > cohort {
        bail!("--quorum {quorum} must lie between 1 and the {cohort} seats that take part in a round");
    }
    Ok(ISessions::Terms {
        spec: spec.digest()?,
        seats: args.seats,
        quorum,
        rounds: args.total_rounds,
        attestations: args.attestations.unwrap_or(periods.attestations),
        maxRollovers: 3,
        performanceBps: args.reward.performance_bps(),
        minReputation: args.min_reputation,
        dataMode: match spec.data {
            Data::Private { .. } => 0,
            Data::Uploaded { .. } => 1,
        },
        unmasking: false,
        targeted: spec.target.is_some(),
        openPeriod: epochs(args.open_period.unwrap_or(periods.open)),
        roundPeriod: epochs(args.round_period.unwrap_or(periods.round)),
        unmaskPeriod: epochs(periods.round),
        proposePeriod: epochs(periods.propose),
        challengeWindow: epochs(periods.challenge),
        capabilities: capability::TRAIN,
        cohort,
        drawSeed: spec.training.seed,
        roundReward: args.reward.reward.base_units(),
        keeperFee: args.reward.keeper_fee.base_units(),
        completionBonus: args.reward.completion_bonus.base_units(),
        minStake: args.min_stake.base_units(),
        keeperBond: args.min_stake.base_units(),
    })
}

fn epochs(count: u32) -> U40 {
    U40::from(count)
}

/// Everything the requester locks: rounds times reward and keeper fee, plus the completion bonus.
pub(crate) fn budget(terms: &ISessions::Terms) -> anyhow::Result<TokenAmount> {
    let amount = TokenAmount::from_base_units;
    amount(terms.roundReward)
        .add(amount(terms.keeperFee))
        .and_then(|round| round.mul(u64::from(terms.rounds)))
        .and_then(|rounds| rounds.add(amount(terms.completionBonus)))
        .context("the budget is larger than any balance; lower --reward or --total-rounds")
}
