//! Whether a round reaches the target of its session: computed from the holdout by every keeper itself, because the answer is part
//! of what attesters compare. In this process, not in the trainer: libtorch may round otherwise on another machine.
//!
//! A keeper to which the holdout was not sealed can neither propose nor attest in a session with a target; the requester seals it to
//! whoever asks (`parity fl seal`).

use std::sync::Arc;

use parity_learning::{table::Table, weights::AnyPredictor};
use parity_protocol::B256;

use crate::{
    aggregate::Aggregate,
    error::{Error, Result},
    recompute::Recompute,
    view::SessionView,
};

impl Recompute {
    /// Whether the aggregate of the current round reaches the target. A model whose outputs are not finite does not.
    ///
    /// # Errors
    /// [`Error::NoHoldout`] where there is a target and no holdout for this keeper, and those of [`Recompute::holdout`].
    pub(crate) async fn reaches(
        &self,
        view: &SessionView,
        holdout: Option<B256>,
        aggregate: &Arc<Aggregate>,
    ) -> Result<bool> {
        let spec = self.spec(view.id, view.terms.spec).await?;
        // Without the contract's leave no proposal may say so, whatever the spec wishes.
        if spec.target.is_none() || !view.terms.targeted {
            return Ok(false);
        }
        let round = view.progress.round;
        let holdout = holdout.ok_or(Error::NoHoldout { round })?;
        let rows = self.holdout(round, holdout, view.terms.spec, &spec).await?;
        let aggregate = Arc::clone(aggregate);
        let reached = tokio::task::spawn_blocking(move || {
            let rows = Table::from_safetensors(&rows)?;
            match AnyPredictor::of_spec(&spec, &aggregate.weights)?.evaluate(&rows) {
                Ok(metrics) => Ok(spec.is_reached(&metrics)),
                Err(parity_learning::Error::Rows(_)) => Ok(false),
                Err(error) => Err(error),
            }
        });
        Ok(reached.await.map_err(|_| Error::Computation)??)
    }
}
