//! The scores of a round of an exact method: what the next model is worth without the sums of a seat.

use parity_protocol::spec::SessionSpec;

use super::{Coefficients, LinearPredictor, Problem};
use crate::{
    Error, Result,
    contribution::{by_absence, work},
    round::Judge,
    table::Table,
};

/// Multiplications of a step of arithmetic on pairs of numbers.
const PAIR: u64 = 24;

/// A score for every seat by its place among `files`, which stand beside the order of posting. `next` makes the model of the sums of the
/// seats at some places.
pub(super) fn scores(
    spec: &SessionSpec,
    problem: &Problem,
    files: &[(u32, &[u8])],
    judge: Judge<'_>,
    next: impl Fn(&[usize]) -> Coefficients + Sync,
) -> Result<Vec<u32>> {
    let rows = judge.scoring().map(|holdout| holdout.measuring()).filter(|rows| rows.rows() > 0);
    let rows = rows.filter(|rows| work_of(problem, rows, files.len()) <= work::MOST);
    by_absence(files, rows.map(|rows| move |places: &[usize]| loss(spec, &next(places), rows)))
}

/// Mean loss. A model whose outputs are not finite is as bad as one can be.
fn loss(spec: &SessionSpec, model: &Coefficients, rows: &Table) -> Result<f64> {
    let predictor = LinearPredictor::new(model, spec.schema.features(), &spec.schema.label.task, &spec.scaling)?;
    match predictor.evaluate(rows) {
        Ok(evaluation) => Ok(evaluation.metrics.loss),
        Err(Error::Rows(_)) if rows.features == spec.schema.features() => Ok(f64::INFINITY),
        Err(error) => Err(error),
    }
}

/// For every seat that is left out, all sums are added, a triangle is factored, and the model is asked about every row.
fn work_of(problem: &Problem, rows: &Table, seats: usize) -> u64 {
    let [unknowns, entries, rows, seats] = [problem.unknowns(), problem.entries(), rows.rows(), seats].map(work::wide);
    let factoring = unknowns.saturating_pow(3) / 6;
    let steps = factoring.saturating_add(entries.saturating_mul(seats)).saturating_add(rows.saturating_mul(unknowns));
    (seats + 1).saturating_mul(steps.saturating_mul(PAIR))
}
