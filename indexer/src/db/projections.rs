//! Loading and writing the rows of every projection.
//!
//! Rows pass as one JSON document in each direction, so that a statement is the same for one row and for thousands.

use std::collections::BTreeSet;

use sqlx::{PgConnection, types::Json};

use crate::{
    error::{Error, Result},
    fold::{
        Keys, State,
        state::{Tabled, each_table},
    },
    rows::{
        Account, Attestation, AuthorityState, Budget, Holdout, Operator, Payout, Reputation, Role, Round, Seat,
        Session, Stake, Transfer, Update,
    },
};

/// Rows that have a table.
trait Stored: Tabled {
    /// The rows that exist among `keys`.
    async fn load(db: &mut PgConnection, keys: &BTreeSet<Self::Key>) -> Result<Vec<Self>, sqlx::Error>;
    /// Every row.
    async fn load_all(db: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error>;
    async fn delete(db: &mut PgConnection, keys: &[&Self::Key]) -> Result<(), sqlx::Error>;
    async fn insert(db: &mut PgConnection, rows: &[&Self]) -> Result<(), sqlx::Error>;
}

macro_rules! stored {
    ($row:ident, $table:literal, $columns:literal, $same:literal) => {
        impl Stored for $row {
            async fn load(db: &mut PgConnection, keys: &BTreeSet<Self::Key>) -> Result<Vec<Self>, sqlx::Error> {
                let rows = sqlx::query_scalar!(
                    "select to_jsonb(t) as \"row!: Json<Self>\" from "
                        + $table
                        + " as t inner join jsonb_populate_recordset(null::"
                        + $table
                        + ", $1) as k using ("
                        + $columns
                        + ")",
                    Json(keys) as _
                )
                .fetch_all(db)
                .await?;
                Ok(rows.into_iter().map(|row| row.0).collect())
            }

            async fn load_all(db: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
                let rows = sqlx::query_scalar!("select to_jsonb(t) as \"row!: Json<Self>\" from " + $table + " as t")
                    .fetch_all(db)
                    .await?;
                Ok(rows.into_iter().map(|row| row.0).collect())
            }

            async fn delete(db: &mut PgConnection, keys: &[&Self::Key]) -> Result<(), sqlx::Error> {
                sqlx::query!(
                    "delete from "
                        + $table
                        + " as t using jsonb_populate_recordset(null::"
                        + $table
                        + ", $1) as k where "
                        + $same,
                    Json(keys) as _
                )
                .execute(db)
                .await?;
                Ok(())
            }

            async fn insert(db: &mut PgConnection, rows: &[&Self]) -> Result<(), sqlx::Error> {
                sqlx::query!(
                    "insert into " + $table + " select * from jsonb_populate_recordset(null::" + $table + ", $1)",
                    Json(rows) as _
                )
                .execute(db)
                .await?;
                Ok(())
            }
        }
    };
}

stored!(Session, "sessions", "session_id", "t.session_id = k.session_id");
stored!(Seat, "seats", "session_id, seat", "t.session_id = k.session_id and t.seat = k.seat");
stored!(Round, "rounds", "session_id, round", "t.session_id = k.session_id and t.round = k.round");
stored!(
    Update,
    "updates",
    "session_id, round, operator",
    "t.session_id = k.session_id and t.round = k.round and t.operator = k.operator"
);
stored!(
    Attestation,
    "attestations",
    "session_id, round, keeper",
    "t.session_id = k.session_id and t.round = k.round and t.keeper = k.keeper"
);
stored!(Holdout, "holdouts", "session_id, keeper", "t.session_id = k.session_id and t.keeper = k.keeper");
stored!(Budget, "budgets", "controller, budget_id", "t.controller = k.controller and t.budget_id = k.budget_id");
stored!(
    Payout,
    "payouts",
    "controller, budget_id, operator",
    "t.controller = k.controller and t.budget_id = k.budget_id and t.operator = k.operator"
);
stored!(Account, "accounts", "account", "t.account = k.account");
stored!(Operator, "operators", "operator", "t.operator = k.operator");
stored!(Stake, "stakes", "operator", "t.operator = k.operator");
stored!(Reputation, "reputations", "operator", "t.operator = k.operator");
stored!(Role, "roles", "role, account", "t.role = k.role and t.account = k.account");
stored!(AuthorityState, "authorities", "authority", "t.authority = k.authority");
stored!(
    Transfer,
    "transfers",
    "number, log_index, part",
    "t.number = k.number and t.log_index = k.log_index and t.part = k.part"
);

macro_rules! for_all {
    ($($field:ident: $row:ty,)*) => {
        /// What the database has for `keys`.
        ///
        /// # Errors
        /// When the database is away.
        pub(crate) async fn load(db: &mut PgConnection, keys: Keys) -> Result<State> {
            let mut state = State::partial();
            $(if !keys.$field.is_empty() {
                let rows = <$row>::load(db, &keys.$field).await.map_err(Error::database("loading rows"))?;
                state.$field.load(keys.$field, rows);
            })*
            Ok(state)
        }

        /// Every row there is.
        ///
        /// # Errors
        /// When the database is away.
        pub(crate) async fn load_all(db: &mut PgConnection) -> Result<State> {
            let mut state = State::empty();
            $(let rows = <$row>::load_all(db).await.map_err(Error::database("loading rows"))?;
            state.$field.load(BTreeSet::new(), rows);)*
            Ok(state)
        }

        /// Writes every changed row; says how many there were.
        ///
        /// # Errors
        /// When the database is away.
        pub(crate) async fn save(db: &mut PgConnection, state: &State) -> Result<usize> {
            let mut written = 0;
            $({
                let keys: Vec<_> = state.$field.changes().map(|(key, _)| key).collect();
                let rows: Vec<_> = state.$field.changes().filter_map(|(_, row)| row).collect();
                if !keys.is_empty() {
                    <$row>::delete(db, &keys).await.map_err(Error::database("replacing rows"))?;
                    <$row>::insert(db, &rows).await.map_err(Error::database("writing rows"))?;
                    written += keys.len();
                }
            })*
            Ok(written)
        }
    };
}
each_table!(for_all);
