//! An exact method in a session: what runners do in a round, and what keepers make of it.
//!
//! The model of a round is the best point so far; an update is the [`Sums`] of a seat.

use parity_protocol::{
    manifest::{AcceptedUpdate, Rejection},
    schema::{Scaling, Task},
    spec::{Data, SessionSpec},
};

use super::{
    coefficients::{Coefficients, Search},
    derivatives::derivatives,
    least_squares,
    moments::moments,
    newton,
    problem::{Method, Problem},
    rows::Rows,
    score::scores,
    sums::Sums,
};
use crate::{
    Error, Result,
    contribution::MAX_SCORE,
    round::{Judge, RoundOutcome, UpdateInput, check_manifest, sift, sorted},
    table::Table,
};

/// Largest magnitude of a coefficient: far beyond any data's, and small enough that no row's output nor the penalty overflows.
const MAX_COEFFICIENT: f64 = 1e100;
/// Bytes of a value in a model's file.
const VALUE: usize = 8;
/// Most bytes of the head of a model's file.
const HEAD: usize = 4096;

/// The file of a seat's part in a round. A solved model wants nothing more: the file is empty.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the problem or lie too far from their means, [`Error::Exact`] when the model's output is
/// not finite.
pub fn update(
    problem: &Problem,
    model: &Coefficients,
    scaling: &Scaling,
    task: &Task,
    table: &Table,
) -> Result<Vec<u8>> {
    if model.is_solved() {
        return Ok(Vec::new());
    }
    if table.features != problem.features {
        return Err(Error::Rows(format!("{} features, the model has {}", table.features, problem.features)));
    }
    let rows = Rows::new(table, scaling, task)?;
    let sums = match problem.method {
        Method::LeastSquares => moments(problem, &rows)?,
        Method::Newton => derivatives(problem, &rows, model)?,
    };
    Ok(sums.to_bytes(problem))
}

/// Checks the file of an update alone: form, and that it sums as many rows as it says. Runners use it before they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(
    problem: &Problem,
    model: &Coefficients,
    samples: u64,
    file: &[u8],
) -> Result<Option<Sums>, Rejection> {
    let malformed = || Rejection::Malformed { part: "weights".to_owned() };
    if model.is_solved() {
        return if file.is_empty() { Ok(None) } else { Err(malformed()) };
    }
    let sums = Sums::from_bytes(file, problem).map_err(|_| malformed())?;
    if sums.samples(problem) == samples { Ok(Some(sums)) } else { Err(Rejection::WrongSamples) }
}

/// Checks the updates of a round and solves with the good ones. Rows beyond the cap of a private session count as if there were only as
/// many, of the same kind. Scores are [`super::score`]'s; once the model is solved there is nothing to tell, and everyone has the highest.
///
/// # Errors
/// [`Error::Exact`] when the spec's method is not exact, [`Error::Shape`] when `previous` is not a model of the spec.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Coefficients,
    inputs: Vec<UpdateInput>,
    judge: Judge<'_>,
) -> Result<RoundOutcome<Coefficients>> {
    let problem = &Problem::of_spec(spec).ok_or_else(|| Error::Exact("the session's optimiser is not exact".into()))?;
    previous.check_problem(problem)?;
    let inputs = sorted(inputs);
    let (good, rejected) = sift(spec, round, &inputs, |input| {
        let (content, samples) = check_manifest(spec, session, round, input)?;
        Ok((check_update(problem, previous, input.samples, &content.weights)?, samples))
    });
    let files: Vec<(u32, &[u8])> = good.iter().map(|(input, _)| (input.posted, input.file())).collect();
    let told: Vec<Option<Sums>> =
        good.iter().map(|(input, (sums, samples))| Some(capped(sums.clone()?, input.samples, *samples))).collect();
    let of = |places: &[usize]| {
        let mut total = Sums::none(problem);
        places.iter().filter_map(|place| told[*place].as_ref()).for_each(|sums| total.add(sums));
        let rows = total.samples(problem);
        if rows == 0 { previous.clone() } else { next(problem, previous, &total, is_complete(spec, rows)) }
    };
    let model = of(&(0..told.len()).collect::<Vec<_>>());
    let scores =
        if previous.is_solved() { vec![MAX_SCORE; told.len()] } else { scores(spec, problem, &files, judge, of)? };
    let accepted = good.iter().zip(scores).map(|((input, (_, samples)), score)| {
        let UpdateInput { operator, seat, digest, .. } = **input;
        AcceptedUpdate { operator, seat, digest, samples: *samples, score }
    });
    Ok(RoundOutcome { model, state: None, accepted: accepted.collect(), rejected })
}

/// The sums as those of `samples` of its rows.
fn capped(mut sums: Sums, rows: u64, samples: u64) -> Sums {
    if samples < rows {
        sums.scale(rows, samples);
    }
    sums
}

/// The next model. It is not solved while rows are missing that may yet come. Where hostile sums drive it out of bounds, the previous
/// one stays, so that the next round's sums can be made.
fn next(problem: &Problem, previous: &Coefficients, total: &Sums, is_complete: bool) -> Coefficients {
    let mut model = match problem.method {
        Method::LeastSquares => Coefficients { point: least_squares::solve(problem, total), search: None },
        Method::Newton => newton::step(problem, previous, total),
    };
    if !model.is_within(MAX_COEFFICIENT) {
        return previous.clone();
    }
    if !is_complete && model.search.is_none() {
        model.search = Some(Search::nowhere(model.point.clone()));
    }
    model
}

fn is_complete(spec: &SessionSpec, rows: u64) -> bool {
    match &spec.data {
        Data::Private { .. } => true,
        Data::Uploaded { shard_rows, .. } => shard_rows.iter().sum::<u64>() == rows,
    }
}

/// Most bytes of the model's file.
pub fn model_limit(problem: &Problem) -> usize {
    let point = problem.outputs.saturating_mul(problem.features.saturating_add(1));
    point.saturating_mul(2 * VALUE).saturating_add(HEAD)
}

/// Most bytes of an update's file.
pub fn update_limit(problem: &Problem) -> usize {
    Sums::bytes_of(problem)
}
