//! From summed moments to the solution of the normal equations.
//!
//! Centred moments `C = sum z z' - n m m'` and `c = sum z y - n m k` (`m`, `k` the means) leave the intercept out; `(C + ridge) w = c`
//! is solved in f64 and the solution refined with residuals in twice the precision (Higham 2002, chapter 12), so that the
//! coefficients are as good as the moments. Where columns depend on each other, `w` is the shortest of the best, as that of a solver
//! by singular values; columns count as dependent where less than about 1e-14 a column is left of one's squares once the others have
//! explained it.

use super::{
    coefficients::Point,
    double::Double,
    factor::Factor,
    problem::{Problem, place},
    sums::Sums,
};

/// Most refinements; two are enough unless the columns are close to dependent.
const REFINEMENTS: usize = 8;

/// Weights and intercept by the moments of at least one row.
pub(super) fn solve(problem: &Problem, sums: &Sums) -> Point {
    let size = problem.features;
    let equations = Equations::new(problem, sums);
    let rounded: Vec<f64> = equations.matrix.iter().map(|entry| entry.value()).collect();
    let magnitudes: Vec<f64> = (0..size).map(|index| sums.at(place(index, index)).value() + problem.ridge).collect();
    let factor = Factor::new(&rounded, &magnitudes);
    let right: Vec<f64> = equations.right.iter().map(|entry| entry.value()).collect();
    let mut weight = factor.solve(&right);
    let mut last = f64::INFINITY;
    for _ in 0..REFINEMENTS {
        let step = factor.solve(&equations.residual(&weight));
        let length = step.iter().map(|value| value * value).sum::<f64>();
        // It converges by a constant factor, until rounding stops it.
        if length * 4.0 > last {
            break;
        }
        weight.iter_mut().zip(&step).for_each(|(value, step)| *value += step);
        last = length;
    }
    let bias = equations.intercept(&weight);
    Point { weight, bias: vec![bias] }
}

/// `matrix w = right` for the weights alone.
struct Equations {
    matrix: Vec<Double>,
    right: Vec<Double>,
    /// Means of the features, then of the label.
    means: Vec<Double>,
}

impl Equations {
    fn new(problem: &Problem, sums: &Sums) -> Self {
        let (size, label) = (problem.features, problem.features + 1);
        let total = |index: usize| sums.at(place(size, index));
        let rows = total(size).value();
        let means: Vec<Double> = (0..size).chain([label]).map(|index| total(index) / rows).collect();
        let entry = |row: usize, column: usize| {
            let centred = sums.at(place(row, column)) - total(row.min(column)) * means[row.max(column)];
            if row == column { centred + Double::of(problem.ridge) } else { centred }
        };
        let matrix = (0..size * size).map(|at| entry(at / size, at % size)).collect();
        let right = (0..size).map(|index| sums.at(place(label, index)) - total(index) * means[size]).collect();
        Self { matrix, right, means }
    }

    fn residual(&self, weight: &[f64]) -> Vec<f64> {
        let rows = self.matrix.chunks_exact(weight.len()).zip(&self.right);
        rows.map(|(row, right)| {
            let products = row.iter().zip(weight).map(|(entry, weight)| *entry * Double::of(*weight));
            products.fold(*right, |rest, product| rest - product).value()
        })
        .collect()
    }

    fn intercept(&self, weight: &[f64]) -> f64 {
        let (label, features) = self.means.split_last().expect("the label has a mean");
        let parts = features.iter().zip(weight).map(|(mean, weight)| *mean * Double::of(*weight));
        parts.fold(*label, |rest, part| rest - part).value()
    }
}
