//! Standardisation of features: fitted once on training rows, carried in the spec, applied where rows meet a model.

use parity_protocol::{model::Volume, schema::Scaling};
use rayon::prelude::*;

use crate::{Error, Result, table::Table};

/// Below this share of its magnitude a standard deviation is rounding noise of a constant column (f32 input has 24 bits).
const CONSTANT: f64 = 1e-7;

/// Deviations from the mean that a value counts for at most under a robust rule. On digits, 2 or 3 also learn a
/// little better than none.
const LIMIT: f64 = 2.0;

/// Mean and population standard deviation per feature; 1 where a feature is constant.
///
/// # Errors
/// [`Error::Rows`] without rows.
pub fn fit(table: &Table) -> Result<Scaling> {
    if table.rows() == 0 {
        return Err(Error::Rows("statistics need at least one row".into()));
    }
    let column = |feature: usize| {
        let values = || table.x.iter().skip(feature).step_by(table.features).map(|value| f64::from(*value));
        moments(values)
    };
    let (mean, deviation) = (0..table.features).into_par_iter().map(column).unzip();
    Ok(Scaling { mean, deviation, limit: None })
}

/// Mean and population standard deviation in two passes, in the order given; deviation 1 for constants.
pub(crate) fn moments<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let (mut count, mut sum) = (0.0, 0.0);
    for value in values() {
        count += 1.0;
        sum += value;
    }
    let mean = sum / count;
    let squares: f64 = values().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / count).sqrt();
    let constant = deviation <= CONSTANT * mean.abs() || deviation < f64::MIN_POSITIVE;
    (mean, if constant { 1.0 } else { deviation })
}

/// One mean and deviation for all pixels of a channel: those of the mixture of its pixels. Where an image has a dark border, as
/// scans do, standardising each pixel apart would blow up the few that are ever lit there; and a convolution, which looks at all
/// places alike, could not know one place's brightness from another's. Pixels with deviation exactly 1 count as constant, as
/// [`fit`] marks them.
pub fn per_channel(scaling: &Scaling, image: Volume) -> Scaling {
    let pixels = image.values() / usize::try_from(image.channels.max(1)).unwrap_or(usize::MAX);
    let (mut mean, mut deviation) = (scaling.mean.clone(), scaling.deviation.clone());
    for (mean, deviation) in mean.chunks_mut(pixels.max(1)).zip(deviation.chunks_mut(pixels.max(1))) {
        let count: f64 = mean.iter().map(|_| 1.0).sum();
        let centre = mean.iter().sum::<f64>() / count;
        let own = |deviation: f64| if deviation.to_bits() == 1.0_f64.to_bits() { 0.0 } else { deviation };
        let squares = mean.iter().zip(&*deviation).map(|(m, d)| own(*d).powi(2) + (m - centre).powi(2)).sum::<f64>();
        let spread = (squares / count).sqrt();
        let constant = spread <= CONSTANT * centre.abs() || spread < f64::MIN_POSITIVE;
        mean.fill(centre);
        deviation.fill(if constant { 1.0 } else { spread });
    }
    Scaling { mean, deviation, limit: scaling.limit }
}

/// The same scaling for a rule that must stand backdoors: a trigger far outside of what a feature is otherwise would excite
/// a network more than all other features together, and honest rows, which never are there, would not contradict it.
pub fn limited(scaling: Scaling) -> Scaling {
    Scaling { limit: Some(LIMIT), ..scaling }
}

/// `(x - mean) / deviation` per feature, within the limit if there is one, computed in f64 and rounded once. `x` is `[rows, features]`.
///
/// # Errors
/// [`Error::Rows`] when `x` is not a whole number of rows.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is wanted")]
pub fn apply(scaling: &Scaling, x: &[f32]) -> Result<Vec<f32>> {
    let features = scaling.mean.len();
    if features == 0 || scaling.deviation.len() != features || !x.len().is_multiple_of(features) {
        return Err(Error::Rows(format!("{} values do not make rows of {features} features", x.len())));
    }
    let mut scaled = vec![0.0; x.len()];
    scaled.par_chunks_mut(features).zip(x.par_chunks(features)).with_min_len(256).for_each(|(scaled, row)| {
        scaled.iter_mut().zip(scaling.standardised(row)).for_each(|(scaled, value)| *scaled = value as f32);
    });
    Ok(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Labels;

    #[test]
    fn scaled_training_rows_have_mean_0_and_deviation_1() {
        let x: Vec<f32> =
            (0_u16..300).map(|i| f32::from(i % 97).powi(2) * if i % 3 == 0 { 1e6 } else { 1e-3 }).collect();
        let table = Table { features: 3, x, labels: Labels::Classes(vec![0; 100]) };
        let scaled = apply(&fit(&table).unwrap(), &table.x).unwrap();
        let again = fit(&Table { x: scaled, ..table }).unwrap();
        assert!(again.mean.iter().all(|m| m.abs() < 1e-6), "{again:?}");
        assert!(again.deviation.iter().all(|d| (d - 1.0).abs() < 1e-6), "{again:?}");
    }

    #[test]
    fn a_constant_feature_becomes_zero() {
        let table = Table { features: 2, x: vec![0.1, 1.0, 0.1, 2.0, 0.1, 3.0], labels: Labels::Classes(vec![0; 3]) };
        let scaling = fit(&table).unwrap();
        assert!((scaling.deviation[0] - 1.0).abs() < f64::EPSILON);
        let scaled = apply(&scaling, &table.x).unwrap();
        assert!(scaled.iter().step_by(2).all(|v| v.abs() < 1e-6));
    }

    #[test]
    fn values_count_no_further_than_the_limit() {
        let scaling = limited(Scaling { mean: vec![1.0], deviation: vec![2.0], limit: None });
        assert_eq!(apply(&scaling, &[2.0, 900.0, -900.0]).unwrap(), [0.5, 2.0, -2.0]);
        let image = Volume { channels: 1, height: 1, width: 1 };
        assert_eq!(per_channel(&scaling, image).limit, scaling.limit);
    }

    #[test]
    fn pixels_of_a_channel_share_the_moments_of_all_of_them() {
        // Two channels of two pixels; the second pixel is always 4.
        let x = vec![0.0, 4.0, 10.0, 30.0, 6.0, 4.0, 20.0, 60.0];
        let table = Table { features: 4, x, labels: Labels::Classes(vec![0; 2]) };
        let shared = per_channel(&fit(&table).unwrap(), Volume { channels: 2, height: 1, width: 2 });
        let (mean, deviation) = moments(|| [0.0, 4.0, 6.0, 4.0].into_iter());
        assert!((shared.mean[0] - mean).abs() < 1e-12 && (shared.deviation[1] - deviation).abs() < 1e-12);
        let (mean, deviation) = moments(|| [10.0, 30.0, 20.0, 60.0].into_iter());
        assert!((shared.mean[3] - mean).abs() < 1e-12 && (shared.deviation[2] - deviation).abs() < 1e-12);
        let dark = Scaling { mean: vec![0.0; 4], deviation: vec![1.0; 4], limit: None };
        assert_eq!(per_channel(&dark, Volume { channels: 1, height: 2, width: 2 }), dark);
    }

    #[test]
    fn no_rows_and_broken_rows_are_errors() {
        assert!(fit(&Table { features: 2, x: vec![], labels: Labels::Classes(vec![]) }).is_err());
        let scaling = Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None };
        assert!(apply(&scaling, &[1.0, 2.0, 3.0]).is_err());
    }
}
