//! Closed forms, and what holds for every rule: order, threads and a shift of all models do not matter.

use proptest::prelude::*;

use super::*;
use crate::tensors::{Tensor, Tensors};

fn model(values: &[f32]) -> Tensors {
    let half = values.len() / 2;
    let tensor = |data: &[f32]| Tensor { shape: vec![data.len()], data: data.to_vec() };
    Tensors([("a".to_owned(), tensor(&values[..half])), ("b".to_owned(), tensor(&values[half..]))].into())
}

fn values(tensors: &Tensors) -> Vec<f32> {
    tensors.0.values().flat_map(|tensor| tensor.data.clone()).collect()
}

fn equal<'a>(models: &'a [Tensors]) -> Vec<Weighted<'a>> {
    models.iter().map(|model| Weighted { model, weight: 1 }).collect()
}

fn columns(columns: &[&[f32]]) -> Vec<Tensors> {
    (0..columns[0].len()).map(|row| model(&columns.iter().map(|column| column[row]).collect::<Vec<_>>())).collect()
}

/// Every rule with a name; the zero model is where clipping starts.
fn all_rules(inputs: &[Weighted<'_>]) -> Vec<(&'static str, Tensors)> {
    let zero = values(inputs[0].model).iter().map(|_| 0.0).collect::<Vec<f32>>();
    let zero = model(&zero);
    let models = Models::new(inputs).unwrap();
    let mixed = nearest_neighbours(inputs, 2).unwrap();
    let mixed: Vec<_> = mixed.iter().map(|(model, weight)| Weighted { model, weight: *weight }).collect();
    vec![
        ("mean", fed_avg(inputs).unwrap()),
        ("median", median(&models)),
        ("trimmed mean", trimmed_mean(&models, 0.2)),
        ("krum", krum(&models, 1)),
        ("multi-krum", multi_krum(&models, 1, 3)),
        ("geometric median", geometric_median(&models)),
        ("centred clipping", centred_clipping(&models, &zero, 1.0).unwrap()),
        ("mixing and median", median(&Models::new(&mixed).unwrap())),
    ]
}

#[test]
fn the_mean_is_weighted_by_samples() {
    let (a, b) = (model(&[1.0, -2.0]), model(&[4.0, 4.0]));
    let mean = fed_avg(&[Weighted { model: &a, weight: 1 }, Weighted { model: &b, weight: 2 }]).unwrap();
    assert_eq!(mean, model(&[3.0, 2.0]));
}

#[test]
fn sums_do_not_lose_small_values() {
    // In f32 the two 1s would vanish beside 1e8.
    let models = columns(&[&[1e8, 1.0, 1.0, -1e8], &[0.0; 4]]);
    assert_eq!(fed_avg(&equal(&models)).unwrap(), model(&[0.5, 0.0]));
}

#[test]
fn models_that_arrive_one_by_one_have_the_same_mean() {
    let models: Vec<Tensors> = (0..21_u16)
        .map(|m| model(&(0..5_001_u16).map(|i| f32::from(i.wrapping_mul(40_503) ^ m) / 7e3).collect::<Vec<_>>()))
        .collect();
    let inputs: Vec<_> = models.iter().zip(3..).map(|(model, weight)| Weighted { model, weight }).collect();
    let mut mean = Mean::new();
    mean.add(&inputs[10..]).unwrap();
    inputs[..10].iter().for_each(|input| mean.add(&[*input]).unwrap());
    assert_eq!(mean.finish().unwrap().to_bytes(), fed_avg(&inputs).unwrap().to_bytes());
}

#[test]
fn ranks_are_taken_coordinate_by_coordinate() {
    let models = columns(&[&[5.0, 1.0, 9.0, 2.0, 3.0], &[-1.0, -2.0, 1e9, 0.0, -0.0]]);
    let inputs = equal(&models);
    assert_eq!(values(&median(&Models::new(&inputs).unwrap())), [3.0, 0.0]);
    assert_eq!(values(&trimmed_mean(&Models::new(&inputs).unwrap(), 0.2)), [10.0 / 3.0, -1.0 / 3.0]);
    // Of four the mean of the middle two.
    assert_eq!(values(&median(&Models::new(&inputs[..4]).unwrap())), [3.5, -0.5]);
    // Nothing to trim from a single model.
    assert_eq!(values(&trimmed_mean(&Models::new(&inputs[..1]).unwrap(), 0.49)), [5.0, -1.0]);
}

#[test]
fn krum_takes_the_model_in_the_densest_place() {
    let models = columns(&[&[0.0, 0.1, 0.25, 100.0, -50.0], &[0.0, 0.0, 0.0, 3.0, 7.0]]);
    let models = equal(&models);
    let models = Models::new(&models).unwrap();
    // Two neighbours count: 0.1 is nearest to both its neighbours.
    assert_eq!(values(&krum(&models, 1)), [0.1, 0.0]);
    let mean = values(&multi_krum(&models, 1, 3));
    assert!((mean[0] - 0.35 / 3.0).abs() < 1e-7, "{mean:?}");
}

#[test]
fn the_geometric_median_of_a_triangle_is_the_fermat_point() {
    // With (0, 0), (1, 0), (0, 1) the point lies on the diagonal at (3 - sqrt(3)) / 6.
    let models = columns(&[&[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]]);
    let point = values(&geometric_median(&Models::new(&equal(&models)).unwrap()));
    let expected = (3.0 - 3.0_f32.sqrt()) / 6.0;
    assert!(point.iter().all(|value| (value - expected).abs() < 1e-6), "{point:?} {expected}");
}

#[test]
fn the_geometric_median_of_a_line_is_its_median() {
    let models = columns(&[&[1.0, 2.0, 3.0, 4.0, 1e6], &[0.0; 5]]);
    let point = values(&geometric_median(&Models::new(&equal(&models)).unwrap()));
    assert!((point[0] - 3.0).abs() < 1e-3, "{point:?}");
}

#[test]
fn clipping_follows_a_far_model_by_the_radius_only() {
    let zero = model(&[0.0, 0.0]);
    let models = columns(&[&[1000.0], &[0.0]]);
    let inputs = equal(&models);
    let moved = values(&centred_clipping(&Models::new(&inputs).unwrap(), &zero, 2.0).unwrap());
    // Five steps of 2.
    assert!((moved[0] - 10.0).abs() < 1e-5, "{moved:?}");
    let bounded = norm_bound(&inputs, &zero, 3.0).unwrap();
    assert_eq!(values(&bounded[0]), [3.0, 0.0]);
    assert_eq!(norm_bound(&inputs, &zero, 1000.0).unwrap()[0], models[0]);
}

#[test]
fn mixing_replaces_a_far_model_by_its_neighbours() {
    let models = columns(&[&[0.0, 1.0, 2.0, 90.0], &[0.0; 4]]);
    let mixed: Vec<f32> = nearest_neighbours(&equal(&models), 2).unwrap().iter().map(|(m, _)| values(m)[0]).collect();
    assert_eq!(mixed, [0.5, 0.5, 1.5, 46.0]);
}

#[test]
fn distances_of_close_models_far_from_zero_are_right() {
    let step = 2.0_f32.powi(-10);
    let models = columns(&[&[1000.0, 1000.0 + step, 1000.0 + 3.0 * step], &[-1000.0; 3]]);
    let inputs = equal(&models);
    let models = Models::new(&inputs).unwrap();
    let gram = gram::Gram::centred(&models);
    let places: Vec<f64> = models.iter().map(|input| f64::from(values(input.model)[0])).collect();
    for i in 0..3 {
        for j in 0..3 {
            let expected = (places[i] - places[j]).powi(2);
            assert!((gram.squared_distance(i, j) - expected).abs() <= 1e-6 * expected + 1e-20, "{i} {j}");
        }
    }
}

#[test]
fn a_single_model_is_its_own_aggregate() {
    let only = model(&[0.5, -0.25, 0.75]);
    for (name, result) in all_rules(&[Weighted { model: &only, weight: 7 }]) {
        assert_eq!(result, only, "{name}");
    }
}

#[test]
fn different_models_and_no_weight_are_refused() {
    let (a, b) = (model(&[1.0, 0.0]), model(&[1.0, 2.0, 3.0]));
    let refused = |inputs: &[Weighted<'_>]| {
        assert!(fed_avg(inputs).is_err());
        assert!(Models::new(inputs).is_err());
        let mut mean = Mean::new();
        assert!(mean.add(inputs).and_then(|()| mean.finish().map(|_| ())).is_err());
    };
    refused(&[]);
    refused(&[Weighted { model: &a, weight: 0 }]);
    refused(&[Weighted { model: &a, weight: 1 }, Weighted { model: &b, weight: 1 }]);
    let mut extra = a.clone();
    extra.0.insert("z".into(), Tensor::zeros(&[1]));
    refused(&[Weighted { model: &a, weight: 1 }, Weighted { model: &extra, weight: 1 }]);
    refused(&[Weighted { model: &extra, weight: 1 }, Weighted { model: &a, weight: 1 }]);
    refused(&[Weighted { model: &model(&[f32::NAN, 0.0]), weight: 1 }]);
    assert!(fed_avg(&[Weighted { model: &model(&[1e30, 0.0]), weight: 1 }]).is_err());
    assert!(fed_avg(&[Weighted { model: &a, weight: u64::MAX }, Weighted { model: &a, weight: 1 }]).is_err());
}

#[test]
fn threads_do_not_change_a_bit() {
    let models: Vec<Tensors> = (0..9_u16)
        .map(|m| model(&(0..50_000_u16).map(|i| f32::from(i.wrapping_mul(40_503) ^ m) / 7.0).collect::<Vec<_>>()))
        .collect();
    let inputs: Vec<_> = models.iter().zip(3..).map(|(model, weight)| Weighted { model, weight }).collect();
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| {
            let norm = fold(&models[0], &models[1], &models[2], |b, l, r| (l - b) * (r - b)).to_bits();
            let rules = all_rules(&inputs).into_iter().map(|(_, model)| model.to_bytes());
            (norm, rules.collect::<Vec<_>>())
        })
    };
    assert_eq!(with_threads(1), with_threads(4));
}

