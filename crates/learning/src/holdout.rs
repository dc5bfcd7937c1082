//! The held-out rows of a session, as keepers and simulations use them.
//!
//! Under the rule `root_data` some of them judge updates; those that measure the model and score seats are others, or the figures
//! would praise the choice that was made by them.

use parity_protocol::{B256, Link, aggregation::Rule, link::RAW, spec::SessionSpec};

use crate::{Error, Result, partition, table::Table};

/// Held-out rows, parted by what they are for.
#[derive(Clone, Debug, PartialEq)]
pub struct Holdout {
    measuring: Table,
    judging: Table,
}

impl Holdout {
    /// Parts the rows by the seed of the spec: the same for everyone who has them.
    ///
    /// # Errors
    /// [`Error::Split`] when the rule wants more than half of the rows for itself.
    pub fn new(spec: &SessionSpec, rows: Table) -> Result<Self> {
        let Rule::RootData { rows: wanted } = spec.aggregation.rule else {
            let judging = rows.select(&[]);
            return Ok(Self { measuring: rows, judging });
        };
        if rows.rows() < 2 * usize::from(wanted) {
            return Err(Error::Split(format!(
                "root-data:{wanted} needs {} held-out rows, there are {}; hold out more rows",
                2 * usize::from(wanted),
                rows.rows()
            )));
        }
        let share = f64::from(wanted) / float(rows.rows());
        let (measuring, judging) = partition::split_holdout(&rows.labels, share, spec.training.seed)?;
        Ok(Self { measuring: rows.select(&measuring), judging: rows.select(&judging) })
    }

    /// Reads the file that the requester sealed, and checks that it is the one that the spec names.
    ///
    /// # Errors
    /// [`Error::Rows`] when the spec has no holdout or names another one, and as [`Holdout::new`] and
    /// [`Table::from_safetensors`].
    pub fn of_spec(spec: &SessionSpec, file: &[u8]) -> Result<Self> {
        let Some((expected, named)) = spec.data.holdout() else {
            return Err(Error::Rows("the session has no holdout".into()));
        };
        let actual = digest(file);
        if actual != named {
            return Err(Error::Rows(format!("the holdout has digest {actual}, the spec names {named}")));
        }
        let rows = Table::from_safetensors(file)?;
        if u64::try_from(rows.rows()) != Ok(expected) || rows.features != spec.schema.features() {
            return Err(Error::Rows(format!(
                "the holdout has {} rows of {} features, the spec says {expected} of {}",
                rows.rows(),
                rows.features,
                spec.schema.features()
            )));
        }
        Self::new(spec, rows)
    }

    /// The rows that measure models and score seats.
    pub fn measuring(&self) -> &Table {
        &self.measuring
    }

    /// The rows by which the rule `root_data` judges updates; none under another rule.
    pub fn judging(&self) -> &Table {
        &self.judging
    }
}

/// What a spec names the file of a holdout by: its sha2-256.
pub fn digest(file: &[u8]) -> B256 {
    Link::of_block(RAW, file).digest()
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn float(rows: usize) -> f64 {
    rows as f64
}
