//! How rows become a training part, a holdout and one shard per seat. Deterministic from the seed; every row goes to exactly
//! one place.

use std::collections::BTreeMap;

use parity_protocol::spec::Partition;

use crate::{
    Error, Result,
    random::{Purpose, Stream},
    table::Labels,
};

/// Groups of similar value that stand in for classes when a numeric label is stratified.
const BINS: usize = 10;

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
    let mut groups = strata(labels);
    let kept = usize::from(matches!(labels, Labels::Classes(_)));
    for (group, rows) in groups.iter_mut().enumerate() {
        stream(Purpose::Holdout, seed, group).shuffle(rows);
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

/// Deals rows to seats; sizes differ by at most one row. Returns the row indices of every seat.
///
/// # Errors
/// [`Error::Split`] without seats or with more seats than rows.
pub fn partition(labels: &Labels, partition: Partition, seats: usize, seed: u64) -> Result<Vec<Vec<usize>>> {
    let total = labels.len();
    if seats == 0 {
        return Err(Error::Split("0 seats; at least 1 is needed".into()));
    }
    if seats > total {
        return Err(Error::Split(format!("{seats} seats, but only {total} training rows; use at most {total} seats")));
    }
    Ok(match partition {
        Partition::Sequential => even(&(0..total).collect::<Vec<_>>(), seats),
        Partition::Iid => {
            let mut rows: Vec<usize> = (0..total).collect();
            stream(Purpose::Partition, seed, 0).shuffle(&mut rows);
            even(&rows, seats)
        }
        Partition::Stratified => {
            // Round robin through the groups one after the other, never starting anew, keeps both the shares of every
            // group and the sizes within one row.
            let mut shards = vec![Vec::with_capacity(total / seats + 1); seats];
            let mut seat = 0;
            for (group, mut rows) in strata(labels).into_iter().enumerate() {
                stream(Purpose::Partition, seed, group).shuffle(&mut rows);
                for row in rows {
                    shards[seat].push(row);
                    seat = (seat + 1) % seats;
                }
            }
            shards
        }
    })
}

/// Row indices by class, classes ascending; numeric labels by value in groups of nearly equal size.
fn strata(labels: &Labels) -> Vec<Vec<usize>> {
    match labels {
        Labels::Classes(classes) => {
            let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            for (row, class) in classes.iter().enumerate() {
                groups.entry(*class).or_default().push(row);
            }
            groups.into_values().collect()
        }
        Labels::Numbers(numbers) => {
            let mut rows: Vec<usize> = (0..numbers.len()).collect();
            rows.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]).then(a.cmp(b)));
            let mut groups = even(&rows, BINS.min(rows.len()).max(1));
            groups.iter_mut().for_each(|group| group.sort_unstable());
            groups
        }
    }
}

/// Consecutive parts; the first ones have one more where it does not come out even.
fn even(rows: &[usize], parts: usize) -> Vec<Vec<usize>> {
    let (size, longer) = (rows.len() / parts, rows.len() % parts);
    let mut rest = rows;
    (0..parts)
        .map(|part| {
            let (head, tail) = rest.split_at(size + usize::from(part < longer));
            rest = tail;
            head.to_vec()
        })
        .collect()
}

fn stream(purpose: Purpose, seed: u64, group: usize) -> Stream {
    Stream::new(purpose, seed, u64::try_from(group).expect("an index fits 64 bits"), 0)
}

/// `floor(rows * wanted / total)`, this many rows staying behind.
fn whole(rows: usize, wanted: usize, total: usize, kept: usize) -> usize {
    (rows * wanted / total.max(1)).min(rows.saturating_sub(kept))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "row counts are far below 2^53 and the share is in 0..1"
)]
fn portion(rows: usize, share: f64) -> usize {
    (rows as f64 * share).round() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_labels() -> impl Strategy<Value = Labels> {
        prop_oneof![
            prop::collection::vec(0_i64..5, 1..300).prop_map(Labels::Classes),
            prop::collection::vec(-1e3_f32..1e3, 1..300).prop_map(Labels::Numbers),
        ]
    }

    fn any_partition() -> impl Strategy<Value = Partition> {
        prop_oneof![Just(Partition::Iid), Just(Partition::Sequential), Just(Partition::Stratified)]
    }

    fn share_of(labels: &Labels, rows: &[usize], class: i64) -> usize {
        let Labels::Classes(classes) = labels else { panic!("classes expected") };
        rows.iter().filter(|row| classes[**row] == class).count()
    }

    proptest! {
        #[test]
        fn every_row_goes_to_exactly_one_seat(labels in any_labels(), how in any_partition(), seats in 1_usize..20, seed: u64) {
            prop_assume!(seats <= labels.len());
            let shards = partition(&labels, how, seats, seed).unwrap();
            prop_assert_eq!(shards.len(), seats);
            let (small, large) = (shards.iter().map(Vec::len).min().unwrap(), shards.iter().map(Vec::len).max().unwrap());
            prop_assert!(large - small <= 1 && small >= 1);
            let mut all = shards.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            prop_assert_eq!(partition(&labels, how, seats, seed).unwrap(), shards);
        }

        #[test]
        fn holdout_and_training_rows_are_disjoint_and_complete(labels in any_labels(), share in 0.05_f64..0.95, seed: u64) {
            let Ok((train, holdout)) = split_holdout(&labels, share, seed) else { return Ok(()) };
            prop_assert!(!train.is_empty());
            let mut all = [train, holdout].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        }

        #[test]
        fn stratified_shares_of_a_class_differ_by_at_most_one_row(classes in prop::collection::vec(0_i64..4, 20..300), seats in 1_usize..8, seed: u64) {
            let labels = Labels::Classes(classes);
            let shards = partition(&labels, Partition::Stratified, seats, seed).unwrap();
            for class in 0..4 {
                let counts: Vec<usize> = shards.iter().map(|rows| share_of(&labels, rows, class)).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
            }
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
    fn impossible_splits_say_what_would_work() {
        let labels = Labels::Numbers(vec![1.0, 2.0, 3.0]);
        let message = partition(&labels, Partition::Iid, 4, 0).unwrap_err().to_string();
        assert!(message.contains("use at most 3 seats"), "{message}");
        assert!(partition(&labels, Partition::Iid, 0, 0).is_err());
        assert!(split_holdout(&labels, 0.1, 0).is_err());
        assert!(split_holdout(&labels, 1.0, 0).is_err());
        assert!(split_holdout(&labels, f64::NAN, 0).is_err());
    }
}