/// Up to 12 models of up to 90 values.
fn some_models() -> impl Strategy<Value = Vec<Vec<f32>>> {
    (1_usize..12, 1_usize..90).prop_flat_map(|(models, length)| {
        prop::collection::vec(prop::collection::vec(-100.0_f32..100.0, length), models)
    })
}

proptest! {
    #[test]
    fn the_order_of_models_does_not_change_a_bit(rows in some_models(), seed in prop::collection::vec(0_usize..1000, 12)) {
        let models: Vec<Tensors> = rows.iter().map(|row| model(row)).collect();
        let inputs: Vec<_> = models.iter().zip(1..).map(|(model, weight)| Weighted { model, weight }).collect();
        let mut turned = inputs.clone();
        (1..turned.len()).for_each(|end| turned.swap(end, seed[end] % (end + 1)));
        for ((name, left), (_, right)) in all_rules(&inputs).into_iter().zip(all_rules(&turned)) {
            prop_assert_eq!(left.to_bytes(), right.to_bytes(), "{}", name);
        }
    }

    #[test]
    fn copies_of_one_model_give_that_model(row in prop::collection::vec(-100.0_f32..100.0, 2..50), count in 1_usize..10) {
        let models = vec![model(&row); count];
        for (name, result) in all_rules(&equal(&models)) {
            // Clipping starts elsewhere and may not get there.
            if name != "centred clipping" {
                prop_assert_eq!(values(&result), row.clone(), "{}", name);
            }
        }
    }

    #[test]
    fn every_rule_stays_between_the_smallest_and_the_largest(rows in some_models()) {
        let models: Vec<Tensors> = rows.iter().map(|row| model(row)).collect();
        for (name, result) in all_rules(&equal(&models)) {
            for (index, value) in values(&result).into_iter().enumerate() {
                let column = rows.iter().map(|row| row[index]);
                let start = if name == "centred clipping" { 0.0 } else { rows[0][index] };
                let (low, high) = column.fold((start, start), |(low, high), v| (low.min(v), high.max(v)));
                prop_assert!(low - 1e-4 <= value && value <= high + 1e-4, "{}: {} {} {}", name, low, value, high);
            }
        }
    }

    #[test]
    fn distances_agree_with_their_definition(rows in some_models()) {
        let models: Vec<Tensors> = rows.iter().map(|row| model(row)).collect();
        let inputs = equal(&models);
        let sorted = Models::new(&inputs).unwrap();
        let gram = gram::Gram::centred(&sorted);
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                let expected = distance(a.model, b.model);
                prop_assert!((gram.squared_distance(i, j).sqrt() - expected).abs() <= 1e-3 + 1e-5 * expected);
            }
        }
    }
}
