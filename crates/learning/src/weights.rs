//! The model of a session, whichever kind it is: tensors, coefficients, or a forest. Runners and keepers handle both alike.

use parity_protocol::{
    job::{Job, JobKind},
    manifest::Rejection,
    metrics::Evaluation,
    model::Model,
    schema::{Scaling, Task},
    spec::SessionSpec,
};

use crate::{
    Error, Result, compress,
    exact::{self, Coefficients, LinearPredictor, Problem},
    forest::{self, Forest, Recipe, session},
    metrics, model,
    predict::{Predictions, Predictor},
    round::{self, Judge, RoundOutcome, UpdateInput},
    table::Table,
    tensors::Tensors,
};

/// The weights of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// Of linear models and networks.
    Tensors(Tensors),
    /// Of linear models solved by an exact method.
    Coefficients(Coefficients),
    /// Trees.
    Forest(Forest),
}

impl Weights {
    /// The model before the first round.
    ///
    /// # Errors
    /// [`Error::Forest`] when the spec names a forest that cannot be grown.
    pub fn initial(spec: &SessionSpec) -> Result<Self> {
        Ok(match (spec.model.forest(), Problem::of_spec(spec)) {
            (Some(_), _) => Self::Forest(forest::start(&Recipe::of_spec(spec)?)),
            (None, Some(problem)) => Self::Coefficients(Coefficients::start(&problem)),
            (None, None) => Self::Tensors(model::initial(spec)),
        })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Tensors(tensors) => tensors.to_bytes(),
            Self::Coefficients(coefficients) => coefficients.to_bytes(),
            Self::Forest(forest) => forest.to_bytes(),
        }
    }

    /// Reads the file of a spec's model and checks that it fits the spec.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::Shape`] or [`Error::Forest`].
    pub fn of_spec(bytes: &[u8], spec: &SessionSpec) -> Result<Self> {
        let weights = Self::from_bytes(bytes, &spec.model, model_limit(spec))?;
        match (&weights, Problem::of_spec(spec)) {
            (Self::Tensors(tensors), None) => model::check_shapes(&model::shapes(spec), tensors)?,
            (Self::Coefficients(coefficients), Some(problem)) => coefficients.check_problem(&problem)?,
            (Self::Forest(forest), _) => Recipe::of_spec(spec)?.check_forest(forest)?,
            (Self::Tensors(_), Some(_)) => return Err(Error::Tensors("F32, expected F64 of an exact method".into())),
            (Self::Coefficients(_), None) => return Err(Error::Tensors("F64, expected F32".into())),
        }
        Ok(weights)
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Tensors`] or [`Error::Forest`] when it is not one of this model.
    pub fn from_bytes(bytes: &[u8], model: &Model, limit: usize) -> Result<Self> {
        Ok(match model.forest() {
            Some(_) => Self::Forest(Forest::from_bytes(bytes, limit)?),
            None if model.is_linear() && Coefficients::is_file_of(bytes) => {
                Self::Coefficients(Coefficients::from_bytes(bytes, limit)?)
            }
            None => Self::Tensors(Tensors::from_bytes(bytes, limit)?),
        })
    }

    /// The tensors, where the model is trained on them.
    pub fn tensors(&self) -> Option<&Tensors> {
        match self {
            Self::Tensors(tensors) => Some(tensors),
            Self::Coefficients(_) | Self::Forest(_) => None,
        }
    }
}

/// Most bytes of the file of a spec's model.
pub fn model_limit(spec: &SessionSpec) -> usize {
    match Problem::of_spec(spec) {
        Some(problem) => exact::session::model_limit(&problem),
        None if spec.model.forest().is_some() => session::model_limit(spec),
        None => round::weights_limit(spec),
    }
}

/// Most bytes of the file of an update as it is posted.
pub fn update_limit(spec: &SessionSpec) -> usize {
    match Problem::of_spec(spec) {
        Some(problem) => exact::session::update_limit(&problem),
        None if spec.model.forest().is_some() => session::update_limit(spec),
        None => compress::limit(spec),
    }
}

/// Most bytes of an update as it leaves the trainer and as it is aggregated: not compressed.
pub fn plain_update_limit(spec: &SessionSpec) -> usize {
    match Problem::of_spec(spec) {
        Some(problem) => exact::session::update_limit(&problem),
        None if spec.model.forest().is_some() => session::update_limit(spec),
        None => round::weights_limit(spec),
    }
}

/// Checks the file of an update alone. Runners use it before they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(
    spec: &SessionSpec,
    previous: &Weights,
    seat: u16,
    samples: u64,
    file: &[u8],
) -> Result<(), Rejection> {
    match previous {
        Weights::Tensors(tensors) => round::check_update(spec, tensors, file).map(|_| ()),
        Weights::Coefficients(model) => {
            let problem = Problem::of_spec(spec).ok_or_else(|| Rejection::Malformed { part: "weights".to_owned() })?;
            exact::session::check_update(&problem, model, samples, file).map(|_| ())
        }
        Weights::Forest(forest) => {
            let recipe = Recipe::of_spec(spec).map_err(|_| Rejection::Malformed { part: "weights".to_owned() })?;
            session::check_update(spec, &recipe, forest, seat, samples, file)
        }
    }
}

/// Checks the updates of a round and makes the next model of the good ones: see [`round::aggregate`],
/// [`exact::session::aggregate`] and [`session::aggregate`].
///
/// # Errors
/// As those.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Weights,
    state: Option<&Tensors>,
    inputs: Vec<UpdateInput>,
    judge: Judge<'_>,
) -> Result<RoundOutcome<Weights>> {
    Ok(match previous {
        Weights::Tensors(tensors) => {
            round::aggregate(spec, session, round, tensors, state, inputs, judge)?.map(Weights::Tensors)
        }
        Weights::Forest(forest) => {
            session::aggregate(spec, session, round, forest, inputs, judge)?.map(Weights::Forest)
        }
        Weights::Coefficients(model) => {
            exact::session::aggregate(spec, session, round, model, inputs, judge)?.map(Weights::Coefficients)
        }
    })
}

impl<M> RoundOutcome<M> {
    /// The same outcome with another form of model.
    fn map<N>(self, change: impl FnOnce(M) -> N) -> RoundOutcome<N> {
        let Self { model, state, accepted, rejected } = self;
        RoundOutcome { model: change(model), state, accepted, rejected }
    }
}

/// A model of either kind, ready to use.
#[derive(Clone, Debug)]
pub enum AnyPredictor {
    /// Linear models and networks.
    Tensors(Predictor),
    /// Linear models solved by an exact method.
    Coefficients(LinearPredictor),
    /// Trees, with what they predict.
    Forest(Forest, Task),
}

impl AnyPredictor {
    /// The model of a spec with these weights.
    ///
    /// # Errors
    /// As [`AnyPredictor::new`].
    pub fn of_spec(spec: &SessionSpec, weights: &Weights) -> Result<Self> {
        Self::new(&spec.model, spec.schema.features(), &spec.schema.label.task, &spec.scaling, weights)
    }

    /// A model with these weights.
    ///
    /// # Errors
    /// As [`Predictor::new`]; [`Error::Forest`] when a forest is of another task or other features.
    pub fn new(model: &Model, features: usize, task: &Task, scaling: &Scaling, weights: &Weights) -> Result<Self> {
        match weights {
            Weights::Tensors(tensors) => Ok(Self::Tensors(Predictor::new(model, features, task, scaling, tensors)?)),
            Weights::Coefficients(coefficients) => {
                Ok(Self::Coefficients(LinearPredictor::new(coefficients, features, task, scaling)?))
            }
            Weights::Forest(forest) => {
                Recipe::new(model, features, task, 0)?.check_forest(forest)?;
                Ok(Self::Forest(forest.clone(), task.clone()))
            }
        }
    }

    /// Predictions for encoded, not yet standardised features.
    ///
    /// # Errors
    /// [`Error::Rows`].
    pub fn predict(&self, x: &[f32]) -> Result<Predictions> {
        match self {
            Self::Tensors(predictor) => predictor.predict(x),
            Self::Coefficients(predictor) => predictor.predict(x),
            Self::Forest(forest, task) => forest.predict_task(task, x),
        }
    }

    /// How good the model is on rows with labels.
    ///
    /// # Errors
    /// [`Error::Rows`].
    pub fn evaluate(&self, table: &Table) -> Result<Evaluation> {
        match self {
            Self::Tensors(predictor) => predictor.evaluate(table),
            Self::Coefficients(predictor) => predictor.evaluate(table),
            Self::Forest(forest, _) if table.features != forest.features() => {
                Err(Error::Rows(format!("{} features, the model has {}", table.features, forest.features())))
            }
            Self::Forest(forest, task) => metrics::of_shares(task, &forest.predict(&table.x)?, &table.labels),
        }
    }
}

/// Does a forest's job: what a seat tells of its rows, where it is one of training, and how good the forest is on them so far.
///
/// # Errors
/// [`Error::Forest`] when the job is not one of a forest or its model is missing or broken, [`Error::Rows`] when the rows do not
/// fit.
pub fn do_forest_job(job: &Job, table: &Table, model: Option<&[u8]>) -> Result<(Option<Vec<u8>>, Evaluation)> {
    let seed = match &job.kind {
        JobKind::Train { training, .. } => training.seed,
        JobKind::Evaluate {} => 0,
    };
    let recipe = Recipe::new(&job.model, job.features, &job.task, seed)?;
    let forest = match model {
        Some(bytes) => Forest::from_bytes(bytes, usize::MAX)?,
        None => forest::start(&recipe),
    };
    recipe.check_forest(&forest)?;
    let update = match &job.kind {
        JobKind::Train { seat, .. } => Some(session::update(&forest, &recipe, *seat, table)?),
        JobKind::Evaluate {} => None,
    };
    let evaluation = AnyPredictor::Forest(forest, job.task.clone()).evaluate(table)?;
    Ok((update, evaluation))
}
