//! Which sessions a runner takes: its owner's wishes against what a session offers and demands. Pure.

use parity_abi::DataMode;
use parity_learning::{model, weights};
use parity_protocol::{
    B256, TokenAmount,
    spec::{Data, Privacy, SessionSpec},
};
use serde::{Deserialize, Serialize};

/// What the owner of a runner accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Least share of one seat in the reward of one round, in base units.
    pub min_seat_reward: TokenAmount,
    /// Sessions served at the same time.
    pub max_sessions: usize,
    /// Most rows of a shard or of local data.
    pub max_rows: u64,
    /// Most encoded features.
    pub max_features: usize,
    /// Most weights and biases of a model.
    pub max_parameters: usize,
    /// Most bytes of a sealed shard.
    pub max_shard_bytes: u64,
    /// Most passes over the rows per round.
    pub max_epochs: u32,
    /// Trainer images that a session may demand besides the runner's own, by id `sha256:…`.
    pub images: Vec<String>,
    /// Accepted privacy levels.
    pub privacy: Vec<Privacy>,
    /// Whether sessions with the requester's sealed data are served.
    pub uploaded: bool,
    /// Whether sessions on local data are served.
    pub private: bool,
}

impl Default for Policy {
    /// Anything that fits a small machine, at any price.
    fn default() -> Self {
        Self {
            min_seat_reward: TokenAmount::ZERO,
            max_sessions: 4,
            max_rows: 10_000_000,
            max_features: 100_000,
            max_parameters: 50_000_000,
            max_shard_bytes: 1 << 30,
            max_epochs: 1000,
            images: Vec::new(),
            privacy: vec![Privacy::None, Privacy::Low],
            uploaded: true,
            private: true,
        }
    }
}

/// What a session's terms offer and demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Digest of the session spec.
    pub spec: B256,
    /// Number of seats.
    pub seats: u16,
    /// Scheduled rounds.
    pub rounds: u16,
    /// Reward of a round, for all seats together.
    pub round_reward: TokenAmount,
    /// Where the data comes from.
    pub data_mode: DataMode,
    /// Whether rounds pass through the unmasking phase.
    pub unmasking: bool,
    /// Whether the session ends when the spec's target is reached.
    pub targeted: bool,
    /// Seats that take part in each round.
    pub cohort: u16,
    /// Decides which.
    pub draw_seed: u64,
    /// What a runner must be capable of.
    pub capabilities: u64,
    /// Active stake a runner needs.
    pub min_stake: TokenAmount,
    /// Score a runner needs.
    pub min_reputation: u16,
    /// Active stake of the keepers to whom updates may be sealed.
    pub keeper_bond: TokenAmount,
}

/// What the runner has to offer.
#[derive(Clone, Debug)]
pub struct Means<'a> {
    /// Id of the runner's own trainer image; none where jobs run as processes.
    pub image: Option<&'a str>,
    /// Most bytes a job may write.
    pub output_bytes: u64,
}

/// Why a session is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Less money than wanted.
    #[error("a seat earns at most {offered} USDFC per round, the policy wants {wanted}")]
    Price {
        /// Reward of a round divided by the seats.
        offered: TokenAmount,
        /// Of the policy.
        wanted: TokenAmount,
    },
    /// More work or bytes than allowed.
    #[error("{what} is {actual}, the policy allows {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// In the spec.
        actual: u64,
        /// Of the policy.
        limit: u64,
    },
    /// The level is not on the list.
    #[error("the policy does not accept the privacy level {0:?}")]
    Privacy(Privacy),
    /// The mode is switched off.
    #[error("the policy does not serve sessions with {0} data")]
    Mode(&'static str),
    /// The image is neither the runner's own nor on the list.
    #[error("the session demands the trainer image {0}, which the policy does not accept")]
    Image(String),
    /// Terms and spec contradict each other, or ask for what this version cannot do.
    #[error("the session cannot be served: {0}")]
    Unusable(String),
    /// No registered data fits.
    #[error("no registered local data fits the session's schema: {0}")]
    NoData(String),
}

impl Policy {
    /// Whether a session with these terms and this spec is served, local data apart.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub fn judge(&self, offer: &Offer, spec: &SessionSpec, means: &Means<'_>) -> Result<(), Refusal> {
        consistent(offer, spec)?;
        let offered = offer.round_reward.base_units() / u128::from(offer.seats.max(1));
        if offered < self.min_seat_reward.base_units() {
            let offered = TokenAmount::from_base_units(offered);
            return Err(Refusal::Price { offered, wanted: self.min_seat_reward });
        }
        if !self.privacy.contains(&spec.privacy) {
            return Err(Refusal::Privacy(spec.privacy));
        }
        match &spec.data {
            Data::Private { .. } if !self.private => return Err(Refusal::Mode("private")),
            Data::Uploaded { .. } if !self.uploaded => return Err(Refusal::Mode("uploaded")),
            Data::Private { .. } => {}
            Data::Uploaded { shard_rows, .. } => {
                at_most("rows of the largest shard", shard_rows.iter().copied().max().unwrap_or(0), self.max_rows)?;
            }
        }
        at_most("encoded features", wide(spec.schema.features()), wide(self.max_features))?;
        at_most("weights of the model", wide(model::parameters(spec)), wide(self.max_parameters))?;
        at_most("bytes of an update", wide(weights::plain_update_limit(spec)), means.output_bytes)?;
        at_most("epochs per round", u64::from(spec.training.epochs), u64::from(self.max_epochs))?;
        match &spec.image {
            Some(image) if means.image != Some(image) && !(means.image.is_some() && self.images.contains(image)) => {
                Err(Refusal::Image(image.clone()))
            }
            _ => Ok(()),
        }
    }
}

