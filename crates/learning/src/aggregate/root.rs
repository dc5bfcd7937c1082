//! The rule with root data: a few rows that the keepers hold say which seats are left out and how far the model moves; where to, the
//! updates that stay decide among themselves.
//!
//! 1. Every update is scaled down to the median length of all updates, so that none pulls further than most.
//! 2. Updates of seats that the root rows speak against are left out, at most 3 of 10. The evidence of a seat adds up how far its updates
//!    alone lowered the loss on the root rows, over all rounds so far ([`Evidence`](super::Evidence)); 0 and less speaks against it.
//! 3. Every coordinate moves as far as most of the updates that stay agree to, and not at all where they do not agree: the median of them
//!    and of votes for standing still ([`still`]).
//! 4. The model moves along that by the shortest step with 9 tenths of what the loss on the root rows can fall, at most 64 times its
//!    length, and not at all where it falls nowhere.
//!
//! What each step answers: (1) long updates; (2) updates that spoil the model, as in Zeno (Xie et al. 2019); seats are judged over rounds
//! because 50 rows tell little in one, and not by rank, or useful hostile seats would push honest ones out; (3) who got through by being as useful as the best of the honest: what only the
//! hostile want does not happen, as where signs are counted (Ozdayi et al. 2021), and how far is never further than half of
//! the honest would go; (4) whatever is left, since a step that spoils the model on the root rows is not made, and the price of step 3:
//! agreed steps are short where data differ (FedExp, Jhunjhunwala et al. 2023, lengthens plain means without root rows).
//!
//! Unlike in FLTrust the root rows give no direction: the model does not lean to so few rows, and only forward passes are needed, so
//! keepers can recompute the rule without a trainer.
//!
//! What it does not answer: hostile seats decide which of the honest steps are not taken, coordinate by coordinate, and may leave those
//! that suit them. What they gain by it grows with how far honest updates differ.

use rayon::prelude::*;

use super::{
    clipping::shrink,
    fold::distance,
    mean::Weighted,
    models::{Models, zip},
    order::median,
};
use crate::{Error, Result, tensors::Tensors};

/// Updates that are left out at most, of ten: the hostile seats that the rule is made for.
const HOSTILE: usize = 3;
/// Share of the greatest fall that a step must reach.
const NEARLY_ALL: f64 = 0.9;
/// How far the model may move, in lengths of what is agreed on.
const STEPS: [f64; 9] = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// The rows of the keepers, as a rule may use them.
pub trait Root: Sync {
    /// Mean loss of a model on the root rows; may be infinite.
    ///
    /// # Errors
    /// When the model cannot be evaluated.
    fn loss(&self, model: &Tensors) -> Result<f64>;
}

/// A closure is a root.
impl<F: Fn(&Tensors) -> Result<f64> + Sync> Root for F {
    fn loss(&self, model: &Tensors) -> Result<f64> {
        self(model)
    }
}

/// Root rows with what they say about the seats whose updates are aggregated.
#[derive(Clone, Copy)]
pub struct Trust<'a> {
    /// The rows.
    pub root: &'a dyn Root,
    /// Evidence for each update's seat with that of this round, in the order of the updates; the larger, the better.
    pub evidence: &'a [f64],
}

impl std::fmt::Debug for Trust<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Trust").field("evidence", &self.evidence).finish_non_exhaustive()
    }
}

