//! Amounts of USDFC in integer base units.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Decimals of USDFC.
pub const DECIMALS: u32 = 18;
/// Base units of one USDFC.
const UNIT: u128 = 10u128.pow(DECIMALS);

/// An amount of USDFC in base units (10^-18 USDFC). Serialised as a decimal string of base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenAmount(u128);

impl TokenAmount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `units` base units.
    pub const fn from_base_units(units: u128) -> Self {
        Self(units)
    }

    /// `whole` USDFC.
    pub const fn from_whole(whole: u64) -> Self {
        Self(whole as u128 * UNIT)
    }

    /// The number of base units.
    pub const fn base_units(self) -> u128 {
        self.0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`] above 2^128-1.
    #[expect(clippy::should_implement_trait, reason = "an operator cannot return an error, and money must")]
    pub fn add(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or(Error::AmountOverflow { operation: "a sum" })
    }

    /// Difference.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`] when `other` is larger.
    #[expect(clippy::should_implement_trait, reason = "an operator cannot return an error, and money must")]
    pub fn sub(self, other: Self) -> Result<Self> {
        self.0.checked_sub(other.0).map(Self).ok_or(Error::AmountOverflow { operation: "a difference" })
    }

    /// Product with a count.
    ///
    /// # Errors
    /// [`Error::AmountOverflow`] above 2^128-1.
    #[expect(clippy::should_implement_trait, reason = "an operator cannot return an error, and money must")]
    pub fn mul(self, count: u64) -> Result<Self> {
        self.0.checked_mul(u128::from(count)).map(Self).ok_or(Error::AmountOverflow { operation: "a product" })
    }
}

impl fmt::Display for TokenAmount {
    /// USDFC with as many decimals as needed, without a unit: `12.5`. `{:.4}` cuts (never rounds up) to 4 decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:018}", self.0 % UNIT);
        let shown = match f.precision() {
            Some(digits) => &fraction[..digits.min(fraction.len())],
            None => fraction.trim_end_matches('0'),
        };
        let whole = self.0 / UNIT;
        let text = if shown.is_empty() { whole.to_string() } else { format!("{whole}.{shown}") };
        f.pad_integral(true, "", &text)
    }
}

impl FromStr for TokenAmount {
    type Err = Error;

    /// Reads USDFC as a decimal number: `12`, `12.5`, `0.000000000000000001`.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |reason| Error::Amount { text: text.to_owned(), reason };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(refuse("it is empty"));
        }
        if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(refuse("only digits and one point are allowed"));
        }
        if fraction.len() > DECIMALS as usize {
            return Err(refuse("USDFC has 18 decimals"));
        }
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| refuse("it is too large"))? };
        let fraction: u128 = format!("{fraction:0<18}").parse().map_err(|_| refuse("it is too large"))?;
        whole
            .checked_mul(UNIT)
            .and_then(|units| units.checked_add(fraction))
            .map(Self)
            .ok_or_else(|| refuse("it is too large"))
    }
}

impl Serialize for TokenAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TokenAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| serde::de::Error::custom(format!("'{text}' is not a number of base units")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["0", "1", "12.5", "0.000000000000000001", "340282366920938463463.374607431768211455"] {
            assert_eq!(text.parse::<TokenAmount>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn precision_cuts_towards_zero() {
        let amount: TokenAmount = "1.99999".parse().unwrap();
        assert_eq!(format!("{amount:.2}"), "1.99");
    }

    #[test]
    fn nonsense_is_refused_with_the_value() {
        for text in ["", ".", "-1", "1e3", "1.0000000000000000001", "340282366920938463464"] {
            let error = text.parse::<TokenAmount>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }
}
