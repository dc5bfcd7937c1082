//! Who scores by what: opening the holdout that the requester sealed, and when a round may be scored without it.
//!
//! A round of a session with a holdout is scored on it. So that a requester who never seals it, or seals something else than the
//! spec names, can neither stop a session nor have work for nothing, a proposal in the second half of the proposal period may
//! be scored without it, by what everyone sees. The manifest says which; the epochs are on chain, so everyone agrees
//! (docs/adr/0014).

use std::sync::Arc;

use parity_content::{get_artifact, get_manifest};
use parity_learning::holdout::Holdout;
use parity_protocol::{B256, manifest::SealedData, spec::SessionSpec};

use crate::{
    error::{Error, Result},
    recompute::Recompute,
    view::SessionView,
};

/// Whether a proposal at this epoch may do without the holdout: in the second half of the period that ends with `propose_by`.
pub fn may_do_without(epoch: u64, propose_by: u64, propose_period: u64) -> bool {
    epoch > propose_by.saturating_sub(propose_period / 2)
}

impl Recompute {
    /// The holdout that was sealed under this digest, if it is the one that the spec names.
    ///
    /// # Errors
    /// When it cannot be fetched or opened, or is another one.
    pub async fn holdout(
        &self,
        session: u64,
        spec_digest: B256,
        spec: &SessionSpec,
        sealed: B256,
    ) -> Result<Arc<Holdout>> {
        if let Some((kept, holdout)) = &self.kept().entry(session).or_default().holdout
            && *kept == sealed
        {
            return Ok(Arc::clone(holdout));
        }
        let manifest: SealedData =
            get_manifest(&**self.store(), sealed).await.map_err(Error::content("fetch the holdout's manifest"))?;
        let context = [&b"parity/holdout/"[..], spec_digest.as_slice()].concat();
        let rows = spec.data.holdout().map_or(0, |(rows, _)| rows);
        let file = get_artifact(&**self.store(), &manifest.artifact, self.key(), &context, bytes_of(spec, rows))
            .await
            .map_err(Error::content("open the holdout"))?;
        let holdout = Arc::new(Holdout::of_spec(spec, &file)?);
        self.kept().entry(session).or_default().holdout = Some((sealed, Arc::clone(&holdout)));
        Ok(holdout)
    }

    /// The holdout under whichever digest the own key opens; none where it opens none.
    ///
    /// # Errors
    /// When the session or its spec cannot be read.
    pub async fn any_holdout(&self, view: &SessionView) -> Result<Option<Arc<Holdout>>> {
        let spec = self.spec(view.id, view.terms.spec).await?;
        if self.key().is_none() || spec.data.holdout().is_none() {
            return Ok(None);
        }
        for sealed in self.history(view.id).await?.holdouts() {
            if let Ok(holdout) = self.holdout(view.id, view.terms.spec, &spec, *sealed).await {
                return Ok(Some(holdout));
            }
        }
        Ok(None)
    }
}

/// Most bytes of a table: features and label of every row, and 1 MiB for the header.
fn bytes_of(spec: &SessionSpec, rows: u64) -> u64 {
    let features = u64::try_from(spec.schema.features()).unwrap_or(u64::MAX);
    features.saturating_mul(4).saturating_add(8).saturating_mul(rows).saturating_add(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_half_of_the_period_belongs_to_those_who_have_the_holdout() {
        // A round closed at epoch 100.
        let late = |epoch| may_do_without(epoch, 120, 20);
        assert!(!late(101) && !late(110) && late(111) && late(120));
    }
}
