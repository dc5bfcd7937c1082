//! What every partition keeps, whatever the data, the seats and the seed.

use proptest::prelude::*;

use super::*;

pub(super) fn any_labels() -> impl Strategy<Value = Labels> {
    prop_oneof![
        prop::collection::vec(0_i64..5, 1..300).prop_map(Labels::Classes),
        prop::collection::vec(-1e3_f32..1e3, 1..300).prop_map(Labels::Numbers),
    ]
}

pub(super) fn share_of(labels: &Labels, rows: &[usize], class: i64) -> usize {
    let Labels::Classes(classes) = labels else { panic!("classes expected") };
    rows.iter().filter(|row| classes[**row] == class).count()
}

fn any_even() -> impl Strategy<Value = Partition> {
    prop_oneof![Just(Partition::Iid), Just(Partition::Sequential), Just(Partition::Stratified)]
}

fn any_partition() -> impl Strategy<Value = Partition> {
    prop_oneof![
        any_even(),
        (0.01_f64..100.0).prop_map(|alpha| Partition::Dirichlet { alpha }),
        (0.01_f64..100.0).prop_map(|beta| Partition::QuantitySkew { beta }),
        (1_u32..6).prop_map(|classes| Partition::LabelSkew { classes }),
    ]
}

fn sizes(shards: &[Shard]) -> Vec<usize> {
    shards.iter().map(|shard| shard.own.len()).collect()
}

/// `classes` classes with `rows` rows each.
fn balanced(classes: i64, rows: usize) -> Labels {
    Labels::Classes((0..classes).flat_map(|class| vec![class; rows]).collect())
}

