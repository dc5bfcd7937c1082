//! The scores of a round's updates: which of the ways of [`contribution`](crate::contribution) is taken, and its losses.

use std::borrow::Cow;

use parity_protocol::aggregation::Rule;
use rayon::prelude::*;

use super::{Judge, loss, step::Step};
use crate::{
    Result,
    aggregate::shifted,
    contribution::{self, Moved, work},
    holdout::Holdout,
    tensors::Tensors,
};

/// A score for every accepted update. `target` is what the rule made of all of them.
pub(super) fn scores(step: &Step<'_>, target: &Tensors, judge: Judge<'_>) -> Result<Vec<u32>> {
    let mut scores = vec![0; step.good.len()];
    if matches!(judge, Judge::Unscored(_)) {
        return Ok(scores);
    }
    let moved = step.good.iter().map(|(input, update)| Moved {
        weights: &update.weights,
        samples: update.samples,
        posted: input.posted,
    });
    let counted = contribution::counted(step.previous, &moved.collect::<Vec<_>>());
    let places: Vec<usize> = step.all().into_iter().filter(|place| counted[*place]).collect();
    if places.is_empty() {
        return Ok(scores);
    }
    let target = match places.len() == step.good.len() {
        true => Cow::Borrowed(target),
        false => Cow::Owned(step.target(&places, None)?),
    };
    // Root data choose a step that makes up for who stands still, so that absence says nothing.
    let chooses = matches!(step.aggregation.rule, Rule::RootData { .. });
    let by_losses = match judge.scoring().filter(|_| !chooses) {
        Some(holdout) => by_losses(step, &target, &places, holdout)?,
        None => None,
    };
    let found = by_losses.unwrap_or_else(|| {
        let updates = places.iter().map(|place| &step.good[*place].1).map(|update| (&update.weights, update.length));
        contribution::alignment(step.previous, &target, &updates.collect::<Vec<_>>())
    });
    places.into_iter().zip(found).for_each(|(place, score)| scores[place] = score);
    Ok(scores)
}

/// Scores from losses on held-out rows; none where they would take too long or say nothing.
fn by_losses(step: &Step<'_>, target: &Tensors, places: &[usize], holdout: &Holdout) -> Result<Option<Vec<u32>>> {
    let Step { spec, aggregation, .. } = *step;
    let rows = holdout.measuring();
    let work = work::of_models(spec, aggregation, places.len(), rows.rows());
    if work > work::MOST || rows.rows() == 0 {
        return Ok(None);
    }
    let with = loss(spec, target, rows)?;
    let total: f64 = places.iter().map(|place| weight(step, *place)).sum();
    let without = places.par_iter().map(|place| {
        let target = if work::is_plain(aggregation) {
            let share = weight(step, *place) / total;
            shifted(target, step.previous, &step.good[*place].1.weights, share)
        } else {
            step.target(places, Some(*place))?
        };
        loss(spec, &target, rows)
    });
    Ok(contribution::of_losses(with, &without.collect::<Result<Vec<f64>>>()?))
}

#[expect(clippy::cast_precision_loss, reason = "weights of a mean; 53 bits are enough")]
fn weight(step: &Step<'_>, place: usize) -> f64 {
    step.good[place].1.samples as f64
}
