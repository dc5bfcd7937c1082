//! From summed derivatives to the next point of Newton's method.
//!
//! The unknowns are the differences `d_k = W_k - W_0` of the weights (and intercepts) of the free classes; softmax does not see what all
//! classes have in common, and a ridge wants `sum_k W_k = 0`, hence `W_0 = -sum d_k / K`. The penalty `ridge / 2 sum |W_k|^2` is
//! then `ridge / 2 (sum |d_k|^2 - |sum d_k|^2 / K)`; with two classes, it is `ridge / 2 |d_1|^2`, as in binary logistic regression. Intercepts
//! are not penalised.
//!
//! A step that did not lower the objective enough (Armijo's condition) is taken back and made shorter, by the minimum of the cubic
//! through values and slopes at both ends (Nocedal and Wright 2006, equation 3.59). No seat is asked twice: the sums of the next round
//! are those of the shorter step.

use super::{
    coefficients::{Coefficients, Point, Search},
    double::Double,
    factor::{Factor, dot},
    problem::{Problem, place, triangle},
    sums::Sums,
};

/// Share of the decrease that the slope promises which a step must bring (Nocedal and Wright 2006, section 3.1).
const ARMIJO: f64 = 1e-4;
/// Relative error of a summed loss, by which an objective may seem to rise.
const NOISE: f64 = 1e-13;
/// A step below this share of the largest coefficient (or of 1) is the last one: the error that it leaves is about its square.
const LAST_STEP: f64 = 1e-8;
/// Shortest and longest share of a step that is tried instead.
const SHORTER: (f64, f64) = (0.1, 0.5);

/// The next point by sums of the same rows as before, or others.
pub(super) fn step(problem: &Problem, model: &Coefficients, sums: &Sums) -> Coefficients {
    let here = Here::new(problem, &model.point, sums);
    if let Some(search) = &model.search
        && let Some(shorter) = here.taken_back(model, search)
    {
        return shorter;
    }
    let step = here.newton_step();
    let point = here.moved(&model.point, &step);
    let slope = dot(&here.gradient, &step);
    let length = step.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let search = Search { from: model.point.clone(), objective: here.objective, slope, rows: here.rows };
    let is_last = length <= LAST_STEP * model.magnitude().max(1.0);
    Coefficients { point, search: (!is_last).then_some(search) }
}

/// What the sums say of the point where they were made.
struct Here<'a> {
    problem: &'a Problem,
    sums: &'a Sums,
    rows: f64,
    objective: f64,
    /// `[free, width]`.
    gradient: Vec<f64>,
}

impl<'a> Here<'a> {
    fn new(problem: &'a Problem, point: &Point, sums: &'a Sums) -> Self {
        let (features, width) = (problem.features, problem.width());
        let differences = differences(problem, point);
        let class = |class: usize| &differences[class * width..][..features];
        let mut penalty = Double::default();
        let mut gradient: Vec<f64> = Vec::with_capacity(differences.len());
        for k in 0..problem.free() {
            for j in 0..width {
                let mut slope = sums.at(Problem::gradient() + k * width + j);
                if j < features {
                    let pull: f64 = (0..problem.free()).map(|l| penalty_of(problem, k, l) * class(l)[j]).sum();
                    penalty = penalty + Double::of(pull * class(k)[j] / 2.0);
                    slope = slope + Double::of(pull);
                }
                gradient.push(slope.value());
            }
        }
        let objective = (sums.at(Problem::loss()) + penalty).value();
        Self { problem, sums, rows: sums.at(problem.rows()).value(), objective, gradient }
    }