proptest! {
    #[test]
    fn every_row_goes_to_exactly_one_seat(labels in any_labels(), how in any_partition(), seats in 1_usize..20, least in 1_usize..20, seed: u64) {
        let dealing = Dealing { min_samples: least, ..Dealing::disjoint(how, seats, seed) };
        let possible = seats * least <= labels.len();
        let shards = match deal(&labels, &dealing) {
            Ok(shards) => shards,
            Err(_) if !possible || matches!(how, Partition::LabelSkew { .. }) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(shards.len(), seats);
        prop_assert!(sizes(&shards).iter().all(|size| *size >= least), "{:?}", sizes(&shards));
        let mut all: Vec<usize> = shards.iter().flat_map(Shard::rows).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        prop_assert_eq!(deal(&labels, &dealing).unwrap(), shards);
    }

    #[test]
    fn even_partitions_differ_by_at_most_one_row(labels in any_labels(), how in any_even(), seats in 1_usize..20, seed: u64) {
        prop_assume!(seats <= labels.len());
        let shards = partition(&labels, how, seats, seed).unwrap();
        let (small, large) = (shards.iter().map(Vec::len).min().unwrap(), shards.iter().map(Vec::len).max().unwrap());
        prop_assert!(large - small <= 1 && small >= 1);
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

    #[test]
    fn an_overlap_is_exactly_what_was_asked(labels in any_labels(), how in any_partition(), seats in 1_usize..12, thousandths in 0_u16..=1000, seed: u64) {
        let ratio = f64::from(thousandths) / 1000.0;
        let plain = Dealing::disjoint(how, seats, seed);
        let Ok(disjoint) = deal(&labels, &plain) else { return Ok(()) };
        let asked = |own: usize| own * usize::from(thousandths) / 1000;
        let possible = disjoint.iter().all(|shard| asked(shard.own.len()) <= labels.len() - shard.own.len());
        let result = deal(&labels, &Dealing { overlap_ratio: ratio, ..plain });
        prop_assert_eq!(result.is_ok(), possible);
        let Ok(shards) = result else { return Ok(()) };
        for (shard, alone) in shards.iter().zip(&disjoint) {
            prop_assert_eq!(&shard.own, &alone.own);
            prop_assert_eq!(shard.borrowed.len(), asked(shard.own.len()));
            prop_assert!(shard.borrowed.is_sorted_by(|a, b| a < b));
            prop_assert!(shard.borrowed.iter().all(|row| *row < labels.len() && !shard.own.contains(row)));
        }
    }

    #[test]
    fn label_skew_gives_every_seat_exactly_so_many_classes(
        rows in prop::collection::vec(1_usize..40, 1..12), classes in 1_u32..12, seats in 1_usize..20, seed: u64,
    ) {
        let labels = Labels::Classes((0..).zip(&rows).flat_map(|(class, rows)| vec![class; *rows]).collect());
        let wanted = usize::try_from(classes).unwrap();
        let places: usize = rows.iter().map(|rows| *rows.min(&seats)).sum();
        let possible = wanted <= rows.len() && (rows.len()..=places).contains(&(seats * wanted));
        let result = partition(&labels, Partition::LabelSkew { classes }, seats, seed);
        if seats > labels.len() || !possible {
            prop_assert!(result.is_err());
            return Ok(());
        }
        let shards = result.unwrap();
        let held = |shard: &Vec<usize>| (0..).zip(&rows).filter(|(class, _)| share_of(&labels, shard, *class) > 0).count();
        prop_assert!(shards.iter().all(|shard| held(shard) == wanted));
        for class in (0..).zip(&rows).map(|(class, _)| class) {
            let counts: Vec<usize> = shards.iter().map(|shard| share_of(&labels, shard, class)).filter(|n| *n > 0).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
        }
    }
}

#[test]
fn class_shares_of_seats_have_the_variance_of_alpha() {
    // Shares of a class are Dir(alpha): mean 1/n, variance (1/n)(1 - 1/n) / (n alpha + 1); 200 seeds x 10 classes x 5 seats.
    // The shares are rounded to 1/2000, and no draw is repeated at this size and alpha for want of a row.
    for alpha in [0.5, 5.0] {
        let labels = balanced(10, 2_000);
        let mut squares = Vec::new();
        for seed in 0..200 {
            for rows in partition(&labels, Partition::Dirichlet { alpha }, 5, seed).unwrap() {
                for class in 0..10 {
                    let share = f64::from(u32::try_from(share_of(&labels, &rows, class)).unwrap()) / 2_000.0;
                    squares.push((share - 0.2).powi(2));
                }
            }
        }
        let count = f64::from(u32::try_from(squares.len()).unwrap());
        let variance = squares.iter().sum::<f64>() / count;
        let expected = 0.2 * 0.8 / (5.0 * alpha + 1.0);
        assert!((variance / expected - 1.0).abs() < 0.06, "alpha {alpha}: variance {variance}, expected {expected}");
    }
}

#[test]
fn sizes_of_seats_have_the_variance_of_beta() {
    let labels = balanced(2, 5_000);
    for beta in [0.5, 5.0] {
        let shards = (0..2_000).map(|seed| partition(&labels, Partition::QuantitySkew { beta }, 5, seed).unwrap());
        let square = |rows: Vec<usize>| (f64::from(u32::try_from(rows.len()).unwrap()) / 10_000.0 - 0.2).powi(2);
        let variance = shards.flatten().map(square).sum::<f64>() / 10_000.0;
        let expected = 0.2 * 0.8 / (5.0 * beta + 1.0);
        assert!((variance / expected - 1.0).abs() < 0.06, "beta {beta}: variance {variance}, expected {expected}");
    }
}

#[test]
fn quantity_skew_mixes_the_classes() {
    let labels = balanced(2, 5_000);
    let shards = partition(&labels, Partition::QuantitySkew { beta: 1.0 }, 3, 1).unwrap();
    for rows in shards {
        // Hypergeometric: below the binomial's standard deviation, sqrt(n) / 2.
        let (n, ones) = (f64::from(u32::try_from(rows.len()).unwrap()), share_of(&labels, &rows, 1));
        assert!((f64::from(u32::try_from(ones).unwrap()) - n / 2.0).abs() < 2.0 * n.sqrt());
    }
}

#[test]
fn numbers_are_skewed_by_tenths_of_the_rows() {
    let labels = Labels::Numbers((0..200_u8).map(f32::from).collect());
    let shards = partition(&labels, Partition::LabelSkew { classes: 2 }, 5, 0).unwrap();
    for rows in shards {
        let mut tenths: Vec<usize> = rows.iter().map(|row| row / 20).collect();
        tenths.dedup();
        assert_eq!((tenths.len(), rows.len()), (2, 40));
    }
}

#[test]
fn another_seed_gives_another_deal() {
    let labels = balanced(10, 50);
    for how in ["iid", "stratified", "dirichlet:0.5", "label-skew:2", "quantity-skew:0.5"] {
        let how: Partition = how.parse().unwrap();
        assert_ne!(partition(&labels, how, 10, 0).unwrap(), partition(&labels, how, 10, 1).unwrap(), "{how}");
    }
}

#[test]
fn what_cannot_be_dealt_says_what_would_work() {
    let numbers = Labels::Numbers(vec![1.0, 2.0, 3.0]);
    let classes = balanced(3, 10);
    let tiny = Labels::Classes([vec![0; 50], vec![1, 2]].concat());
    let plain = |how: &str, seats| Dealing::disjoint(how.parse().unwrap(), seats, 0);
    let minimum = |how, seats, min_samples| Dealing { min_samples, ..plain(how, seats) };
    let overlap = |how, seats, overlap_ratio| Dealing { overlap_ratio, ..plain(how, seats) };
    for (labels, dealing, words) in [
        (&numbers, plain("iid", 4), "use at most 3 seats"),
        (&numbers, plain("iid", 0), "at least 1 is needed"),
        (&classes, minimum("iid", 3, 0), "a minimum of 0 rows per seat"),
        (&classes, minimum("dirichlet:0.5", 4, 8), "use a minimum of at most 7, or at most 3 seats"),
        (&classes, minimum("iid", 2, 31), "use a minimum of at most 15"),
        (&classes, plain("label-skew:4", 3), "the training rows have 3 classes; use label-skew:3"),
        (&classes, plain("label-skew:1", 2), "2 places for 3 classes"),
        (&classes, plain("label-skew:1", 2), "use label-skew:2 or 3 seats"),
        (&tiny, plain("label-skew:3", 4), "fill no more than 6; use label-skew:1 or 1 seat or another partition"),
        (&tiny, minimum("label-skew:1", 3, 2), "use a minimum of at most 1"),
        (&classes, overlap("iid", 1, 0.5), "15 rows of other seats for the 30 rows of seat 0, but there are 0"),
        (&classes, overlap("iid", 2, 1.5), "an overlap of 1.5 is not in 0 (none) to 1"),
        (&classes, overlap("iid", 2, f64::NAN), "an overlap of NaN"),
        (&classes, Dealing::disjoint(Partition::Dirichlet { alpha: -1.0 }, 2, 0), "data.partition.alpha is -1"),
    ] {
        let message = deal(labels, &dealing).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}
