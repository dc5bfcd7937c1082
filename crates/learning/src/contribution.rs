//! What an update was worth to a round: scores from 0 to [`MAX_SCORE`], by which a session splits the performance share of its pay.
//!
//! With `L(w)` the mean loss on held-out rows and `T` what the rule makes of the updates that count, before the server optimiser,
//!
//! `v_i = max(0, L(T if i had stood still) - L(T))`, `score_i = floor(10000 v_i / max_j v_j)`.
//!
//! "Stood still" means that the seat had posted the model of the last round; a forest's seat had posted nothing. Leaving the update
//! out and letting the others fill its place would measure something else: how much the mean of the others overshoots, which pays
//! whoever does nothing (docs/adr/0014).
//!
//! Where this says nothing (no held-out rows, no loss yet, more work than [`work::MOST`], nobody whose absence would have raised the loss
//! by [`SIGNAL`]), the score is `floor(10000 max(0, cos(d_i, d)))` with `d_i = update_i - previous` and `d = T - previous`; of a
//! forest it is the same for all. Everyone can compute that one.
//!
//! Who does not count scores 0 and is not in `T`, so that nobody changes what others earn by posting such an update: see [`counted`].
//!
//! Scores enter digests, so every step gives the same bits on every machine and for any order of the inputs; only between an
//! update and its copies the order of posting decides.

mod absence;
mod counted;
pub(crate) mod work;

pub(crate) use self::{
    absence::by_absence,
    counted::{Moved, counted},
};
use crate::{
    aggregate::{self, distance},
    tensors::Tensors,
};

/// The highest score.
pub const MAX_SCORE: u32 = 10_000;

/// Least share of the loss by which somebody's absence must raise it: smaller differences are rounding and luck.
const SIGNAL: f64 = 1e-4;

/// Scores from the loss with all and the losses without each. None where nobody's absence would have done harm.
pub(crate) fn of_losses(with: f64, without: &[f64]) -> Option<Vec<u32>> {
    let harm: Vec<f64> = without.iter().map(|loss| (loss - with).max(0.0)).collect();
    let most = harm.iter().fold(0.0_f64, |most, harm| most.max(*harm));
    if !with.is_finite() || most <= SIGNAL * with.abs() {
        return None;
    }
    // A model without somebody may be so bad that its loss is infinite.
    let share = |harm: f64| if most.is_finite() { harm / most } else { f64::from(u8::from(harm.is_infinite())) };
    Some(harm.into_iter().map(|harm| scaled(share(harm))).collect())
}

/// How much of each update, given with its distance from `previous`, points where the rule went. 0 where it did not move.
pub(crate) fn alignment(previous: &Tensors, target: &Tensors, updates: &[(&Tensors, f64)]) -> Vec<u32> {
    let moved = distance(previous, target);
    let one = |(update, length): &(&Tensors, f64)| {
        if moved <= 0.0 || *length <= 0.0 {
            return 0;
        }
        let along = aggregate::fold(previous, update, target, |base, left, right| (left - base) * (right - base));
        scaled(along / (moved * length))
    };
    updates.iter().map(one).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10000 before")]
fn scaled(share: f64) -> u32 {
    (f64::from(MAX_SCORE) * share).floor().clamp(0.0, f64::from(MAX_SCORE)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_absence_harms_most_has_the_highest_score() {
        assert_eq!(of_losses(0.5, &[0.75, 0.625, 0.5, 0.125]), Some(vec![10_000, 5_000, 0, 0]));
        assert_eq!(of_losses(0.5, &[0.6, f64::INFINITY]), Some(vec![0, 10_000]));
    }

    #[test]
    fn losses_that_say_nothing_give_no_scores() {
        assert_eq!(of_losses(0.5, &[0.5, 0.4]), None);
        assert_eq!(of_losses(0.5, &[0.500_01, 0.4]), None);
        assert_eq!(of_losses(f64::INFINITY, &[0.5, f64::INFINITY]), None);
        assert_eq!(of_losses(0.5, &[]), None);
    }
}
