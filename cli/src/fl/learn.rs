//! From flags to a session spec: what is learned, without money.

mod forest;

use anyhow::{Context, bail};
use parity_learning::{
    defaults::{self, ModelType},
    scaling,
};
use parity_protocol::{
    aggregation::{Aggregation, Rule},
    model::{Model, Volume},
    schema::{Scaling, Schema, Task},
    spec::{Data, Privacy, SessionSpec, VERSION},
    training::{Optimizer, Training},
};

use crate::args::learn::{LearnArgs, OptimizerKind};

/// Step of sgd where the user names none.
const SGD_STEP: f64 = 0.05;
/// Momentum of sgd where the user names none.
const MOMENTUM: f64 = 0.9;
/// Weight decay of adamw where the user names none, the default of PyTorch.
const WEIGHT_DECAY: f64 = 0.01;

/// Shape of the data as the planner needs it.
pub(crate) struct DataPlan {
    /// Columns and label.
    pub(crate) schema: Schema,
    /// Standardisation.
    pub(crate) scaling: Scaling,
    /// Private or uploaded.
    pub(crate) data: Data,
    /// Shape of a row, where rows are known to be images.
    pub(crate) image: Option<Volume>,
    /// Training rows of all seats, for the defaults.
    pub(crate) training_rows: usize,
    /// Seats.
    pub(crate) seats: u16,
    /// Rounds.
    pub(crate) rounds: u16,
    /// What ends the session early.
    pub(crate) target: Option<f64>,
}

/// Builds and checks the spec.
pub(crate) fn spec(
    args: &LearnArgs,
    name: String,
    seed: u64,
    privacy: Privacy,
    plan: DataPlan,
) -> anyhow::Result<SessionSpec> {
    let model = model(args, &plan)?;
    let training = training(args, seed, &model, &plan)?;
    let scaling = match &model {
        Model::ConvolutionalNetwork { image, .. } if image.values() == plan.scaling.mean.len() => {
            scaling::per_channel(&plan.scaling, *image)
        }
        _ => plan.scaling,
    };
    let scaling = if matches!(args.rule.rule, Rule::RootData { .. }) { scaling::limited(scaling) } else { scaling };
    let spec = SessionSpec {
        version: VERSION,
        name,
        schema: plan.schema,
        scaling,
        data: plan.data,
        model,
        training,
        aggregation: args.rule.clone(),
        compression: args.compression,
        privacy,
        image: None,
        max_update_norm: 1.0,
        target: plan.target,
    };
    check_root_data(&spec)?;
    let max_update_norm = defaults::max_update_norm(parity_learning::model::parameters(&spec));
    let spec = SessionSpec { max_update_norm, ..spec };
    spec.validate()?;
    Ok(spec)
}

/// The rows by which keepers judge updates are not those that measure the model: half of the holdout is the most.
fn check_root_data(spec: &SessionSpec) -> anyhow::Result<()> {
    let Rule::RootData { rows } = spec.aggregation.rule else { return Ok(()) };
    let Some((held_out, _)) = spec.data.holdout() else {
        bail!(
            "root-data:{rows} judges updates by held-out rows, and private data has none; use another rule, for example median"
        );
    };
    let needed = 2 * u64::from(rows);
    if held_out < needed {
        bail!("root-data:{rows} needs {needed} held-out rows, there are {held_out}; raise --holdout");
    }
    Ok(())
}

fn model(args: &LearnArgs, plan: &DataPlan) -> anyhow::Result<Model> {
    let is_regression = matches!(plan.schema.label.task, Task::Regression { .. });
    let kind = args.model_type.unwrap_or(if is_regression {
        ModelType::LinearRegression
    } else {
        ModelType::LogisticRegression
    });
    let convolutional = kind == ModelType::ConvolutionalNetwork;
    if !convolutional && !args.convolutions.is_empty() {
        bail!("--convolutions only makes sense with --model-type convolutional_network, not with {kind}");
    }
    if !(convolutional || kind == ModelType::NeuralNetwork)
        && (!args.hidden.is_empty() || args.activation.is_some() || args.dropout.is_some())
    {
        bail!(
            "--hidden, --activation and --dropout only make sense with --model-type neural_network or convolutional_network, not with {kind}"
        );
    }
    let is_forest = matches!(kind, ModelType::RandomForest | ModelType::ExtraTrees);
    if !is_forest && !args.forest.is_empty() {
        bail!(
            "--trees, --forest-method, --max-depth, --min-samples-split, --min-samples-leaf, --max-features, --bootstrap and --class-weight only make sense with --model-type random_forest or extra_trees, not with {kind}"
        );
    }
    let mut model = match plan.image {
        Some(image) if convolutional => defaults::convolutional(image),
        _ => defaults::model(kind, plan.schema.features(), plan.schema.outputs(), plan.training_rows)?,
    };
    if let Model::ConvolutionalNetwork { convolutions, .. } = &mut model
        && !args.convolutions.is_empty()
    {
        convolutions.clone_from(&args.convolutions);
    }
    if let Model::RandomForest(shape) | Model::ExtraTrees(shape) = &mut model {
        *shape = forest::shape(shape.clone(), &args.forest, plan.rounds, plan.seats)?;
    }
    if let Model::NeuralNetwork { hidden, activation, dropout }
    | Model::ConvolutionalNetwork { hidden, activation, dropout, .. } = &mut model
    {
        if !args.hidden.is_empty() {
            hidden.clone_from(&args.hidden);
        }
        *activation = args.activation.unwrap_or(*activation);
        *dropout = args.dropout.unwrap_or(*dropout);
    }
    Ok(model)
}