/// By how much each update alone, no longer than most, lowers the loss on the root rows: at most by the loss that there is, at least by
/// its negative.
///
/// # Errors
/// [`Error::Aggregate`] when names or shapes differ, and those of `root`.
pub fn gains(inputs: &[Weighted<'_>], previous: &Tensors, root: &dyn Root) -> Result<Vec<f64>> {
    Models::new(inputs)?.check(previous)?;
    let before = evaluate(previous, root)?;
    if !before.is_finite() {
        return Ok(vec![0.0; inputs.len()]);
    }
    let most = before.abs();
    let gain = |model: &Tensors| Ok((before - evaluate(model, root)?).clamp(-most, most));
    level(inputs, previous).par_iter().map(gain).collect()
}

/// The model after the updates of the seats that the root rows speak for.
///
/// # Errors
/// [`Error::Aggregate`] when names or shapes differ or an update has no evidence, and those of the root.
pub fn root_data(inputs: &[Weighted<'_>], previous: &Tensors, trust: &Trust<'_>) -> Result<Tensors> {
    Models::new(inputs)?.check(previous)?;
    if trust.evidence.len() != inputs.len() {
        return Err(Error::Aggregate(format!(
            "there is evidence for {} of {} updates",
            trust.evidence.len(),
            inputs.len()
        )));
    }
    let equal = level(inputs, previous);
    let all: Vec<Weighted<'_>> = equal.iter().map(|model| Weighted { model, weight: 1 }).collect();
    let models = Models::new(&all)?;
    let kept = keep(&models, &evidence_of(&models, &equal, trust.evidence));
    let stand = Weighted { model: previous, weight: 1 };
    let stay = kept.iter().map(|place| Weighted { model: models.model(*place), weight: 1 });
    let all: Vec<Weighted<'_>> = stay.chain(std::iter::repeat_n(stand, still(models.len(), kept.len()))).collect();
    let agreed = median(&Models::new(&all)?);
    move_along(previous, &agreed, trust.root)
}

/// The models no further from the previous one than the median of them.
fn level(inputs: &[Weighted<'_>], previous: &Tensors) -> Vec<Tensors> {
    let lengths: Vec<f64> = inputs.iter().map(|input| distance(previous, input.model)).collect();
    let mut sorted = lengths.clone();
    sorted.sort_by(f64::total_cmp);
    // The lower of the middle two: that one is an honest length while less than half of the updates are longer than honest.
    let bound = sorted[(sorted.len() - 1) / 2];
    let one = |(input, length): (&Weighted<'_>, &f64)| {
        let factor = shrink(*length, bound);
        zip(previous, input.model, |base, value| base + factor * (value - base))
    };
    inputs.iter().zip(&lengths).map(one).collect()
}

/// The evidence in the canonical order of the models.
fn evidence_of(models: &Models<'_>, inputs: &[Tensors], evidence: &[f64]) -> Vec<f64> {
    let of = |model: &Tensors| {
        let place = inputs.iter().position(|input| std::ptr::eq(input, model));
        place.map_or(f64::NEG_INFINITY, |place| evidence[place])
    };
    models.iter().map(|input| of(input.model)).collect()
}

/// Places of the models that stay, in their order: all that are not spoken against, and of the others the best where too few are left.
fn keep(models: &Models<'_>, evidence: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..models.len()).collect();
    places.sort_by(|a, b| evidence[*b].total_cmp(&evidence[*a]).then(a.cmp(b)));
    let good = evidence.iter().filter(|evidence| **evidence > 0.0).count();
    places.truncate(good.max(models.len() - hostile(models.len())));
    places.sort_unstable();
    places
}

/// As many of so many updates may be hostile.
fn hostile(updates: usize) -> usize {
    updates * HOSTILE / 10
}

/// Votes for standing still among `kept` of so many updates, so many that the `c + 1`-th smallest update decides over a step up and the
/// `c + 1`-th largest over a step down: `kept - 2c - 1`. If no hostile update was left out, `h` honest ones are among them, and
/// with `c = floor((h - 1) / 2)` no step is longer than the lower median of theirs. 7 votes beside 20 or 14 of 20 updates.
fn still(updates: usize, kept: usize) -> usize {
    let honest = kept.saturating_sub(hostile(updates));
    kept - 2 * (honest.saturating_sub(1) / 2) - 1
}

/// The model on the line from the previous one through `agreed`, by the shortest step with nearly all of what the loss on the root rows
/// can fall. Late in training the loss on so few rows still falls a little by steps that teach nothing and carry what hostile seats want.
fn move_along(previous: &Tensors, agreed: &Tensors, root: &dyn Root) -> Result<Tensors> {
    let at = |step: f64| zip(previous, agreed, |base, value| base + step * (value - base));
    let losses = STEPS.par_iter().map(|step| evaluate(&at(*step), root)).collect::<Result<Vec<f64>>>()?;
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let enough = if losses[0].is_finite() { losses[0] - NEARLY_ALL * (losses[0] - lowest) } else { lowest };
    let best = losses.iter().position(|loss| *loss <= enough).unwrap_or(0);
    Ok(at(STEPS[best]))
}

fn evaluate(model: &Tensors, root: &dyn Root) -> Result<f64> {
    let loss = root.loss(model)?;
    if loss.is_nan() { Err(Error::Aggregate("the loss on the root rows is not a number".into())) } else { Ok(loss) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Tensor;

    fn model(values: &[f32]) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![values.len()], data: values.to_vec() })].into())
    }

    /// Squared distance from (1, 1, 0 ...).
    fn loss(model: &Tensors) -> Result<f64> {
        let goal = [1.0, 1.0].into_iter().chain(std::iter::repeat(0.0));
        Ok(model.0["w"]
            .data
            .iter()
            .zip(goal)
            .map(|(value, goal)| (f64::from(*value) - goal) * (f64::from(*value) - goal))
            .sum())
    }

    fn run(updates: &[&[f32]], evidence: Option<&[f64]>, root: &dyn Root) -> Result<Vec<f32>> {
        let models: Vec<Tensors> = updates.iter().map(|values| model(values)).collect();
        let inputs: Vec<Weighted<'_>> = models.iter().map(|model| Weighted { model, weight: 1 }).collect();
        let previous = model(&vec![0.0; updates[0].len()]);
        let gains = gains(&inputs, &previous, root)?;
        let evidence = evidence.unwrap_or(&gains);
        Ok(root_data(&inputs, &previous, &Trust { root, evidence })?.0["w"].data.clone())
    }

    fn apply(updates: &[&[f32]]) -> Vec<f32> {
        run(updates, None, &loss).unwrap()
    }

    const HONEST: [&[f32]; 7] =
        [&[0.5, 0.4], &[0.4, 0.5], &[0.5, 0.45], &[0.45, 0.5], &[0.4, 0.4], &[0.5, 0.5], &[0.45, 0.45]];

    #[test]
    fn updates_that_spoil_the_model_are_left_out() {
        let clean = apply(&HONEST);
        for bad in [-50.0_f32, -0.45] {
            let attacked = apply(&[&HONEST[..], &[&[bad, bad][..]; 3]].concat());
            assert!(attacked.iter().zip(&clean).all(|(a, b)| (a - b).abs() < 0.1), "{attacked:?} {clean:?}");
        }
    }

    #[test]
    fn the_model_moves_as_far_as_the_root_rows_say() {
        // About twice the updates, where a plain mean stays half way.
        let moved = apply(&HONEST);
        assert!(moved.iter().all(|value| (0.7..1.2).contains(value)), "{moved:?}");
        // At most 64 times.
        assert_eq!(apply(&[&[0.0078125, 0.0078125], &[0.0078125, 0.0078125]]), [0.5, 0.5]);
    }

    #[test]
    fn the_model_stays_where_every_way_is_worse() {
        assert_eq!(apply(&[&[-1.0, -0.5], &[-0.5, -1.0], &[0.0, -1.0]]), [0.0, 0.0]);
    }

    #[test]
    fn nobody_pulls_further_than_most() {
        // The fourth is the most useful by far, and the third coordinate is where it really goes.
        let pulled = apply(&[&[0.5, 0.0, 0.0], &[0.0, 0.5, 0.0], &[0.35, 0.35, 0.0], &[50.0, 50.0, 70.0]]);
        assert!(pulled[2] < 0.3, "{pulled:?}");
    }

    #[test]
    fn what_only_hostile_seats_want_does_not_happen() {
        // Three of ten with a hidden aim that are as useful as the best, alone and in place of three honest seats that are left out.
        let aim: &[f32] = &[0.4, 0.4, 0.3];
        let updates: Vec<&[f32]> = HONEST.into_iter().map(|_| &[0.4_f32, 0.4, 0.0][..]).chain([aim; 3]).collect();
        for evidence in [[1.0; 10], [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]] {
            let moved = run(&updates, Some(&evidence), &loss).unwrap();
            assert!(moved[0] > 0.5 && moved[2].to_bits() == 0, "{moved:?}");
        }
    }

    #[test]
    fn at_most_three_of_ten_are_left_out_and_only_with_a_reason() {
        let same = model(&[1.0]);
        let inputs = [Weighted { model: &same, weight: 1 }; 10];
        let models = Models::new(&inputs).unwrap();
        assert_eq!(keep(&models, &[0.1; 10]).len(), 10);
        let evidence = [0.1, -0.1, 0.1, 0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1];
        assert_eq!(keep(&models, &evidence), [0, 2, 3, 5, 6, 7, 8, 9]);
        let evidence = [-0.1, -0.2, -0.3, -0.4, -0.5, 0.1, -0.6, -0.7, -0.8, -0.9];
        assert_eq!(keep(&models, &evidence), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn no_step_is_longer_than_half_of_the_honest_seats_would_make() {
        for updates in 1..=40 {
            for kept in updates - hostile(updates)..=updates {
                let honest = kept - hostile(updates);
                // Honest seats want 1 to `honest`, all others as much as they can.
                let stay = (1..=kept).map(|want| if want <= honest { want } else { usize::MAX });
                let mut wanted: Vec<usize> = stay.chain(std::iter::repeat_n(0, still(updates, kept))).collect();
                wanted.sort_unstable();
                assert_eq!(wanted.len() % 2, 1, "the median of {updates} updates is one value");
                assert_eq!(wanted[wanted.len() / 2], honest.div_ceil(2), "{kept} of {updates} updates");
            }
        }
    }

    #[test]
    fn order_does_not_matter() {
        let updates: [&[f32]; 5] = [&[0.5, 0.1], &[0.1, 0.5], &[0.5, 0.1], &[-3.0, 0.2], &[0.3, 0.3]];
        let evidence = [0.3, 0.2, -0.1, 0.0, 0.1];
        let result = run(&updates, Some(&evidence), &loss).unwrap();
        for turn in 1..5 {
            let (mut updates, mut evidence) = (updates, evidence);
            updates.rotate_left(turn);
            evidence.rotate_left(turn);
            assert_eq!(run(&updates, Some(&evidence), &loss).unwrap(), result);
        }
    }

    #[test]
    fn gains_are_bounded_by_the_loss() {
        let models = [model(&[1.0, 1.0]), model(&[-1e6, 0.0]), model(&[0.0, 0.0])];
        let inputs: Vec<Weighted<'_>> = models.iter().map(|model| Weighted { model, weight: 1 }).collect();
        let start = model(&[0.0, 0.0]);
        let found = gains(&inputs, &start, &loss).unwrap();
        // The second is cut to the length of the first.
        assert!((found[0] - 2.0).abs() < 1e-6 && found[1] >= -2.0 && found[2].abs() < 1e-12, "{found:?}");
        let nowhere = |_: &Tensors| Ok(f64::INFINITY);
        assert_eq!(gains(&inputs, &start, &nowhere).unwrap(), [0.0; 3]);
        let one_way = |model: &Tensors| Ok(if model.0["w"].data[0] < 0.0 { f64::INFINITY } else { 1.0 });
        assert_eq!(gains(&inputs, &start, &one_way).unwrap(), [0.0, -1.0, 0.0]);
    }

    #[test]
    fn errors_of_the_root_rows_are_passed_on() {
        let failing = |_: &Tensors| Err(Error::Aggregate("no rows".into()));
        assert!(run(&HONEST, None, &failing).is_err());
        assert!(run(&HONEST, None, &|_: &Tensors| Ok(f64::NAN)).is_err());
        assert!(run(&HONEST, Some(&[1.0]), &loss).is_err());
        let only = model(&[1.0, 1.0]);
        let inputs = [Weighted { model: &only, weight: 1 }];
        assert!(root_data(&inputs, &Tensors::default(), &Trust { root: &loss, evidence: &[0.0] }).is_err());
        assert!(gains(&inputs, &Tensors::default(), &loss).is_err());
    }
}
