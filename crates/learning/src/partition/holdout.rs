//! The holdout: rows that no seat sees and that models are judged by.

use super::{groups::groups, shares::portion};
use crate::{
    Error, Result,
    random::{Purpose, Stream},
    table::Labels,
};

/// Splits rows into a training part and a holdout that has the same share of every class (of every tenth of the range of
/// values, where the label is a number). Both are in file order. A class keeps at least one training row.
///
/// # Errors
/// [`Error::Split`] when `share` is not in 0..1 or leaves one part without rows.
pub fn split_holdout(labels: &Labels, share: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(0.0..1.0).contains(&share) {
        return Err(Error::Split(format!("a holdout share of {share} is not in 0 (none) to below 1")));
    }
    let total = labels.len();
    let wanted = portion(total, share);
    if share > 0.0 && (wanted == 0 || wanted >= total) {
        return Err(Error::Split(format!(
            "a holdout of {share} of {total} rows leaves one part empty; use more rows or another share"
        )));
    }
    let mut groups = groups(labels);
    let kept = usize::from(matches!(labels, Labels::Classes(_)));
    for (group, rows) in (0..).zip(&mut groups) {
        Stream::new(Purpose::Holdout, seed, group, 0).shuffle(rows);
    }
    // Largest remainders: whole parts first, then the groups that lost most by rounding down.
    let mut quota: Vec<usize> = groups.iter().map(|rows| whole(rows.len(), wanted, total, kept)).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&group| (std::cmp::Reverse((groups[group].len() * wanted) % total.max(1)), group));
    let mut missing = wanted - quota.iter().sum::<usize>();
    while missing > 0 {
        let before = missing;
        for &group in &order {
            if missing > 0 && quota[group] + kept < groups[group].len() {
                quota[group] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    if share > 0.0 && quota.iter().all(|rows| *rows == 0) {
        return Err(Error::Split("every class has a single row, so none can go to the holdout; use more rows".into()));
    }
    let (mut train, mut holdout) = (Vec::new(), Vec::new());
    for (rows, quota) in groups.into_iter().zip(quota) {
        holdout.extend_from_slice(&rows[..quota]);
        train.extend_from_slice(&rows[quota..]);
    }
    train.sort_unstable();
    holdout.sort_unstable();
    Ok((train, holdout))
}

/// `floor(rows * wanted / total)`, this many rows staying behind.
fn whole(rows: usize, wanted: usize, total: usize, kept: usize) -> usize {
    (rows * wanted / total.max(1)).min(rows.saturating_sub(kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{any_labels, share_of},
        *,
    };

    proptest! {
        #[test]
        fn holdout_and_training_rows_are_disjoint_and_complete(labels in any_labels(), share in 0.05_f64..0.95, seed: u64) {
            let Ok((train, holdout)) = split_holdout(&labels, share, seed) else { return Ok(()) };
            prop_assert!(!train.is_empty());
            let mut all = [train, holdout].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_holdout_has_the_class_shares_of_the_whole() {
        let labels = Labels::Classes((0..100).map(|row| i64::from(row % 10 == 0)).collect());
        let (train, holdout) = split_holdout(&labels, 0.2, 3).unwrap();
        assert_eq!((train.len(), holdout.len()), (80, 20));
        assert_eq!((share_of(&labels, &train, 1), share_of(&labels, &holdout, 1)), (8, 2));
        assert_ne!(split_holdout(&labels, 0.2, 4).unwrap().1, holdout);
    }

    #[test]
    fn a_class_with_one_row_stays_in_training() {
        let labels = Labels::Classes([vec![0; 20], vec![1]].concat());
        let (train, holdout) = split_holdout(&labels, 0.5, 0).unwrap();
        assert!(train.contains(&20));
        assert_eq!(holdout.len(), 11);
    }

    #[test]
    fn a_share_of_zero_gives_no_holdout() {
        let (train, holdout) = split_holdout(&Labels::Classes(vec![0, 1]), 0.0, 0).unwrap();
        assert_eq!((train, holdout), (vec![0, 1], vec![]));
    }

    #[test]
    fn impossible_shares_are_refused() {
        let labels = Labels::Numbers(vec![1.0, 2.0, 3.0]);
        for share in [0.1, 1.0, f64::NAN] {
            assert!(split_holdout(&labels, share, 0).is_err());
        }
    }
}