fn training(args: &LearnArgs, seed: u64, model: &Model, plan: &DataPlan) -> anyhow::Result<Training> {
    let base = defaults::training(model, plan.training_rows, plan.rounds);
    let optimizer = match args.optimizer {
        None if names_descent(args).is_none() => defaults::exact(model, plan.schema.features(), plan.schema.outputs()),
        None => None,
        Some(OptimizerKind::LeastSquares) => Some(Optimizer::LeastSquares { ridge: 0.0 }),
        Some(OptimizerKind::Newton) => Some(Optimizer::Newton { ridge: 1.0 }),
        Some(OptimizerKind::Sgd | OptimizerKind::Adam | OptimizerKind::Adamw) => None,
    };
    match optimizer {
        Some(optimizer) => exact(args, optimizer, base, seed),
        None => descent(args, base, seed),
    }
}

/// The first flag that only makes sense where seats descend by gradients.
fn names_descent(args: &LearnArgs) -> Option<&'static str> {
    [
        ("--learning-rate", args.learning_rate.is_some()),
        ("--momentum", args.momentum.is_some()),
        ("--weight-decay", args.weight_decay.is_some()),
        ("--schedule", args.schedule.is_some()),
        ("--epochs", args.epochs.is_some()),
        ("--batch-size", args.batch_size.is_some()),
        ("--proximal", args.proximal != 0.0),
        ("--rule", args.rule != Aggregation::fed_avg()),
        ("--compression", !args.compression.is_none()),
    ]
    .into_iter()
    .find_map(|(flag, is_named)| is_named.then_some(flag))
}

fn exact(args: &LearnArgs, mut optimizer: Optimizer, base: Training, seed: u64) -> anyhow::Result<Training> {
    if let Some(flag) = names_descent(args) {
        bail!(
            "{flag} only makes sense with --optimizer sgd, adam or adamw: the exact methods sum over all rows at once"
        );
    }
    if let Optimizer::LeastSquares { ridge } | Optimizer::Newton { ridge } = &mut optimizer {
        *ridge = args.ridge.unwrap_or(*ridge);
    }
    Ok(Training { optimizer, epochs: 1, seed, ..base })
}

fn descent(args: &LearnArgs, base: Training, seed: u64) -> anyhow::Result<Training> {
    let default_rate = base.optimizer.learning_rate().context("the defaults of descent have a step size")?;
    let optimizer = match args.optimizer {
        Some(OptimizerKind::Sgd) => Optimizer::Sgd {
            learning_rate: args.learning_rate.unwrap_or(SGD_STEP),
            momentum: args.momentum.unwrap_or(MOMENTUM),
        },
        Some(OptimizerKind::Adamw) => Optimizer::AdamW {
            learning_rate: args.learning_rate.unwrap_or(default_rate),
            weight_decay: args.weight_decay.unwrap_or(WEIGHT_DECAY),
        },
        _ => Optimizer::Adam { learning_rate: args.learning_rate.unwrap_or(default_rate) },
    };
    if args.momentum.is_some() && !matches!(optimizer, Optimizer::Sgd { .. }) {
        bail!("--momentum only makes sense with --optimizer sgd");
    }
    if args.weight_decay.is_some() && !matches!(optimizer, Optimizer::AdamW { .. }) {
        bail!("--weight-decay only makes sense with --optimizer adamw");
    }
    if args.ridge.is_some() {
        bail!("--ridge only makes sense with --optimizer least-squares or newton");
    }
    Ok(Training {
        optimizer,
        schedule: args.schedule.unwrap_or(base.schedule),
        epochs: args.epochs.unwrap_or(base.epochs),
        batch_size: args.batch_size.unwrap_or(base.batch_size),
        proximal: args.proximal,
        seed,
    })
}
