//! How updates are made smaller on their way to the keepers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How an update is made smaller. What the receiver does not get is added to the seat's next update (error feedback).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Compression {
    /// Not at all: updates are the new weights as safetensors.
    None {},
    /// One signed byte per value, in steps of a 127th of the tensor's largest change.
    Steps {},
    /// The largest changes of each tensor alone.
    Largest {
        /// This share of its values, rounded up; above 0 to 1.
        share: f64,
    },
}

impl Compression {
    /// Whether updates are sent as they are.
    pub fn is_none(self) -> bool {
        matches!(self, Self::None {})
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`Error::Spec`] naming the field, the value and what would be right.
    pub fn validate(self) -> Result<()> {
        match self {
            Self::Largest { share } if !(share > 0.0 && share <= 1.0) => Err(Error::Spec {
                field: "compression.share",
                value: share.to_string(),
                expected: "above 0, at most 1".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Reads what people type: `none`, `int8` or `top-k:SHARE`.
    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::Spec {
            field: "compression",
            value: text.to_owned(),
            expected: "none, int8 or top-k:SHARE, for example top-k:0.01".to_owned(),
        };
        let compression = match text.split_once(':') {
            None if text == "none" => Self::None {},
            None if text == "int8" => Self::Steps {},
            Some(("top-k", share)) => Self::Largest { share: share.parse().map_err(|_| unknown())? },
            _ => return Err(unknown()),
        };
        compression.validate()?;
        Ok(compression)
    }
}

impl fmt::Display for Compression {
    /// Text that reads back as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None {} => f.write_str("none"),
            Self::Steps {} => f.write_str("int8"),
            Self::Largest { share } => write!(f, "top-k:{share}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["none", "int8", "top-k:0.01", "top-k:1"] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_says_what_is_expected() {
        for text in ["int4", "top-k", "top-k:a", "int8:2"] {
            let refusal = text.parse::<Compression>().unwrap_err().to_string();
            assert!(refusal.contains("top-k:SHARE"), "{refusal}");
        }
        for text in ["top-k:0", "top-k:1.5", "top-k:NaN", "top-k:-1"] {
            let refusal = text.parse::<Compression>().unwrap_err().to_string();
            assert!(refusal.contains("above 0, at most 1"), "{refusal}");
        }
    }
}
