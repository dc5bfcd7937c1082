//! Whether a round reaches the target of its session: computed from the holdout by every keeper itself, because the answer is part
//! of what attesters compare. In this process, not in the trainer: libtorch may round otherwise on another machine.

use std::sync::Arc;

use parity_learning::{
    holdout::Holdout,
    weights::{AnyPredictor, Weights},
};
use parity_protocol::spec::SessionSpec;

use crate::{
    error::{Error, Result},
    view::Terms,
};

/// Whether the model of a round reaches the target. Neither a model whose outputs are not finite does, nor any of a round that is
/// judged without the holdout ([`may_do_without`](crate::holdout::may_do_without)).
///
/// # Errors
/// [`parity_learning::Error`] when the weights are not of the spec, [`Error::Computation`].
pub(crate) async fn reaches(
    spec: Arc<SessionSpec>,
    terms: &Terms,
    weights: Arc<Weights>,
    holdout: Option<Arc<Holdout>>,
) -> Result<bool> {
    // Without the contract's leave no proposal may say so, whatever the spec wishes.
    let Some(holdout) = holdout.filter(|_| spec.target.is_some() && terms.targeted) else { return Ok(false) };
    let reached = tokio::task::spawn_blocking(move || {
        match AnyPredictor::of_spec(&spec, &weights)?.evaluate(holdout.measuring()) {
            Ok(evaluation) => Ok(spec.is_reached(&evaluation.metrics)),
            Err(parity_learning::Error::Rows(_)) => Ok(false),
            Err(error) => Err(error),
        }
    });
    Ok(reached.await.map_err(|_| Error::Computation)??)
}
