//! The enums of `ISessions`, which the ABI carries as bare numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number that is no variant of the enum, as a newer contract could return it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not a {kind} that this version knows")]
pub struct UnknownState {
    /// Which enum.
    pub kind: &'static str,
    /// The number found.
    pub value: u8,
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident ($kind:literal) { $($(#[$variant_doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $value,)* }

        impl $name {
            /// Every variant, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number that the ABI carries.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $value,)* }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = UnknownState;

            fn try_from(value: u8) -> Result<Self, UnknownState> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    _ => Err(UnknownState { kind: $kind, value }),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> Self {
                value.number()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => stringify!($variant),)* })
            }
        }
    };
}

numbered! {
    /// State of a session.
    State ("session state") {
        /// No such session.
        None = 0,
        /// Funded; seats are being claimed and sealed.
        Open = 1,
        /// Rounds run.
        Active = 2,
        /// All rounds are over.
        Completed = 3,
        /// The requester ended it.
        Cancelled = 4,
        /// It never filled.
        Expired = 5,
    }
}

numbered! {
    /// Phase of the current round of a session.
    Phase ("round phase") {
        /// No round runs.
        None = 0,
        /// Runners train and submit.
        Training = 1,
        /// Who submitted is fixed; a proposal is due.
        Closed = 2,
        /// Submitters post the shares that secure aggregation needs.
        Unmasking = 3,
        /// A proposal waits for attestations and its window.
        Proposed = 4,
    }
}

numbered! {
    /// Where the data of a session comes from.
    DataMode ("data mode") {
        /// Each runner brings its own.
        Private = 0,
        /// The requester seals a shard to each seat.
        Uploaded = 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_and_unknown_ones_are_named() {
        for state in State::ALL {
            assert_eq!(State::try_from(state.number()), Ok(*state));
        }
        for phase in Phase::ALL {
            assert_eq!(Phase::try_from(phase.number()), Ok(*phase));
        }
        for mode in DataMode::ALL {
            assert_eq!(DataMode::try_from(mode.number()), Ok(*mode));
        }
        assert_eq!(Phase::try_from(9).unwrap_err().to_string(), "9 is not a round phase that this version knows");
    }
}
