//! What faulty or hostile seats do, to measure how rules stand it. Nothing here is used outside of simulation.
//!
//! An attack has a part in the data ([`Attack::poison`], before training) and a part in the updates ([`Attack::craft`], after it); the
//! attackers know every honest update of the round and work together, which is the strongest case.

mod data;
mod updates;

use std::str::FromStr;

use crate::{Error, Result};

pub use data::Trigger;
pub use updates::Scene;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Ten times the update, backwards.
    SignFlip,
    /// Normal noise, ten times as long as the mean honest update.
    Gaussian,
    /// Training on the classes in reverse order (Tolpegin et al. 2020).
    LabelFlip,
    /// A little is enough (Baruch et al. 2019, algorithm 3): every coordinate off by as much as passes for honest.
    Alie,
    /// Inner-product manipulation (Xie et al. 2020, section 4): one and a half times the mean honest update, backwards.
    InnerProduct,
    /// As far against the spread as two honest updates are apart (Shejwalkar and Houmansadr 2021, equation 4).
    MinMax,
    /// A backdoor, scaled so that the mean becomes the attacker's model (Bagdasaryan et al. 2020, equation 3).
    ModelReplacement,
    /// Half of the rows with a trigger, labelled as the first class (Gu et al. 2019).
    Backdoor,
    /// A backdoor by an attacker that knows of length bounds: as long as the median honest update, no longer.
    Stealth,
    /// A backdoor by an attacker that knows that usefulness is judged and copies are counted: each update is as long as the median honest
    /// one, and goes as much in the direction of the mean honest update, the most useful one, as in that of the backdoor; the rest is
    /// noise, which makes the attackers no more alike than honest seats.
    Sleeper,
    /// By an attacker that knows that seats are judged over rounds: the most useful update of the median length until the 20th round,
    /// the same backwards from then on.
    Turncoat,
    /// No training: the model of the last round with a little noise (Lin et al. 2019).
    FreeRider,
    /// All send what one honest seat sends (Karimireddy et al. 2022, section 4.2).
    Mimic,
}

/// All attacks with their names.
const NAMES: [(&str, Attack); 13] = [
    ("sign-flip", Attack::SignFlip),
    ("gaussian", Attack::Gaussian),
    ("label-flip", Attack::LabelFlip),
    ("alie", Attack::Alie),
    ("inner-product", Attack::InnerProduct),
    ("min-max", Attack::MinMax),
    ("model-replacement", Attack::ModelReplacement),
    ("backdoor", Attack::Backdoor),
    ("stealth", Attack::Stealth),
    ("sleeper", Attack::Sleeper),
    ("turncoat", Attack::Turncoat),
    ("free-rider", Attack::FreeRider),
    ("mimic", Attack::Mimic),
];

impl Attack {
    /// All attacks.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(_, attack)| attack)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, attack)| *attack == self).map_or("", |(name, _)| name)
    }

    /// Whether it plants a backdoor, whose success is measured by [`Trigger`].
    pub fn plants_a_backdoor(self) -> bool {
        matches!(self, Self::Backdoor | Self::ModelReplacement | Self::Stealth | Self::Sleeper)
    }
}

impl FromStr for Attack {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, attack)| *attack).ok_or_else(|| Error::Unknown {
            what: "attack",
            value: text.to_owned(),
            known: "sign-flip, gaussian, label-flip, alie, inner-product, min-max, model-replacement, backdoor, stealth, \
                    sleeper, turncoat, free-rider, mimic",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for attack in Attack::all() {
            assert_eq!(attack.name().parse::<Attack>().unwrap(), attack);
        }
        let message = "ddos".parse::<Attack>().unwrap_err().to_string();
        assert!(NAMES.iter().all(|(name, _)| message.contains(name)), "{message}");
    }
}
