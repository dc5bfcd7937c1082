//! How well scores tell rows of a class from the others: the area under the receiver operating characteristic.

use std::cmp::Ordering;

use super::count;

/// Share of the pairs of a row of the class and one of the others in which the first has the larger score; equal scores count
/// one half (Mann and Whitney 1947: midranks). Absent where one side has no row. Up to 2^52 pairs are counted exactly.
pub(super) fn area_under_roc(scores: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (score, is_of_class) in scores {
        // -0 and 0 are one score.
        if is_of_class { inside.push(score + 0.0) } else { outside.push(score + 0.0) }
    }
    inside.sort_unstable_by(f64::total_cmp);
    outside.sort_unstable_by(f64::total_cmp);
    let (mut below, mut equal_end, mut halves) = (0, 0, 0.0);
    for score in &inside {
        while outside.get(below).is_some_and(|other| other.total_cmp(score) == Ordering::Less) {
            below += 1;
        }
        equal_end = equal_end.max(below);
        while outside.get(equal_end).is_some_and(|other| other.total_cmp(score) == Ordering::Equal) {
            equal_end += 1;
        }
        halves += count(below + equal_end);
    }
    let pairs = count(inside.len()) * count(outside.len());
    (pairs > 0.0).then(|| halves / (2.0 * pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(inside: &[f64], outside: &[f64]) -> Option<f64> {
        let side = |scores: &[f64], of_class| scores.iter().map(|score| (*score, of_class)).collect::<Vec<_>>();
        area_under_roc([side(inside, true), side(outside, false)].concat().into_iter())
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        assert_eq!(area(&[0.8, 0.35], &[0.1, 0.4]), Some(0.75));
        assert_eq!(area(&[2.0, 3.0], &[1.0]), Some(1.0));
        assert_eq!(area(&[0.0], &[1.0, 2.0]), Some(0.0));
    }

    #[test]
    fn equal_scores_share_their_ranks() {
        assert_eq!(area(&[1.0, 1.0], &[1.0, 0.0, 2.0]), Some(0.5));
        assert_eq!(area(&[0.0], &[-0.0]), Some(0.5));
    }

    #[test]
    fn one_side_alone_has_no_area() {
        assert_eq!((area(&[1.0], &[]), area(&[], &[1.0])), (None, None));
    }
}
