//! What one event changes: named rows, and how each becomes the next.
//!
//! The names are known before any row is, so that the rows of many events are loaded at once.

use super::{
    origin::Origin,
    state::{Keys, State, Tabled, json},
};
use crate::error::Result;

type Edit = Box<dyn FnOnce(&mut State) -> Result<()> + Send>;

/// The changes of one event.
pub(crate) struct Plan {
    /// Rows that the changes read or write.
    pub(crate) keys: Keys,
    edits: Vec<Edit>,
    origin: Origin,
}

impl Plan {
    /// No changes yet.
    pub(crate) fn new(origin: Origin) -> Self {
        Self { keys: Keys::default(), edits: Vec::new(), origin }
    }

    /// Makes the next row out of the present one or of none; the state shows rows that other changes of this event name.
    pub(crate) fn make<R: Tabled>(
        &mut self,
        key: R::Key,
        change: impl FnOnce(&State, Option<R>) -> Result<R> + Send + 'static,
    ) {
        R::keys_mut(&mut self.keys).insert(key.clone());
        self.edits.push(Box::new(move |state| {
            let row = state.get::<R>(&key)?.cloned();
            let next = change(state, row)?;
            state.set(key, Some(next))
        }));
    }

    /// Writes a row whatever was there.
    pub(crate) fn put<R: Tabled>(&mut self, row: R) {
        self.make(row.key(), move |_, _| Ok(row));
    }

    /// Changes a row that exists.
    pub(crate) fn change<R: Tabled>(
        &mut self,
        key: R::Key,
        change: impl FnOnce(&mut R) -> Result<()> + Send + 'static,
    ) {
        let (origin, name) = (self.origin, key.clone());
        self.make(key, move |_, row| {
            let mut row = row.ok_or_else(|| origin.missing(R::TABLE, json(&name)))?;
            change(&mut row)?;
            Ok(row)
        });
    }

    /// Performs the changes in their order.
    ///
    /// # Errors
    /// When a row is missing or a sum leaves its range; the state then holds a part of the changes and is worthless.
    pub(crate) fn apply(self, state: &mut State) -> Result<()> {
        self.edits.into_iter().try_for_each(|edit| edit(state))
    }
}
