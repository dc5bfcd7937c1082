//! The scores of a round of a forest: what the next forest is worth without what a seat told.

use parity_protocol::spec::SessionSpec;

use crate::{
    Error, Result,
    contribution::{by_absence, work},
    forest::Forest,
    holdout::Holdout,
    metrics,
    table::Table,
};

/// Multiplications that stand for reading a byte of what a seat told.
const BYTE: u64 = 16;

/// A score for every seat by its place among `files`, which stand beside the order of posting ([`by_absence`]). `next` makes the forest
/// of what the seats at some places told.
pub(super) fn scores(
    spec: &SessionSpec,
    files: &[(u32, &[u8])],
    holdout: Option<&Holdout>,
    next: impl Fn(&[usize]) -> Result<Forest> + Sync,
) -> Result<Vec<u32>> {
    let rows = holdout.map(Holdout::measuring).filter(|rows| rows.rows() > 0);
    let rows = rows.filter(|rows| work(spec, rows, files) <= work::MOST);
    by_absence(files, rows.map(|rows| move |places: &[usize]| loss(spec, &next(places)?, rows)))
}

fn loss(spec: &SessionSpec, forest: &Forest, rows: &Table) -> Result<f64> {
    if rows.features != forest.features() {
        return Err(Error::Rows(format!("{} features, the model has {}", rows.features, forest.features())));
    }
    Ok(metrics::of_shares(&spec.schema.label.task, &forest.predict(&rows.x)?, &rows.labels)?.metrics.loss)
}

/// What all seats told is read once for every seat that is left out, and every forest is asked about every row.
fn work(spec: &SessionSpec, rows: &Table, files: &[(u32, &[u8])]) -> u64 {
    let seats = work::wide(files.len());
    let bytes: u64 = files.iter().map(|(_, file)| work::wide(file.len())).sum();
    let steps = spec.model.forest().map_or(0, |shape| u64::from(shape.trees) * u64::from(shape.levels()));
    let asking = work::wide(rows.rows()).saturating_mul(steps);
    (seats + 1).saturating_mul(bytes.saturating_mul(BYTE).saturating_add(asking))
}
