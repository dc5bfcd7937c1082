//! Checks what a trainer left behind before it goes anywhere: the same rules by which keepers drop updates, applied at home.

use parity_learning::{
    model,
    round::weights_limit,
    tensors::Tensors,
    weights::{self, Weights},
};
use parity_protocol::{job::JobResult, spec::SessionSpec};

use crate::{
    rows::Rows,
    trouble::{Result, Trouble},
};

/// The update as canonical bytes.
pub(crate) fn check(
    spec: &SessionSpec,
    previous: &Weights,
    seat: u16,
    rows: &Rows,
    result: &JobResult,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    let refuse = |reason: String| Err(Trouble::Failed(reason));
    if result.samples != rows.count {
        return refuse(format!("the trainer used {} rows of {}", result.samples, rows.count));
    }
    let Weights::Tensors(previous) = previous else {
        let dropped =
            |reason| Trouble::Failed(format!("what the trainer tells of the rows would be dropped: {reason}"));
        weights::check_update(spec, previous, seat, rows.count, bytes).map_err(dropped)?;
        return Ok(bytes.to_vec());
    };
    let unreadable = |error: parity_learning::Error| Trouble::Failed(format!("the trainer's weights: {error}"));
    let tensors = Tensors::from_bytes(bytes, weights_limit(spec)).map_err(unreadable)?;
    model::check_shapes(&model::shapes(spec), &tensors).map_err(unreadable)?;
    if let Some(name) = tensors.not_finite() {
        return refuse(format!("the trainer's weights: {name} has a value that is not finite"));
    }
    let moved = distance(previous, &tensors);
    if moved > spec.max_update_norm {
        return Err(Trouble::Hopeless(format!(
            "the training moved the model by {moved:.3}, the session allows {:.3}: the update would be dropped",
            spec.max_update_norm
        )));
    }
    Ok(tensors.to_bytes())
}

/// L2 norm of the difference of two models of the same shapes.
fn distance(a: &Tensors, b: &Tensors) -> f64 {
    let pairs = a.0.values().zip(b.0.values()).flat_map(|(a, b)| a.data.iter().zip(&b.data));
    pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use parity_protocol::{device::Determinism, metrics::Metrics};

    use super::*;
    use crate::{inputs::split_local, testing::spec};
    use parity_learning::table::{Labels, Table};

    fn result(samples: u64) -> JobResult {
        let (metrics, determinism) = (Metrics::default(), Determinism::Everywhere);
        JobResult { samples, metrics, confusion: None, determinism, seconds: 0.1 }
    }

    fn outcome(change: impl FnOnce(&mut Tensors, &mut JobResult)) -> Result<Vec<u8>> {
        let spec = spec();
        let table =
            Table { features: 2, x: vec![0.5; 20], labels: Labels::Classes(vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1]) };
        let rows = split_local(&table, &spec, 0.0).unwrap();
        let previous = model::initial(&spec);
        let mut tensors = previous.clone();
        let mut result = result(10);
        change(&mut tensors, &mut result);
        check(&spec, &Weights::Tensors(previous), 0, &rows, &result, &tensors.to_bytes())
    }

    fn first(tensors: &mut Tensors) -> &mut Vec<f32> {
        &mut tensors.0.values_mut().next().unwrap().data
    }

    #[test]
    fn a_sound_update_passes_unchanged() {
        let bytes = outcome(|tensors, _| first(tensors)[0] = 1.5).unwrap();
        let expected = {
            let mut tensors = model::initial(&spec());
            first(&mut tensors)[0] = 1.5;
            tensors.to_bytes()
        };
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_keepers_would_drop_is_found_at_home() {
        let message = |change: fn(&mut Tensors, &mut JobResult)| outcome(change).unwrap_err().to_string();
        assert!(message(|tensors, _| first(tensors)[0] = f32::NAN).contains("not finite"));
        assert!(message(|tensors, _| first(tensors)[0] = f32::INFINITY).contains("not finite"));
        assert!(message(|tensors, _| first(tensors)[0] = 1e30).contains("would be dropped"));
        assert!(message(|tensors, _| drop(tensors.0.pop_first())).contains("missing"));
        assert!(message(|_, result| result.samples = 9).contains("9 rows of 10"));
    }

    #[test]
    fn bytes_that_are_no_weights_are_refused() {
        let spec = spec();
        let previous = Weights::Tensors(model::initial(&spec));
        let table = Table { features: 2, x: vec![0.5; 2], labels: Labels::Classes(vec![0]) };
        let rows = split_local(&table, &spec, 0.0).unwrap();
        let result = result(1);
        assert!(check(&spec, &previous, 0, &rows, &result, b"nonsense").is_err());
    }
}
