//! From flags to a session spec and contract terms.

use alloy::primitives::aliases::U40;
use anyhow::{Context, bail};
use parity_abi::ISessions;
use parity_learning::defaults::{self, ModelType};
use parity_protocol::{
    TokenAmount, capability,
    codec::Block,
    model::{Model, Optimizer, Training},
    schema::{Scaling, Schema, Task},
    spec::{Aggregation, Data, Privacy, SessionSpec, VERSION},
};

use crate::{
    args::fl::{OptimizerKind, PlanArgs, PrivacyLevel},
    network::Periods,
};

/// Shape of the data as the planner needs it.
pub(crate) struct DataPlan {
    /// Columns and label.
    pub(crate) schema: Schema,
    /// Standardisation.
    pub(crate) scaling: Scaling,
    /// Private or uploaded.
    pub(crate) data: Data,
    /// Training rows of all seats, for the defaults.
    pub(crate) training_rows: usize,
}

/// Builds and checks the spec.
pub(crate) fn spec(args: &PlanArgs, fallback_name: &str, plan: DataPlan) -> anyhow::Result<SessionSpec> {
    let model = model(args, &plan)?;
    let training = training(args, &model, plan.training_rows);
    let spec = SessionSpec {
        version: VERSION,
        name: args.name.clone().unwrap_or_else(|| fallback_name.to_owned()),
        schema: plan.schema,
        scaling: plan.scaling,
        data: plan.data,
        model,
        training,
        aggregation: Aggregation::fed_avg(),
        privacy: privacy(args.privacy_level)?,
        image: None,
        max_update_norm: 1.0,
    };
    let max_update_norm = defaults::max_update_norm(parity_learning::model::parameters(&spec));
    let spec = SessionSpec { max_update_norm, ..spec };
    spec.validate()?;
    Ok(spec)
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

fn model(args: &PlanArgs, plan: &DataPlan) -> anyhow::Result<Model> {
    let is_regression = matches!(plan.schema.label.task, Task::Regression { .. });
    let family = args.model_type.unwrap_or(if is_regression {
        ModelType::LinearRegression
    } else {
        ModelType::LogisticRegression
    });
    if family != ModelType::NeuralNetwork && !args.hidden.is_empty() {
        bail!("--hidden {:?} only makes sense with --model-type neural_network", args.hidden);
    }
    if !args.hidden.is_empty() {
        return Ok(Model::NeuralNetwork { hidden: args.hidden.clone() });
    }
    Ok(defaults::model(family, plan.schema.features(), plan.schema.outputs(), plan.training_rows))
}

fn training(args: &PlanArgs, model: &Model, training_rows: usize) -> Training {
    let base = defaults::training(model, training_rows);
    let learning_rate = |fallback: f64| args.learning_rate.unwrap_or(fallback);
    let optimizer = match (args.optimizer, base.optimizer) {
        (Some(OptimizerKind::Sgd), _) => Optimizer::Sgd { learning_rate: learning_rate(0.05), momentum: 0.9 },
        (Some(OptimizerKind::Adam), _) => Optimizer::Adam { learning_rate: learning_rate(0.001) },
        (None, Optimizer::Sgd { learning_rate: rate, momentum }) => {
            Optimizer::Sgd { learning_rate: learning_rate(rate), momentum }
        }
        (None, Optimizer::Adam { learning_rate: rate }) => Optimizer::Adam { learning_rate: learning_rate(rate) },
    };
    Training {
        optimizer,
        epochs: args.epochs.unwrap_or(base.epochs),
        batch_size: args.batch_size.unwrap_or(base.batch_size),
        seed: args.seed,
    }
}

/// Builds the terms of the contract.
pub(crate) fn terms(args: &PlanArgs, spec: &SessionSpec, periods: Periods) -> anyhow::Result<ISessions::Terms> {
    let quorum = args.quorum.unwrap_or_else(|| (args.seats * 2).div_ceil(3));
    if quorum == 0 || quorum > args.seats {
        bail!("--quorum {quorum} must lie between 1 and the {} seats", args.seats);
    }
    Ok(ISessions::Terms {
        spec: spec.digest()?,
        seats: args.seats,
        quorum,
        rounds: args.total_rounds,
        attestations: args.attestations.unwrap_or(periods.attestations),
        maxRollovers: 3,
        performanceBps: 0,
        minReputation: args.min_reputation,
        dataMode: match spec.data {
            Data::Private { .. } => 0,
            Data::Uploaded { .. } => 1,
        },
        unmasking: false,
        openPeriod: epochs(args.open_period.unwrap_or(periods.open)),
        roundPeriod: epochs(args.round_period.unwrap_or(periods.round)),
        unmaskPeriod: epochs(periods.round),
        proposePeriod: epochs(periods.propose),
        challengeWindow: epochs(periods.challenge),
        capabilities: capability::TRAIN,
        roundReward: args.reward.base_units(),
        keeperFee: args.keeper_fee.base_units(),
        completionBonus: args.completion_bonus.base_units(),
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
