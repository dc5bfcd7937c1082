//! What is solved: a method with its sizes, and where each sum stands in what a seat tells.
//!
//! Least squares: the lower triangle of `sum v v'` with `v = (z, 1, y)`, `z` the standardised features and `y` the standardised label.
//!
//! Newton: rows, loss, gradient, then the lower triangles of `sum s_kl v v'` for all classes `l <= k`, with `v = (z, 1)` and `s` the second
//! derivatives of the loss by the logits. Class 0 is left out: its weights are what makes the weights of all classes add up to 0.

use parity_protocol::{
    job::{Job, JobKind},
    spec::SessionSpec,
    training::{self, Optimizer, Training},
};

/// How the sums become a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    LeastSquares,
    Newton,
}

/// A method with its sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Problem {
    pub(crate) method: Method,
    pub(crate) features: usize,
    pub(crate) outputs: usize,
    pub(crate) ridge: f64,
}

impl Problem {
    /// That of a session; none where its method is not exact.
    pub fn of_spec(spec: &SessionSpec) -> Option<Self> {
        Self::new(&spec.training, spec.schema.features(), spec.schema.outputs())
    }

    /// That of a job of training; none where its method is not exact.
    pub fn of_job(job: &Job) -> Option<Self> {
        let JobKind::Train { training, .. } = &job.kind else { return None };
        Self::new(training, job.features, job.outputs)
    }

    fn new(training: &Training, features: usize, outputs: usize) -> Option<Self> {
        let (method, ridge) = match training.optimizer {
            Optimizer::LeastSquares { ridge } => (Method::LeastSquares, ridge),
            Optimizer::Newton { ridge } => (Method::Newton, ridge),
            Optimizer::Sgd { .. } | Optimizer::Adam { .. } | Optimizer::AdamW { .. } => return None,
        };
        Some(Self { method, features, outputs, ridge })
    }

    /// Weights of an output and its intercept.
    pub(super) const fn width(&self) -> usize {
        self.features + 1
    }

    /// Classes whose weights are free.
    pub(super) fn free(&self) -> usize {
        self.outputs.saturating_sub(1)
    }

    /// Numbers that are looked for.
    pub(super) fn unknowns(&self) -> usize {
        training::unknowns(self.features, self.outputs)
    }

    /// Sums that a seat tells.
    pub(super) fn entries(&self) -> usize {
        match self.method {
            Method::LeastSquares => triangle(self.width() + 1),
            Method::Newton => self.blocks() + triangle(self.free()) * triangle(self.width()),
        }
    }

    /// Where the number of rows stands.
    pub(super) const fn rows(&self) -> usize {
        match self.method {
            Method::LeastSquares => place(self.features, self.features),
            Method::Newton => 0,
        }
    }

    /// Newton: where the loss stands.
    pub(super) const fn loss() -> usize {
        1
    }

    /// Newton: where the gradient begins, `[free classes, width]`.
    pub(super) const fn gradient() -> usize {
        2
    }

    /// Newton: where the triangles of second derivatives begin.
    pub(super) fn blocks(&self) -> usize {
        Self::gradient() + self.free() * self.width()
    }

    /// Places of sums of squares: none of them is negative.
    pub(super) fn squares(&self) -> Vec<usize> {
        match self.method {
            Method::LeastSquares => (0..=self.width()).map(|index| place(index, index)).collect(),
            Method::Newton => {
                let block = |class| self.blocks() + place(class, class) * triangle(self.width());
                let squares = |class| (0..self.width()).map(move |index| block(class) + place(index, index));
                (0..self.free()).flat_map(squares).chain([Self::loss()]).collect()
            }
        }
    }
}

/// Entries of a lower triangle of so many rows.
pub(super) const fn triangle(size: usize) -> usize {
    size * (size + 1) / 2
}

/// Place of an entry in a lower triangle.
pub(super) const fn place(row: usize, column: usize) -> usize {
    if row < column { place(column, row) } else { triangle(row) + column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sum_has_a_place_of_its_own() {
        for (method, features, outputs) in
            [(Method::LeastSquares, 1, 1), (Method::LeastSquares, 7, 1), (Method::Newton, 4, 2), (Method::Newton, 3, 5)]
        {
            let problem = Problem { method, features, outputs, ridge: 1.0 };
            let mut squares = problem.squares();
            squares.sort_unstable();
            let all = squares.len();
            squares.dedup();
            assert!(squares.len() == all && squares.last().copied() == Some(problem.entries() - 1));
            assert!(problem.rows() < problem.entries());
        }
    }
}