    /// The model with a shorter step where this one did not do.
    fn taken_back(&self, model: &Coefficients, search: &Search) -> Option<Coefficients> {
        let promised = search.objective + ARMIJO * search.slope + NOISE * search.objective.abs();
        // Sums of other rows cannot be compared.
        if self.rows.to_bits() != search.rows.to_bits() || self.objective <= promised {
            return None;
        }
        let way = differences(self.problem, &search.from);
        let back: Vec<f64> =
            differences(self.problem, &model.point).iter().zip(way).map(|(to, from)| to - from).collect();
        let share = shorter(search.objective, search.slope, self.objective, dot(&self.gradient, &back));
        let point = search.from.towards(&model.point, share);
        let length = back.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())) * share;
        if length <= LAST_STEP * model.magnitude().max(1.0) {
            return Some(Coefficients { point: search.from.clone(), search: None });
        }
        Some(Coefficients { point, search: Some(Search { slope: search.slope * share, ..search.clone() }) })
    }

    /// `-(H + penalty)^-1 gradient`.
    fn newton_step(&self) -> Vec<f64> {
        let (width, size) = (self.problem.width(), self.problem.unknowns());
        let entry = |row: usize, column: usize| {
            let ((k, i), (l, j)) = ((row / width, row % width), (column / width, column % width));
            let block = self.problem.blocks() + place(k, l) * triangle(width);
            let curvature = self.sums.at(block + place(i, j)).value();
            if i == j && i < self.problem.features { curvature + penalty_of(self.problem, k, l) } else { curvature }
        };
        let matrix: Vec<f64> = (0..size * size).map(|at| entry(at / size, at % size)).collect();
        let diagonal: Vec<f64> = (0..size).map(|index| matrix[index * size + index]).collect();
        let mut step = Factor::new(&matrix, &diagonal).solve(&self.gradient);
        step.iter_mut().for_each(|value| *value = -*value);
        step
    }

    /// The point after a step of the differences, with classes that add up to 0.
    fn moved(&self, point: &Point, step: &[f64]) -> Point {
        let (features, width, outputs) = (self.problem.features, self.problem.width(), self.problem.outputs);
        let moved: Vec<f64> =
            differences(self.problem, point).iter().zip(step).map(|(from, step)| from + step).collect();
        let mut next = Point::origin(features, outputs);
        #[expect(clippy::cast_precision_loss, reason = "classes are few")]
        let classes = outputs as f64;
        for j in 0..width {
            let of_class = |class: usize| moved[class * width + j];
            let first = -(0..self.problem.free()).map(of_class).sum::<f64>() / classes;
            for k in 0..outputs {
                let value = if k == 0 { first } else { of_class(k - 1) + first };
                if j < features {
                    next.weight[k * features + j] = value;
                } else {
                    next.bias[k] = value;
                }
            }
        }
        next
    }
}

/// `W_k - W_0` with intercepts, `[free, width]`.
fn differences(problem: &Problem, point: &Point) -> Vec<f64> {
    let row = |class: usize| {
        let weight = &point.weight[class * problem.features..][..problem.features];
        weight.iter().chain(&point.bias[class..=class])
    };
    (1..problem.outputs).flat_map(|class| row(class).zip(row(0)).map(|(value, first)| value - first)).collect()
}

/// Second derivative of the penalty by the differences of two classes.
#[expect(clippy::cast_precision_loss, reason = "classes are few")]
fn penalty_of(problem: &Problem, k: usize, l: usize) -> f64 {
    let shared = if problem.outputs == 2 { 0.0 } else { 1.0 / problem.outputs as f64 };
    problem.ridge * if k == l { 1.0 - shared } else { -shared }
}

/// Where the cubic with these values and slopes at 0 and 1 has its minimum, within bounds.
fn shorter(start: f64, start_slope: f64, end: f64, end_slope: f64) -> f64 {
    let (least, most) = SHORTER;
    let bend = start_slope + end_slope - 3.0 * (end - start);
    let root = (bend * bend - start_slope * end_slope).sqrt();
    let share = 1.0 - (end_slope + root - bend) / (end_slope - start_slope + 2.0 * root);
    if share.is_finite() { share.clamp(least, most) } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_step_is_the_minimum_of_the_cubic() {
        // x^3 - x on [0, 2], its minimum at 1 / sqrt 3: in shares of the step, slopes doubled.
        let share = shorter(0.0, -2.0, 6.0, 22.0);
        assert!((share - 0.5 / 3_f64.sqrt()).abs() < 1e-15, "{share}");
        assert!((shorter(0.0, -1.0, f64::MAX, f64::MAX) - 0.5).abs() < 1e-15);
        assert!((shorter(0.0, -1.0, 1e9, 1e9) - 0.1).abs() < 1e-15);
    }

    #[test]
    fn penalties_are_those_of_weights_that_add_up_to_0() {
        let problem =
            |outputs| Problem { method: super::super::problem::Method::Newton, features: 1, outputs, ridge: 3.0 };
        // d = (1, 2), so W = (-1, 0, 1) and |W|^2 = 2.
        let d = [1.0, 2.0];
        let square = |k: usize, l: usize| penalty_of(&problem(3), k, l) * d[k] * d[l];
        assert!((square(0, 0) + square(0, 1) + square(1, 0) + square(1, 1) - 6.0).abs() < 1e-14);
        assert!((penalty_of(&problem(2), 0, 0) - 3.0).abs() < 1e-15);
    }
}