fn consistent(offer: &Offer, spec: &SessionSpec) -> Result<(), Refusal> {
    let unusable = |reason: &str| Err(Refusal::Unusable(reason.to_owned()));
    if offer.unmasking {
        return unusable("its rounds need secure aggregation, which this version does not know");
    }
    match (&spec.data, offer.data_mode) {
        (Data::Private { .. }, DataMode::Private) => {}
        (Data::Uploaded { shard_rows, .. }, DataMode::Uploaded) => {
            if shard_rows.len() != usize::from(offer.seats) {
                return unusable("its spec has another number of shards than its terms have seats");
            }
        }
        _ => return unusable("its spec and its terms disagree on where the data comes from"),
    }
    if offer.targeted != spec.target.is_some() {
        return unusable("its spec and its terms disagree on whether it has a target");
    }
    let (cohort, seed) = (spec.aggregation.cohort(offer.seats), spec.training.seed);
    if offer.cohort != cohort || (cohort < offer.seats && offer.draw_seed != seed) {
        return unusable("its spec and its terms disagree on which seats take part in a round");
    }
    Ok(())
}

fn at_most(what: &'static str, actual: u64, limit: u64) -> Result<(), Refusal> {
    if actual > limit { Err(Refusal::TooLarge { what, actual, limit }) } else { Ok(()) }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{offer, spec};

    const MEANS: Means<'static> = Means { image: Some("sha256:own"), output_bytes: 64 << 20 };

    fn judge(change: impl FnOnce(&mut Policy, &mut Offer, &mut SessionSpec)) -> Result<(), Refusal> {
        let (mut policy, mut offer, mut spec) = (Policy::default(), offer(), spec());
        change(&mut policy, &mut offer, &mut spec);
        policy.judge(&offer, &spec, &MEANS)
    }

    #[test]
    fn an_ordinary_session_is_served() {
        judge(|_, _, _| ()).unwrap();
    }

    #[test]
    fn the_price_is_per_seat_and_round() {
        let wanted = |units| {
            move |policy: &mut Policy, _: &mut Offer, _: &mut SessionSpec| {
                policy.min_seat_reward = TokenAmount::from_base_units(units);
            }
        };
        judge(wanted(1000)).unwrap();
        let refusal = judge(wanted(1001)).unwrap_err();
        assert!(matches!(refusal, Refusal::Price { .. }), "{refusal}");
    }

    #[test]
    fn every_cap_is_respected() {
        let caps: [fn(&mut Policy); 4] = [
            |policy| policy.max_rows = 9,
            |policy| policy.max_features = 1,
            |policy| policy.max_parameters = 5,
            |policy| policy.max_epochs = 2,
        ];
        for cap in caps {
            let refusal = judge(|policy, _, _| cap(policy)).unwrap_err();
            assert!(matches!(refusal, Refusal::TooLarge { .. }), "{refusal}");
        }
    }

    #[test]
    fn an_update_must_fit_the_output_limit() {
        let means = Means { output_bytes: 1000, ..MEANS };
        let refusal = Policy::default().judge(&offer(), &spec(), &means).unwrap_err();
        assert!(matches!(refusal, Refusal::TooLarge { what: "bytes of an update", .. }), "{refusal}");
    }

    #[test]
    fn modes_and_privacy_can_be_switched_off() {
        assert_eq!(judge(|policy, _, _| policy.uploaded = false), Err(Refusal::Mode("uploaded")));
        assert_eq!(judge(|policy, _, _| policy.privacy = vec![Privacy::Low]), Err(Refusal::Privacy(Privacy::None)));
    }

    #[test]
    fn only_known_images_run() {
        let demand = |image: &str| Some(image.to_owned());
        judge(|_, _, spec| spec.image = demand("sha256:own")).unwrap();
        judge(|policy, _, spec| {
            policy.images = vec!["sha256:listed".into()];
            spec.image = demand("sha256:listed");
        })
        .unwrap();
        assert_eq!(judge(|_, _, spec| spec.image = demand("sha256:other")), Err(Refusal::Image("sha256:other".into())));
        let mut demanding = spec();
        demanding.image = demand("sha256:own");
        let process = Means { image: None, ..MEANS };
        assert!(Policy::default().judge(&offer(), &demanding, &process).is_err());
    }

    #[test]
    fn terms_that_contradict_the_spec_are_refused() {
        assert!(judge(|_, offer, _| offer.data_mode = DataMode::Private).is_err());
        assert!(judge(|_, offer, _| offer.seats = 3).is_err());
        assert!(judge(|_, offer, _| offer.unmasking = true).is_err());
        assert!(judge(|_, offer, _| offer.targeted = true).is_err());
        assert!(judge(|_, offer, _| offer.cohort = 1).is_err());
        judge(|_, offer, spec| (offer.cohort, spec.aggregation.participation) = (1, 0.5)).unwrap();
        let other = |offer: &mut Offer, spec: &mut SessionSpec| {
            (offer.cohort, spec.aggregation.participation, offer.draw_seed) = (1, 0.5, 99);
        };
        assert!(judge(|_, offer, spec| other(offer, spec)).is_err());
    }
}
