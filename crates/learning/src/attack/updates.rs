//! Attacks on the updates that hostile seats send.

use super::Attack;
use crate::{
    Result,
    aggregate::{Models, Weighted, distance, fed_avg, fold, zip},
    random::{Purpose, Stream},
    tensors::Tensors,
};

/// What the attackers of a round see. All models have the names and shapes of `previous`.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The model that the round started from.
    pub previous: &'a Tensors,
    /// What honest seats send, at least one.
    pub honest: &'a [Tensors],
    /// What the attackers trained, on poisoned rows where the attack poisons.
    pub own: &'a [Tensors],
    /// Seed of noise.
    pub seed: u64,
    /// Round.
    pub round: u16,
}

impl Attack {
    /// What the attackers send, as many models as they trained.
    ///
    /// # Errors
    /// [`Error::Aggregate`](crate::Error::Aggregate) without honest models, or when models differ in shape.
    pub fn craft(self, scene: &Scene<'_>) -> Result<Vec<Tensors>> {
        let honest: Vec<Weighted<'_>> = scene.honest.iter().map(|model| Weighted { model, weight: 1 }).collect();
        let models = Models::new(&honest)?;
        models.check(scene.previous)?;
        scene.own.iter().try_for_each(|own| models.check(own))?;
        let mean = fed_avg(&honest)?;
        let previous = scene.previous;
        let scaled = |model: &Tensors, factor: f64| zip(previous, model, |base, value| base + factor * (value - base));
        let all = |model: Tensors| vec![model; scene.own.len()];
        Ok(match self {
            Self::LabelFlip | Self::Backdoor => scene.own.to_vec(),
            Self::SignFlip => scene.own.iter().map(|own| scaled(own, -10.0)).collect(),
            Self::InnerProduct => all(scaled(&mean, -1.5)),
            Self::ModelReplacement => {
                let seats = float(scene.honest.len() + scene.own.len()) / float(scene.own.len());
                scene.own.iter().map(|own| scaled(own, seats)).collect()
            }
            Self::Stealth => {
                let bound = usual_length(scene);
                let own =
                    |own: &Tensors| scaled(own, (bound / distance(previous, own).max(f64::MIN_POSITIVE)).min(1.0));
                scene.own.iter().map(own).collect()
            }
            Self::Sleeper => {
                let aim = fed_avg(&scene.own.iter().map(|model| Weighted { model, weight: 1 }).collect::<Vec<_>>())?;
                (0..scene.own.len()).map(|seat| sleeper(scene, &mean, &aim, seat)).collect()
            }
            Self::Turncoat => {
                let length = usual_length(scene) / distance(previous, &mean).max(f64::MIN_POSITIVE);
                all(scaled(&mean, if scene.round <= TURN { length } else { -length }))
            }
            Self::Mimic => all(scene.honest.first().cloned().unwrap_or_default()),
            Self::Gaussian => {
                let size = 10.0 * distance(previous, &mean) / float(previous.values().max(1)).sqrt();
                (0..scene.own.len()).map(|seat| noise(scene, seat, size)).collect()
            }
            Self::FreeRider => (0..scene.own.len()).map(|seat| noise(scene, seat, 1e-3)).collect(),
            Self::Alie => all(alie(scene, &mean)),
            Self::MinMax => all(min_max(scene, &mean)),
        })
    }
}

/// The last round in which a turncoat is of use.
const TURN: u16 = 20;

/// The lower median of the lengths of honest updates.
fn usual_length(scene: &Scene<'_>) -> f64 {
    let mut lengths: Vec<f64> = scene.honest.iter().map(|model| distance(scene.previous, model)).collect();
    lengths.sort_by(f64::total_cmp);
    lengths[(lengths.len() - 1) / 2]
}

