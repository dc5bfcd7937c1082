//! What Newton's method needs of rows: loss, gradient and second derivatives of softmax regression at a model.
//!
//! With `p = softmax(Wv)`, the gradient by the logit of class `k` is `p_k - [y = k]`, the second derivative by those of `k` and `l` is
//! `p_k ([k = l] - p_l)` (Böhning 1992). What is near 1 is left as the sum of the others, so that no digit is lost.

use super::{
    coefficients::Coefficients,
    fixed,
    problem::{Problem, place, triangle},
    rows::{Block, Rows},
    sums::Sums,
};
use crate::{
    Error, Result,
    table::{Labels, Table},
};

/// Largest loss of one row that is told: a model this bad only has to be known as bad.
const MAX_LOSS: f64 = 1_048_576.0;

/// Loss, gradient and second derivatives of these rows at a model.
///
/// # Errors
/// [`Error::Rows`] when a class is unknown, [`Error::Exact`] when the model's output is not finite.
pub(super) fn derivatives(problem: &Problem, rows: &Rows<'_>, model: &Coefficients) -> Result<Sums> {
    let classes = classes(problem, rows.table)?;
    let sums = fixed::over_blocks(classes.len(), problem.entries(), |range, totals| {
        let block = rows.block(range.clone());
        let told = Told::new(problem, &block, model, &classes[range])?;
        told.add(problem, &block, totals);
        Ok(())
    })?;
    Ok(Sums(sums))
}

fn classes(problem: &Problem, table: &Table) -> Result<Vec<usize>> {
    let Labels::Classes(classes) = &table.labels else {
        return Err(Error::Rows("the labels are numbers, the model predicts classes".into()));
    };
    let known = |(row, class): (usize, &i64)| {
        usize::try_from(*class).ok().filter(|class| *class < problem.outputs).ok_or_else(|| {
            Error::Rows(format!("row {row} has class {class}, the model knows 0 to {}", problem.outputs - 1))
        })
    };
    classes.iter().enumerate().map(known).collect()
}

/// What a block's rows come to, before products with their values: `[.., rows]` each.
struct Told {
    losses: i128,
    /// Of the free classes.
    residuals: Vec<f64>,
    /// Of the pairs of free classes, as a triangle.
    curvatures: Vec<f64>,
}

impl Told {
    fn new(problem: &Problem, block: &Block, model: &Coefficients, classes: &[usize]) -> Result<Self> {
        let (free, rows) = (problem.free(), block.rows);
        let mut told =
            Self { losses: 0, residuals: vec![0.0; free * rows], curvatures: vec![0.0; triangle(free) * rows] };
        let mut logits = vec![0.0; problem.outputs];
        for (row, (values, class)) in block.iter().zip(classes).enumerate() {
            model.outputs_of(&values[..problem.features], &mut logits);
            if let Some(logit) = logits.iter().find(|logit| !logit.is_finite()) {
                return Err(Error::Exact(format!("the model's output for a row is {logit}")));
            }
            told.losses += fixed::of(softmax(&mut logits, *class).min(MAX_LOSS));
            let shares = &logits;
            let others = |class: usize| -> f64 {
                shares.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, share)| share).sum()
            };
            for k in 1..=free {
                let rest = others(k);
                told.residuals[(k - 1) * rows + row] = if k == *class { -rest } else { shares[k] };
                for l in 1..=k {
                    let curvature = shares[k] * if k == l { rest } else { -shares[l] };
                    told.curvatures[place(k - 1, l - 1) * rows + row] = curvature;
                }
            }
        }
        Ok(told)
    }

    fn add(&self, problem: &Problem, block: &Block, totals: &mut [i128]) {
        totals[problem.rows()] += fixed::of_count(u64::try_from(block.rows).expect("a block is short"));
        totals[Problem::loss()] += self.losses;
        let (head, blocks) = totals.split_at_mut(problem.blocks());
        block.add_sums(&mut head[Problem::gradient()..], &self.residuals);
        let pairs = blocks.chunks_exact_mut(triangle(block.width)).zip(self.curvatures.chunks_exact(block.rows));
        pairs.for_each(|(totals, curvatures)| block.add_squares(totals, curvatures));
    }
}

/// Logits become probabilities; the answer is the loss of a class in nats.
fn softmax(logits: &mut [f64], class: usize) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = largest - logits[class];
    // Ours, because the system's exponential may round otherwise on another machine.
    logits.iter_mut().for_each(|logit| *logit = libm::exp(*logit - largest));
    let total: f64 = logits.iter().sum();
    logits.iter_mut().for_each(|share| *share /= total);
    below + libm::log(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_the_loss_is_minus_their_logarithm() {
        let mut logits = [1.0, -2.0, 700.0, 0.5];
        let loss = softmax(&mut logits, 1);
        assert!((logits.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((loss - 702.0).abs() < 1e-12);
        let mut even = [3.0, 3.0];
        assert!((softmax(&mut even, 0) - 2_f64.ln()).abs() < 1e-15);
    }
}
