//! Which updates count: not those of seats that did no work of their own.
//!
//! An update does not count when it
//! - stands still: its length is at most [`STILL`] of the median length of the round, for a seat with fewer rows than the median
//!   in proportion less;
//! - copies: it is nearer to one posted earlier than [`NEAR`] of the longer of the two;
//! - is noise: its direction has nothing in common with any other's. In `P` dimensions, `P cos^2` of a random direction with
//!   another one has mean 1 and variance 2, so the sum over `m` others stays below `m + 5 sqrt(2 m)`. Tested from [`ROOMY`]
//!   parameters on, where honest updates are far above; if all updates fail there is nothing to tell them apart by, and all count.
//!
//! What this does not stop: a seat that adds more noise than [`NEAR`] to a copy, or that repeats the direction of earlier rounds.
//! Sealed updates (privacy level `low`) cannot be copied in the first place.

use rayon::prelude::*;

use super::work::wide;
use crate::{
    aggregate::{self, distance},
    tensors::Tensors,
};

/// Largest length of an update that stands still, as a share of the median length. Noise of 1e-3 on the weights of a logistic
/// regression is 1/140 to 1/400 of an honest round on the digits and breast-cancer data.
const STILL: f64 = 0.02;
/// Largest distance of a copy, as a share of the longer update. Between honest seats with rows of their own it is 0.4 and more
/// on the same data, and falls with the square root of the rows.
const NEAR: f64 = 0.05;
/// Fewest parameters for the test for noise. Below, honest seats with few classes in common fail it: with the 62 of a logistic
/// regression on breast cancer one did, with 650 the lowest sum was 49, where 30 is asked for.
const ROOMY: usize = 256;
/// Standard deviations that the sum of squared cosines must be above its mean. Of 1,000 random directions two would be.
const DEVIATIONS: f64 = 5.0;
/// Coordinates between two looks whether a copy can still be one.
const CHUNK: usize = 4096;

/// An accepted update.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved<'a> {
    /// Its model.
    pub(crate) weights: &'a Tensors,
    /// Rows that count.
    pub(crate) samples: u64,
    /// How many updates of the round were posted before it.
    pub(crate) posted: u32,
}