/// An update of the usual length `l` with parts `0.45 l` along the mean honest update, `0.45 l` along what the attackers' mean has beside
/// it, and `0.77 l` of noise: `0.45^2 + 0.45^2 + 0.77^2 = 1`, and attackers have a cosine of 0.4 to each other.
fn sleeper(scene: &Scene<'_>, mean: &Tensors, aim: &Tensors, seat: usize) -> Tensors {
    let previous = scene.previous;
    // Directions are tensors around zero.
    let direction = |model: &Tensors| {
        let length = distance(previous, model).max(f64::MIN_POSITIVE);
        zip(previous, model, |base, value| (value - base) / length)
    };
    let (useful, aim) = (direction(mean), direction(aim));
    let along = fold(&useful, &useful, &aim, |_, useful, aim| useful * aim);
    let zero = zip(&useful, &useful, |_, _| 0.0);
    let beside = zip(&useful, &aim, |useful, aim| aim - along * useful);
    let noise = zip(previous, &noise(scene, seat, 1.0), |base, value| value - base);
    let shares = [(&useful, 0.45), (&beside, 0.45), (&noise, 0.77)].map(|(direction, share)| {
        (direction, share * usual_length(scene) / distance(&zero, direction).max(f64::MIN_POSITIVE))
    });
    shares.into_iter().fold(previous.clone(), |model, (direction, share)| {
        zip(&model, direction, |value, direction| value + share * direction)
    })
}

/// `mean - z * deviation` with the largest `z` at which enough honest seats are further off to outvote the others:
/// `z = quantile((n - f - s) / (n - f))`, `s = floor(n / 2 + 1) - f` (Baruch et al. 2019, equations 3 and 4).
fn alie(scene: &Scene<'_>, mean: &Tensors) -> Tensors {
    let (honest, seats) = (scene.honest.len(), scene.honest.len() + scene.own.len());
    let supporters = (seats / 2 + 1).saturating_sub(scene.own.len());
    let share = float(honest.saturating_sub(supporters)) / float(honest);
    let z = quantile(share.clamp(0.5, 0.999));
    zip(mean, &deviation(scene, mean), |mean, deviation| mean - z * deviation)
}

/// `mean - gamma * deviation` with the largest `gamma` at which no honest model is further away than from another.
fn min_max(scene: &Scene<'_>, mean: &Tensors) -> Tensors {
    let deviation = deviation(scene, mean);
    let furthest =
        |model: &Tensors| scene.honest.iter().map(|other| distance(model, other)).fold(0.0_f64, |a, b| a.max(b));
    let most = scene.honest.iter().map(furthest).fold(0.0_f64, |a, b| a.max(b));
    let at = |gamma: f64| zip(mean, &deviation, |mean, deviation| mean - gamma * deviation);
    // The paper halves its steps from 10 as well.
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..20 {
        let middle = (low + high) / 2.0;
        if furthest(&at(middle)) <= most { low = middle } else { high = middle }
    }
    at(low)
}

/// Standard deviation of every coordinate over the honest models.
fn deviation(scene: &Scene<'_>, mean: &Tensors) -> Tensors {
    let zero = zip(mean, mean, |_, _| 0.0);
    let count = float(scene.honest.len());
    let squares = scene.honest.iter().fold(zero, |sum, model| {
        let square = zip(mean, model, |mean, value| (value - mean) * (value - mean));
        zip(&sum, &square, |sum, square| sum + square / count)
    });
    zip(&squares, &squares, |square, _| square.sqrt())
}

/// The model of the last round with nearly normal noise (the sum of twelve uniform numbers, less six) of this deviation.
fn noise(scene: &Scene<'_>, seat: usize, deviation: f64) -> Tensors {
    let seat = u64::try_from(seat).expect("a seat fits 64 bits");
    let mut stream = Stream::new(Purpose::Noise, scene.seed, u64::from(scene.round), seat);
    let mut noise = scene.previous.clone();
    for value in noise.0.values_mut().flat_map(|tensor| &mut tensor.data) {
        *value = (0..12).map(|_| stream.unit()).sum::<f32>() - 6.0;
    }
    zip(scene.previous, &noise, |base, noise| base + deviation * noise)
}

