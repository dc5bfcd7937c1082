//! How good a round's model is: on the holdout that the requester sealed to this keeper, or as runners reported it.
//!
//! Metrics go into the proposer's report. They are not part of what attesters compare, so a failed evaluation delays nothing:
//! the round is then proposed without them.

use std::sync::Arc;

use parity_learning::{holdout::Holdout, weights::AnyPredictor};
use parity_protocol::{
    job::{Job, JobKind},
    metrics::{Evaluation, Metrics},
    spec::SessionSpec,
};

use crate::{
    aggregate::Aggregate,
    error::{Error, Result},
    trial::Trial,
};

/// How good `aggregate` is on the measuring rows of the holdout, computed in the trainer's sandbox, or by this process where there is
/// none.
///
/// # Errors
/// [`Error::Evaluation`].
pub async fn on_holdout(
    trial: Option<&dyn Trial>,
    spec: &SessionSpec,
    aggregate: &Aggregate,
    holdout: Arc<Holdout>,
) -> Result<Evaluation> {
    let round = aggregate.manifest.round;
    let failed = |reason: String| Error::Evaluation { round, reason };
    let evaluation = match trial {
        Some(trial) => {
            let rows = holdout.measuring().to_safetensors().into();
            let job = Job::of_spec(spec, JobKind::Evaluate {}, 1);
            trial.evaluate(job, rows, aggregate.model.clone()).await.map_err(|error| failed(format!("{error:#}")))?
        }
        None => {
            let predictor = AnyPredictor::of_spec(spec, &aggregate.weights)?;
            tokio::task::spawn_blocking(move || predictor.evaluate(holdout.measuring()))
                .await
                .map_err(|_| Error::Computation)??
        }
    };
    if evaluation.metrics.is_finite() { Ok(evaluation) } else { Err(failed("its metrics are not finite".to_owned())) }
}

/// Mean of what runners reported, weighted by accepted samples; a figure that any of them lacks is left out.
///
/// A mean over runners is the figure on all their rows for losses, accuracy and errors (squared ones are averaged before the
/// root), and a figure of its own for R2 and AUC: how much of its labels' spread, and how well its rows are told apart, within a
/// runner on average. The mean of macro F1 means neither, as each runner's is a mean over the classes it happens to have.
pub fn as_reported(reported: &[(u64, Metrics)]) -> Option<Metrics> {
    let reported: Vec<_> = reported.iter().filter(|(weight, metrics)| *weight > 0 && metrics.is_finite()).collect();
    #[expect(clippy::cast_precision_loss, reason = "weights of a mean; 53 bits are enough")]
    let mean = |figure: &dyn Fn(&Metrics) -> Option<f64>| {
        let mut sum = 0.0;
        let mut total = 0.0;
        for (weight, metrics) in &reported {
            sum += *weight as f64 * figure(metrics)?;
            total += *weight as f64;
        }
        (total > 0.0).then_some(sum / total)
    };
    Some(Metrics {
        samples: reported.iter().fold(0, |sum, (_, metrics)| sum.saturating_add(metrics.samples)),
        loss: mean(&|metrics| Some(metrics.loss))?,
        accuracy: mean(&|metrics| metrics.accuracy),
        macro_f1: None,
        auc: mean(&|metrics| metrics.auc),
        r2: mean(&|metrics| metrics.r2),
        mae: mean(&|metrics| metrics.mae),
        rmse: mean(&|metrics| metrics.rmse.map(|error| error * error)).map(f64::sqrt),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(samples: u64, loss: f64, accuracy: Option<f64>) -> Metrics {
        Metrics { samples, loss, accuracy, ..Metrics::default() }
    }

    #[test]
    fn reports_are_weighted_by_samples() {
        let mean = as_reported(&[(1, metrics(5, 4.0, Some(0.5))), (3, metrics(6, 0.0, Some(0.9)))]).unwrap();
        assert_eq!(mean, metrics(11, 1.0, Some(0.8)));
    }

    #[test]
    fn figures_without_a_meaningful_mean_are_left_out() {
        let of = |rmse, auc| Metrics { macro_f1: Some(0.5), rmse: Some(rmse), auc, ..metrics(5, 1.0, None) };
        let mean = as_reported(&[(1, of(1.0, Some(0.5))), (1, of(7.0, None))]).unwrap();
        assert_eq!((mean.macro_f1, mean.auc, mean.rmse), (None, None, Some(5.0)));
    }

    #[test]
    fn a_report_that_is_not_finite_counts_for_nothing() {
        let mean = as_reported(&[(1, metrics(5, f64::INFINITY, Some(0.5))), (3, metrics(6, 2.0, None))]).unwrap();
        assert_eq!(mean, metrics(6, 2.0, None));
        assert_eq!(as_reported(&[(1, metrics(5, f64::NAN, None))]), None);
        assert_eq!(as_reported(&[]), None);
    }
}
