//! What least squares needs of rows: the sums of all products of features, intercept and label.

use super::{fixed, problem::Problem, rows::Rows, sums::Sums};
use crate::Result;

/// The moments of these rows.
///
/// # Errors
/// None but those of the rows, which were checked.
pub(super) fn moments(problem: &Problem, rows: &Rows<'_>) -> Result<Sums> {
    let ones = [1.0; fixed::BLOCK];
    let sums = fixed::over_blocks(rows.table.rows(), problem.entries(), |range, totals| {
        rows.block(range).add_squares(totals, &ones);
        Ok(())
    })?;
    Ok(Sums(sums))
}