/// Says of every update whether it counts.
pub(crate) fn counted(previous: &Tensors, moves: &[Moved<'_>]) -> Vec<bool> {
    let lengths: Vec<f64> = moves.par_iter().map(|moved| distance(previous, moved.weights)).collect();
    let mut counted = moving(moves, &lengths);
    let mut order: Vec<usize> = (0..moves.len()).filter(|place| counted[*place]).collect();
    order.sort_by_key(|place| (moves[*place].posted, *place));
    let mut originals: Vec<usize> = Vec::new();
    for place in order {
        let copies = |earlier: &usize| {
            let near = NEAR * lengths[place].max(lengths[*earlier]);
            is_within(moves[place].weights, moves[*earlier].weights, near)
        };
        counted[place] = !originals.par_iter().any(copies);
        if counted[place] {
            originals.push(place);
        }
    }
    originals.sort_unstable();
    for place in noise(previous, moves, &lengths, &originals) {
        counted[place] = false;
    }
    counted
}

/// Says of every item whether it is the first one of its value by this order of posting.
pub(crate) fn first_of_equals<T: PartialEq>(items: &[(u32, T)]) -> Vec<bool> {
    let is_first = |(place, (posted, item)): (usize, &(u32, T))| {
        !items.iter().enumerate().any(|(other, (before, same))| (*before, other) < (*posted, place) && same == item)
    };
    items.iter().enumerate().map(is_first).collect()
}

fn moving(moves: &[Moved<'_>], lengths: &[f64]) -> Vec<bool> {
    let rows: Vec<f64> = moves.iter().map(|moved| float(moved.samples)).collect();
    let (length, usual) = (median(lengths), median(&rows));
    let moves = |(own, rows): (&f64, &f64)| *own > 0.0 && *own > STILL * length * (rows / usual).min(1.0);
    lengths.iter().zip(&rows).map(moves).collect()
}

/// The lower of the middle two; 1 of none, which nobody looks at.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(1.0)
}

/// Whether two models are no further apart than `most`.
fn is_within(left: &Tensors, right: &Tensors, most: f64) -> bool {
    let mut squares = 0.0;
    for (left, right) in left.0.values().zip(right.0.values()) {
        for (left, right) in left.data.chunks(CHUNK).zip(right.data.chunks(CHUNK)) {
            let differences = left.iter().zip(right).map(|(l, r)| f64::from(*l) - f64::from(*r));
            squares += differences.map(|difference| difference * difference).sum::<f64>();
            if squares > most * most {
                return false;
            }
        }
    }
    true
}

/// Those of `places` whose direction has nothing in common with the others', unless that is so of all.
fn noise(previous: &Tensors, moves: &[Moved<'_>], lengths: &[f64], places: &[usize]) -> Vec<usize> {
    let parameters = previous.values();
    if parameters < ROOMY || places.len() < 2 {
        return Vec::new();
    }
    let (parameters, others) = (float(wide(parameters)), float(wide(places.len() - 1)));
    let most = others + DEVIATIONS * (2.0 * others).sqrt();
    let is_noise = |place: &usize| {
        let mut sum = 0.0;
        for other in places.iter().filter(|other| *other != place) {
            let (left, right) = (moves[*place].weights, moves[*other].weights);
            let along = aggregate::fold(previous, left, right, |base, left, right| (left - base) * (right - base));
            let cosine = along / (lengths[*place] * lengths[*other]);
            sum += parameters * cosine * cosine;
            if sum > most {
                return false;
            }
        }
        true
    };
    let noise: Vec<usize> = places.par_iter().copied().filter(|place| is_noise(place)).collect();
    if noise.len() == places.len() { Vec::new() } else { noise }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows and parameters, far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Purpose, Stream},
        tensors::Tensor,
    };

    fn model(values: Vec<f32>) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![values.len()], data: values })].into())
    }

    fn random(seed: u64, size: f32, length: usize) -> Vec<f32> {
        let mut stream = Stream::new(Purpose::Noise, seed, 0, 0);
        (0..length).map(|_| size * (stream.unit() - 0.5)).collect()
    }

    /// A common direction and a random one of its own, as long.
    fn honest(seed: u64, length: usize) -> Vec<f32> {
        let both = random(0, 1.0, length).into_iter().zip(random(seed, 1.0, length));
        both.map(|(common, own)| common + own).collect()
    }

    fn of(updates: &[Vec<f32>], samples: &[u64], posted: &[u32]) -> Vec<bool> {
        let models: Vec<Tensors> = updates.iter().cloned().map(model).collect();
        let moves: Vec<Moved<'_>> = (models.iter().zip(samples).zip(posted))
            .map(|((weights, samples), posted)| Moved { weights, samples: *samples, posted: *posted })
            .collect();
        counted(&model(vec![0.0; updates[0].len()]), &moves)
    }

    #[test]
    fn honest_updates_count() {
        assert_eq!(of(&[honest(1, 1000), honest(2, 1000), honest(3, 1000)], &[5; 3], &[0, 1, 2]), [true; 3]);
        assert_eq!(of(&[honest(1, 10)], &[5], &[0]), [true]);
        assert!(of(&[vec![1.0]], &[5], &[0])[0]);
    }

    #[test]
    fn who_stands_still_does_not_count() {
        let almost = random(9, 0.02, 1000);
        let updates = [honest(1, 1000), vec![0.0; 1000], almost, honest(2, 1000), honest(3, 1000)];
        assert_eq!(of(&updates, &[5; 5], &[0, 1, 2, 3, 4]), [true, false, false, true, true]);
        // A hundredth of the rows may move a hundredth as far.
        let little: Vec<f32> = honest(4, 1000).iter().map(|value| value * 0.01).collect();
        let updates = [honest(1, 1000), honest(2, 1000), honest(3, 1000), little];
        assert_eq!(of(&updates, &[500, 500, 500, 5], &[0, 1, 2, 3]), [true; 4]);
        assert_eq!(of(&updates, &[500; 4], &[0, 1, 2, 3]), [true, true, true, false]);
    }

    #[test]
    fn of_an_update_and_its_copies_the_earliest_counts() {
        let near: Vec<f32> = honest(1, 1000).iter().zip(random(9, 0.01, 1000)).map(|(a, b)| a + b).collect();
        let updates = [near, honest(1, 1000), honest(2, 1000), honest(1, 1000)];
        assert_eq!(of(&updates, &[5; 4], &[2, 1, 0, 3]), [false, true, true, false]);
        assert_eq!(of(&updates, &[5; 4], &[0, 1, 2, 3]), [true, false, true, false]);
    }

    #[test]
    fn noise_of_honest_length_does_not_count_where_others_have_a_direction() {
        let updates = [honest(1, 1000), random(9, 1.4, 1000), honest(2, 1000), honest(3, 1000)];
        assert_eq!(of(&updates, &[5; 4], &[0, 1, 2, 3]), [true, false, true, true]);
        // With nobody to compare to, held-out rows must decide.
        assert_eq!(of(&[honest(1, 1000), random(9, 1.4, 1000)], &[5; 2], &[0, 1]), [true; 2]);
    }

    #[test]
    fn of_equal_files_the_earliest_is_the_first() {
        assert_eq!(first_of_equals(&[(3, "a"), (1, "b"), (0, "a"), (2, "a")]), [false, true, true, false]);
    }
}
