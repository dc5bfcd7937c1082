//! From accepted updates to the next model and state, as the spec's aggregation says.

use parity_protocol::{aggregation::Rule, spec::SessionSpec, training::Optimizer};

use super::{UpdateInput, check::Checked};
use crate::{
    Result,
    aggregate::{self, Contribution, Root, Weighted},
    tensors::Tensors,
};

/// What the rule makes of the accepted updates.
pub(super) fn target(
    spec: &SessionSpec,
    previous: &Tensors,
    good: &[(&UpdateInput, Checked)],
    root: Option<&dyn Root>,
) -> Result<Tensors> {
    let weighted: Vec<Weighted<'_>> =
        good.iter().map(|(_, update)| Weighted { model: &update.weights, weight: update.samples }).collect();
    if !spec.aggregation.normalise_steps {
        return aggregate::apply(&spec.aggregation, previous, &weighted, root);
    }
    let paths: Vec<f64> = good.iter().map(|(input, _)| aggregate::path(&spec.training, input.samples)).collect();
    let normalised = aggregate::normalise_steps(&weighted, previous, &paths)?;
    let weighted: Vec<Weighted<'_>> =
        normalised.iter().zip(&weighted).map(|(model, input)| Weighted { model, weight: input.weight }).collect();
    aggregate::apply(&spec.aggregation, previous, &weighted, root)
}

/// The model after the server optimiser, and the state for the next round.
pub(super) fn follow(
    spec: &SessionSpec,
    round: u16,
    previous: &Tensors,
    state: Option<&Tensors>,
    good: &[(&UpdateInput, Checked)],
    target: &Tensors,
) -> Result<(Tensors, Option<Tensors>)> {
    let (model, mut next) = aggregate::follow(&spec.aggregation.server, previous, target, state)?;
    if let (Some(control), Optimizer::Sgd { learning_rate, .. }) = (&spec.aggregation.control, &spec.training.optimizer)
    {
        let step = learning_rate * spec.training.schedule.factor(round);
        let contributions: Vec<Contribution<'_>> = good
            .iter()
            .map(|(input, update)| Contribution {
                seat: input.seat,
                weight: if spec.aggregation.rule == (Rule::Mean {}) { float(update.samples) } else { 1.0 },
                update: &update.weights,
                distance: step * aggregate::path(&spec.training, input.samples),
            })
            .collect();
        next.0.extend(aggregate::control(state, previous, &contributions, control.clip)?.0);
    }
    Ok((model, spec.aggregation.has_state().then_some(next)))
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^24 samples may lose their last digits")]
fn float(samples: u64) -> f32 {
    samples as f32
}
