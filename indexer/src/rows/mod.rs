//! The rows of every projection: what the tables hold, as plain values.
//!
//! Pure: no database, no chain. Each row is a row of the table named in [`Row::TABLE`], field for column; the same serde
//! representation carries it to and from Postgres and into the undo log. Epochs (block heights) end in `_at` or are
//! named after what happens then; amounts are base units.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

mod authority;
mod bytea;
mod escrow;
mod operator;
mod round;
mod seat;
mod session;
mod transfer;

pub(crate) use authority::{AuthorityState, AuthorityStateKey, Role, RoleKey};
pub(crate) use bytea::{Bytes20, Bytes32};
pub(crate) use escrow::{Account, AccountKey, Budget, BudgetKey, Payout, PayoutKey};
pub(crate) use operator::{Operator, OperatorKey, Reputation, Stake, StakeKey};
pub use round::RoundPhase;
pub(crate) use round::{Attestation, Round, RoundKey, Update, UpdateKey};
pub(crate) use seat::{Holdout, Seat, SeatKey};
pub(crate) use session::{Session, SessionKey, Terms};
pub use transfer::TransferKind;
pub(crate) use transfer::{Transfer, TransferKey};

/// A row of one table.
pub(crate) trait Row: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What names the row: the columns of the primary key.
    type Key: Clone + Debug + Ord + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Table in Postgres.
    const TABLE: &'static str;
    /// Name of this row.
    fn key(&self) -> Self::Key;
}

/// Declares the key of a row and the table it lives in.
macro_rules! row {
    ($row:ident in $table:literal by $key:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        #[doc = concat!("Names one row of `", $table, "`.")]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub(crate) struct $key {
            $(pub(crate) $field: $type,)+
        }

        impl super::Row for $row {
            type Key = $key;
            const TABLE: &'static str = $table;

            fn key(&self) -> $key {
                $key { $($field: self.$field,)+ }
            }
        }
    };
}
use row;
