//! What is lost stays within its bound and comes back later; other bytes are refused.

use proptest::prelude::*;

use super::*;

fn model(values: &[f32]) -> Tensors {
    let (a, b) = values.split_at(values.len() / 2);
    let tensor = |data: &[f32]| Tensor { shape: vec![data.len()], data: data.to_vec() };
    Tensors([("a".to_owned(), tensor(a)), ("b".to_owned(), tensor(b))].into())
}

const STEPS: Compression = Compression::Steps {};

fn top(share: f64) -> Compression {
    Compression::Largest { share }
}

fn values(tensors: &Tensors) -> Vec<f32> {
    tensors.0.values().flat_map(|tensor| tensor.data.clone()).collect()
}

#[test]
fn steps_take_a_byte_per_value() {
    let (bytes, _) = encode(STEPS, &model(&[0.0; 100]), &model(&[1.0; 100]), None).unwrap();
    assert_eq!(bytes.len(), 2 + 2 * 4 + 100);
}

#[test]
fn nothing_is_changed_without_compression() {
    let (start, end) = (model(&[0.0; 4]), model(&[0.1, 0.2, 0.3, 0.4]));
    let (bytes, residual) = encode(Compression::None {}, &start, &end, None).unwrap();
    assert_eq!((&bytes, residual), (&end.to_bytes(), None));
    assert_eq!(decode(Compression::None {}, &bytes, &start).unwrap(), end);
}

#[test]
fn only_the_largest_changes_are_sent() {
    let (start, end) = (model(&[0.0; 8]), model(&[1.0, -5.0, 2.0, 0.5, 0.0, 0.0, 0.0, -0.25]));
    let (bytes, residual) = encode(top(0.5), &start, &end, None).unwrap();
    let decoded = |bytes: &[u8], share| values(&decode(top(share), bytes, &start).unwrap());
    assert_eq!(decoded(&bytes, 0.5), [0.0, -5.0, 2.0, 0.0, 0.0, 0.0, 0.0, -0.25]);
    let residual = residual.unwrap();
    assert_eq!(values(&residual), [1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]);
    // What was left out goes first next time.
    let (bytes, _) = encode(top(0.25), &start, &start, Some(&residual)).unwrap();
    assert_eq!(decoded(&bytes, 0.25), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let start = model(&[0.0, 0.0]);
    let steps =
        |step: f32, value: i8| [&[1, 1], &step.to_le_bytes()[..], &value.to_le_bytes(), &[0, 0, 0, 0, 0]].concat();
    assert!(decode(STEPS, &steps(0.5, 127), &start).is_ok());
    for bytes in
        [steps(0.5, -128), steps(0.5, 3), steps(0.0, 1), steps(-1.0, 127), steps(f32::NAN, 127), steps(-0.0, 0)]
    {
        assert!(decode(STEPS, &bytes, &start).is_err(), "{bytes:?}");
    }
    let start = model(&[0.0, 0.0, 0.0, 0.0]);
    let largest = |places: &[u32], value: f32| {
        let count = u32::try_from(places.len()).unwrap();
        let mut bytes = [&[1, 2], &count.to_le_bytes()[..]].concat();
        places.iter().for_each(|place| bytes.extend(place.to_le_bytes()));
        places.iter().for_each(|_| bytes.extend(value.to_le_bytes()));
        bytes.extend([0; 4]);
        bytes
    };
    assert!(decode(top(1.0), &largest(&[0, 1], 1.0), &start).is_ok());
    assert!(decode(top(0.5), &largest(&[0, 1], 1.0), &start).is_err());
    assert!(decode(STEPS, &largest(&[0, 1], 1.0), &start).is_err());
    for bytes in [largest(&[1, 0], 1.0), largest(&[1, 1], 1.0), largest(&[2], 1.0), largest(&[0], 0.0)] {
        assert!(decode(top(1.0), &bytes, &start).is_err(), "{bytes:?}");
    }
    assert!(decode(top(1.0), &largest(&[0, 1, 2], 1.0), &start).is_err());
    assert!(decode(top(1.0), &[1, 2, 255, 255, 255, 255], &start).is_err());
    assert!(encode(top(0.0), &start, &start, None).is_err());
    assert!(encode(STEPS, &start, &model(&[0.0]), None).is_err());
    assert!(encode(STEPS, &start, &model(&[f32::INFINITY; 4]), None).is_err());
}

fn method() -> impl Strategy<Value = Compression> {
    prop_oneof![Just(STEPS), (0.01_f64..=1.0).prop_map(top)]
}

proptest! {
    #[test]
    fn what_is_lost_is_bounded_and_kept(
        pairs in prop::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 1..200),
        method in method(),
    ) {
        let start = model(&pairs.iter().map(|(a, _)| *a).collect::<Vec<_>>());
        let end = model(&pairs.iter().map(|(_, b)| *b).collect::<Vec<_>>());
        let (bytes, residual) = encode(method, &start, &end, None).unwrap();
        let (received, residual) = (decode(method, &bytes, &start).unwrap(), residual.unwrap());
        for (name, tensor) in &end.0 {
            let change = |index: usize| f64::from(tensor.data[index]) - f64::from(start.0[name].data[index]);
            let largest = (0..tensor.data.len()).map(|index| change(index).abs()).fold(0.0_f64, f64::max);
            for (index, value) in tensor.data.iter().enumerate() {
                let lost = f64::from(*value) - f64::from(received.0[name].data[index]);
                prop_assert!((lost - f64::from(residual.0[name].data[index])).abs() <= 3e-4);
                if method == STEPS {
                    prop_assert!(lost.abs() <= 0.5 * largest / 127.0 + 3e-4);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic_and_what_it_takes_is_canonical(
        mut bytes in prop::collection::vec(any::<u8>(), 0..60),
        method in 1_u8..=2,
        length in 0_usize..8,
    ) {
        if let Some([version, chosen]) = bytes.first_chunk_mut::<2>() {
            (*version, *chosen) = (1, method);
        }
        let start = model(&vec![0.0; length]);
        for compression in [STEPS, top(0.6)] {
            if let Ok(update) = decode(compression, &bytes, &start) {
                prop_assert!(update.not_finite().is_none());
            }
        }
    }

    #[test]
    fn residuals_bring_everything_over_in_the_end(change in prop::collection::vec(-10.0_f32..10.0, 2..40)) {
        // The same change every round: after many rounds the mean of what arrived is the change.
        let start = model(&vec![0.0; change.len()]);
        let end = model(&change);
        let (mut residual, mut total) = (None, vec![0.0_f64; change.len()]);
        let rounds = 200_u16;
        for _ in 0..rounds {
            let (bytes, rest) = encode(top(0.25), &start, &end, residual.as_ref()).unwrap();
            let received = values(&decode(top(0.25), &bytes, &start).unwrap());
            total.iter_mut().zip(received).for_each(|(sum, value)| *sum += f64::from(value));
            residual = rest;
        }
        let largest = change.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (sum, change) in total.iter().zip(&change) {
            // A value waits until it is the largest: at most some rounds' worth of the largest change.
            prop_assert!((sum / f64::from(rounds) - f64::from(*change)).abs() <= f64::from(largest) * 0.05, "{} {}", sum, change);
        }
    }
}
