//! How a spec says that rows were dealt to seats, and how people write it: `iid`, `dirichlet:0.1`, `label-skew:2`.
//!
//! The names and parameters stand here; the algorithms stand in the `learning` crate.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, schema::MAX_CATEGORIES};

/// Concentrations that can be drawn from: below, one seat takes all; above, shares differ by less than a thousandth.
pub const CONCENTRATIONS: RangeInclusive<f64> = 1e-6..=1e6;

/// How people write a partition.
const FORMS: &str =
    "iid, sequential, stratified, dirichlet:ALPHA, label-skew:CLASSES or quantity-skew:BETA, for example dirichlet:0.1";

/// How rows are dealt to seats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Partition {
    /// Shuffled, then dealt evenly.
    Iid,
    /// In file order.
    Sequential,
    /// Shuffled per class, every seat with the same class shares.
    Stratified,
    /// Each class is split by shares drawn from a symmetric Dirichlet distribution over the seats.
    Dirichlet {
        /// Concentration, in [`CONCENTRATIONS`]: 0.1 is very uneven, 100 almost even.
        alpha: f64,
    },
    /// Each seat sees only some classes; the seats of a class share its rows evenly.
    LabelSkew {
        /// Classes per seat, 1 to the number of classes.
        classes: u32,
    },
    /// The sizes of the seats are drawn from a symmetric Dirichlet distribution; classes are mixed.
    QuantitySkew {
        /// Concentration, in [`CONCENTRATIONS`].
        beta: f64,
    },
}

impl Partition {
    /// Checks the parameters, as far as they do not depend on the data.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(&self) -> Result<()> {
        let refuse = |field, value: String, expected: String| Err(Error::Spec { field, value, expected });
        let concentration = |field, value: f64| {
            if CONCENTRATIONS.contains(&value) {
                return Ok(());
            }
            refuse(field, value.to_string(), format!("{} to {}", CONCENTRATIONS.start(), CONCENTRATIONS.end()))
        };
        match *self {
            Self::Iid | Self::Sequential | Self::Stratified => Ok(()),
            Self::Dirichlet { alpha } => concentration("data.partition.alpha", alpha),
            Self::QuantitySkew { beta } => concentration("data.partition.beta", beta),
            Self::LabelSkew { classes } => {
                let most = u32::try_from(MAX_CATEGORIES).unwrap_or(u32::MAX);
                if (1..=most).contains(&classes) {
                    return Ok(());
                }
                refuse("data.partition.classes", classes.to_string(), format!("1 to {most} classes per seat"))
            }
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iid => f.write_str("iid"),
            Self::Sequential => f.write_str("sequential"),
            Self::Stratified => f.write_str("stratified"),
            Self::Dirichlet { alpha } => write!(f, "dirichlet:{alpha}"),
            Self::LabelSkew { classes } => write!(f, "label-skew:{classes}"),
            Self::QuantitySkew { beta } => write!(f, "quantity-skew:{beta}"),
        }
    }
}

impl FromStr for Partition {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes; `_` serves as well as `-`.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Partition { text: text.to_owned(), reason };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let name = name.replace('_', "-");
        let number = |called: &str| {
            let given =
                parameter.ok_or_else(|| refuse(format!("{name} needs its {called}, for example {name}:0.5")))?;
            given.parse::<f64>().map_err(|_| refuse(format!("its {called} '{given}' is not a number")))
        };
        let partition = match name.as_str() {
            "iid" => Self::Iid,
            "sequential" => Self::Sequential,
            "stratified" => Self::Stratified,
            "dirichlet" => Self::Dirichlet { alpha: number("alpha")? },
            "quantity-skew" => Self::QuantitySkew { beta: number("beta")? },
            "label-skew" => {
                let given = parameter
                    .ok_or_else(|| refuse(format!("{name} needs its classes per seat, for example {name}:2")))?;
                let classes = given.parse();
                Self::LabelSkew {
                    classes: classes.map_err(|_| refuse(format!("'{given}' is not a number of classes per seat")))?,
                }
            }
            _ => return Err(refuse(format!("known are {FORMS}"))),
        };
        if let (Self::Iid | Self::Sequential | Self::Stratified, Some(given)) = (partition, parameter) {
            return Err(refuse(format!("{name} takes no parameter; leave out ':{given}'")));
        }
        partition.validate().map_err(|error| match error {
            Error::Spec { value, expected, .. } => refuse(format!("{value} is out of range; use {expected}")),
            other => other,
        })?;
        Ok(partition)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any() -> impl Strategy<Value = Partition> {
        prop_oneof![
            Just(Partition::Iid),
            Just(Partition::Sequential),
            Just(Partition::Stratified),
            (1e-6_f64..1e6).prop_map(|alpha| Partition::Dirichlet { alpha }),
            (1e-6_f64..1e6).prop_map(|beta| Partition::QuantitySkew { beta }),
            (1_u32..=1000).prop_map(|classes| Partition::LabelSkew { classes }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(partition in any()) {
            prop_assert_eq!(partition.to_string().parse::<Partition>().unwrap(), partition);
            prop_assert!(partition.validate().is_ok());
            let json = serde_json::to_string(&partition).unwrap();
            prop_assert_eq!(serde_json::from_str::<Partition>(&json).unwrap(), partition);
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,30}") {
            let _ = text.parse::<Partition>();
        }
    }

    #[test]
    fn underscores_serve_as_well() {
        assert_eq!("label_skew:2".parse::<Partition>().unwrap(), Partition::LabelSkew { classes: 2 });
        assert_eq!("quantity_skew:.5".parse::<Partition>().unwrap(), Partition::QuantitySkew { beta: 0.5 });
    }

    #[test]
    fn what_cannot_be_read_says_what_would_work() {
        for (text, words) in [
            ("random", "known are iid, sequential"),
            ("", "known are iid, sequential"),
            ("dirichlet", "needs its alpha, for example dirichlet:0.5"),
            ("dirichlet:x", "its alpha 'x' is not a number"),
            ("dirichlet:0", "0 is out of range; use 0.000001 to 1000000"),
            ("dirichlet:-1", "-1 is out of range"),
            ("quantity-skew:inf", "inf is out of range"),
            ("dirichlet:nan", "NaN is out of range"),
            ("label-skew", "classes per seat, for example label-skew:2"),
            ("label-skew:1.5", "'1.5' is not a number of classes per seat"),
            ("label-skew:0", "0 is out of range; use 1 to 1000 classes per seat"),
            ("iid:3", "iid takes no parameter; leave out ':3'"),
        ] {
            let message = text.parse::<Partition>().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("'{text}' is no partition: ")) && message.contains(words),
                "{message}"
            );
        }
    }
}