/// Quantile of the standard normal distribution for shares of 0.5 and more (Abramowitz and Stegun 26.2.23, error below 4.5e-4).
fn quantile(share: f64) -> f64 {
    let t = (-2.0 * (1.0 - share).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

#[expect(clippy::cast_precision_loss, reason = "numbers of seats and values are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Tensor;

    fn model(values: [f32; 2]) -> Tensors {
        Tensors([("w".to_owned(), Tensor { shape: vec![2], data: values.to_vec() })].into())
    }

    fn craft(attack: Attack) -> Vec<Vec<f32>> {
        let previous = model([1.0, 0.0]);
        let honest = [model([2.0, 1.0]), model([2.0, 3.0]), model([2.0, 2.0])];
        let own = [model([1.5, 0.0]), model([2.0, 9.0])];
        let scene = Scene { previous: &previous, honest: &honest, own: &own, seed: 1, round: 1 };
        attack.craft(&scene).unwrap().iter().map(|model| model.0["w"].data.clone()).collect()
    }

    #[test]
    fn simple_attacks_are_what_they_say() {
        assert_eq!(craft(Attack::LabelFlip), [[1.5, 0.0], [2.0, 9.0]]);
        assert_eq!(craft(Attack::SignFlip), [[-4.0, 0.0], [-9.0, -90.0]]);
        assert_eq!(craft(Attack::InnerProduct), [[-0.5, -3.0], [-0.5, -3.0]]);
        assert_eq!(craft(Attack::ModelReplacement), [[2.25, 0.0], [3.5, 22.5]]);
        assert_eq!(craft(Attack::Mimic), [[2.0, 1.0], [2.0, 1.0]]);
    }

    #[test]
    fn hidden_attacks_stay_within_their_bounds() {
        let stealth = craft(Attack::Stealth);
        assert_eq!(stealth[0], [1.5, 0.0]);
        let length = f64::from(stealth[1][0] - 1.0).hypot(f64::from(stealth[1][1]));
        assert!((length - 5.0_f64.sqrt()).abs() < 1e-5, "{length}");
        // The honest models are 2 apart at most and their first coordinates agree.
        let far = craft(Attack::MinMax);
        assert!((far[0][0] - 2.0).abs() < 1e-6 && (far[0][1] - 1.0).abs() < 1e-3, "{far:?}");
        let near = craft(Attack::Alie);
        assert!((near[0][0] - 2.0).abs() < 1e-6 && near[0][1] < 2.0 && near[0][1] > 1.0, "{near:?}");
    }

    #[test]
    fn sleepers_are_as_long_as_others_useful_and_not_alike() {
        let updates = craft(Attack::Sleeper);
        assert_ne!(updates[0], updates[1]);
        for update in updates {
            let (x, y) = (f64::from(update[0] - 1.0), f64::from(update[1]));
            assert!(x.hypot(y) > 0.0 && x.hypot(y) < 1.7 * 5.0_f64.sqrt(), "{update:?}");
        }
    }

    #[test]
    fn turncoats_turn() {
        let previous = model([1.0, 0.0]);
        let honest = [model([2.0, 1.0]), model([2.0, 3.0]), model([2.0, 2.0])];
        let own = [model([1.5, 0.0])];
        let at = |round| {
            let scene = Scene { previous: &previous, honest: &honest, own: &own, seed: 1, round };
            Attack::Turncoat.craft(&scene).unwrap()[0].0["w"].data.clone()
        };
        assert_eq!(at(TURN), [2.0, 2.0]);
        assert_eq!(at(TURN + 1), [0.0, -2.0]);
    }

    #[test]
    fn noise_differs_by_attacker_and_repeats_by_seed() {
        let (first, again) = (craft(Attack::FreeRider), craft(Attack::FreeRider));
        assert_eq!(first, again);
        assert_ne!(first[0], first[1]);
        assert!((first[0][0] - 1.0).abs() < 7e-3);
        assert!((craft(Attack::Gaussian)[0][0] - 1.0).abs() > 1e-3);
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (share, expected) in [(0.5, 0.0), (0.841_344_7, 1.0), (0.975, 1.959_964), (0.998_650_1, 3.0)] {
            assert!((quantile(share) - expected).abs() < 5e-4, "{share}");
        }
    }
}
