//! The rows a fold works on, with everything needed to write them back and to take a block back again.
//!
//! Invariant: after [`State::undo`] of the entries of a block, the state is what it was before that block.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    rows::{
        Account, Attestation, AuthorityState, Budget, Holdout, Operator, Payout, Reputation, Role, Round, Row, Seat,
        Session, Stake, Transfer, Update,
    },
};

/// Some rows of one table. A key without a row is known not to exist; an unknown key was not loaded.
#[derive(Clone, Debug)]
pub(crate) struct Table<R: Row> {
    rows: BTreeMap<R::Key, Option<R>>,
    /// Keys whose row differs from what was loaded.
    changed: BTreeSet<R::Key>,
    /// Keys whose earlier row is in the undo log of the present block.
    saved: BTreeSet<R::Key>,
    /// Whether everything there is was loaded, so that an unknown key does not exist.
    complete: bool,
}

impl<R: Row> Table<R> {
    fn new(complete: bool) -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new(), saved: BTreeSet::new(), complete }
    }

    /// The row, if there is one.
    fn get(&self, key: &R::Key) -> Result<Option<&R>> {
        match self.rows.get(key) {
            Some(row) => Ok(row.as_ref()),
            None if self.complete => Ok(None),
            None => Err(Error::Undeclared { table: R::TABLE, key: json(key) }),
        }
    }

    /// Takes in what the database has for `keys`.
    pub(crate) fn load(&mut self, keys: BTreeSet<R::Key>, rows: Vec<R>) {
        self.rows.extend(keys.into_iter().map(|key| (key, None)));
        self.rows.extend(rows.into_iter().map(|row| (row.key(), Some(row))));
    }

    /// Keys that have to be written, with their row or none.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&R::Key, Option<&R>)> {
        self.changed.iter().map(|key| (key, self.rows.get(key).and_then(Option::as_ref)))
    }

    /// All rows in the order of their keys.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &R> {
        self.rows.values().flatten()
    }

    fn set(&mut self, key: R::Key, row: Option<R>) {
        self.changed.insert(key.clone());
        self.rows.insert(key, row);
    }
}

/// What a row was before a block changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    /// The block.
    pub(crate) number: u64,
    /// Table of the row.
    pub(crate) table: String,
    /// Its key as JSON.
    pub(crate) key: String,
    /// The earlier row as JSON, none when there was none.
    pub(crate) previous: Option<String>,
}

/// A row type that has its table in [`State`].
pub(crate) trait Tabled: Row {
    fn table(state: &State) -> &Table<Self>;
    fn table_mut(state: &mut State) -> &mut Table<Self>;
    fn keys_mut(keys: &mut Keys) -> &mut BTreeSet<Self::Key>;
}

/// Lists every projection once; `each_table!(f)` calls the macro `f` with all of them.
macro_rules! each_table {
    ($then:ident) => {
        $then! {
            sessions: Session, seats: Seat, rounds: Round, updates: Update, attestations: Attestation,
            holdouts: Holdout, budgets: Budget, payouts: Payout, accounts: Account, operators: Operator,
            stakes: Stake, reputations: Reputation, roles: Role, authorities: AuthorityState, transfers: Transfer,
        }
    };
}
pub(crate) use each_table;

macro_rules! define_state {
    ($($field:ident: $row:ty,)*) => {
        /// Rows of every projection.
        #[derive(Clone, Debug)]
        pub(crate) struct State {
            $(pub(crate) $field: Table<$row>,)*
            undo: Vec<Undo>,
            /// The block whose changes go into the undo log, none when they need not be undone.
            undoable: Option<u64>,
        }

        /// Keys of every projection.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Keys {
            $(pub(crate) $field: BTreeSet<<$row as Row>::Key>,)*
        }

        impl Keys {
            /// Adds the keys of `other`.
            pub(crate) fn extend(&mut self, other: &Self) {
                $(self.$field.extend(other.$field.iter().cloned());)*
            }
        }

        impl State {
            fn with(complete: bool) -> Self {
                Self { $($field: Table::new(complete),)* undo: Vec::new(), undoable: None }
            }

            /// Starts a block; its changes are undoable or not.
            pub(crate) fn begin(&mut self, number: u64, is_undoable: bool) {
                self.undoable = is_undoable.then_some(number);
                $(self.$field.saved.clear();)*
            }

            fn restore(&mut self, undo: &Undo) -> Result<()> {
                match undo.table.as_str() {
                    $(<$row as Row>::TABLE => {
                        let key = serde_json::from_str(&undo.key).map_err(Error::stored("undo entry"))?;
                        let previous = undo.previous.as_deref().map(serde_json::from_str).transpose();
                        self.$field.set(key, previous.map_err(Error::stored("undo entry"))?);
                        Ok(())
                    })*
                    other => Err(Error::Stored { what: "undo entry", source: format!("no table {other}").into() }),
                }
            }

            /// The tables in which two states differ, with one differing row each.
            pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
                let mut differences = Vec::new();
                $(if let Some((left, right)) = first_difference(&self.$field, &other.$field) {
                    differences.push(format!("{}: {left} is not {right}", <$row as Row>::TABLE));
                })*
                differences
            }
        }

        $(impl Tabled for $row {
            fn table(state: &State) -> &Table<Self> { &state.$field }
            fn table_mut(state: &mut State) -> &mut Table<Self> { &mut state.$field }
            fn keys_mut(keys: &mut Keys) -> &mut BTreeSet<Self::Key> { &mut keys.$field }
        })*
    };
}
each_table!(define_state);

impl State {
    /// A state that knows nothing until rows are loaded.
    pub(crate) fn partial() -> Self {
        Self::with(false)
    }

    /// The state before the first event: no rows at all.
    pub(crate) fn empty() -> Self {
        Self::with(true)
    }

    /// The row named `key`, if there is one.
    ///
    /// # Errors
    /// [`Error::Undeclared`] when it was not loaded.
    pub(crate) fn get<R: Tabled>(&self, key: &R::Key) -> Result<Option<&R>> {
        R::table(self).get(key)
    }

    /// Sets the row named `key`, or removes it.
    pub(crate) fn set<R: Tabled>(&mut self, key: R::Key, next: Option<R>) -> Result<()> {
        let previous = R::table(self).get(&key)?;
        if previous == next.as_ref() {
            return Ok(());
        }
        if let Some(number) = self.undoable
            && !R::table(self).saved.contains(&key)
        {
            let entry = Undo { number, table: R::TABLE.to_owned(), key: json(&key), previous: previous.map(json) };
            self.undo.push(entry);
            R::table_mut(self).saved.insert(key.clone());
        }
        R::table_mut(self).set(key, next);
        Ok(())
    }

    /// What was recorded since the state was made, oldest first.
    pub(crate) fn undo_entries(&self) -> &[Undo] {
        &self.undo
    }

    /// Takes changes back; `entries` in the order in which they were recorded.
    pub(crate) fn undo(&mut self, entries: &[Undo]) -> Result<()> {
        entries.iter().rev().try_for_each(|entry| self.restore(entry))
    }
}

/// JSON text of a row or key. Unlike a `serde_json::Value` it holds integers of 128 bits.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("rows and keys are plain structs with string keys")
}

fn first_difference<R: Row>(left: &Table<R>, right: &Table<R>) -> Option<(String, String)> {
    let (mut left, mut right) = (left.rows(), right.rows());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => {
                let show = |row: Option<&R>| row.map_or_else(|| "nothing".to_owned(), json);
                return Some((show(left), show(right)));
            }
        }
    }
}
