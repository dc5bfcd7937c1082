//! From accepted updates to the next model and state, as the spec's aggregation says.

use parity_protocol::{
    aggregation::{Aggregation, Rule},
    spec::SessionSpec,
    training::Optimizer,
};

use super::{UpdateInput, check::Checked};
use crate::{
    Result,
    aggregate::{self, Contribution, Root, Weighted},
    tensors::Tensors,
};

/// What the rule is applied to.
pub(super) struct Step<'a> {
    pub(super) spec: &'a SessionSpec,
    /// The aggregation of this round: the spec's, unless the rule needs rows that nobody has.
    pub(super) aggregation: &'a Aggregation,
    pub(super) previous: &'a Tensors,
    pub(super) good: &'a [(&'a UpdateInput, Checked)],
    pub(super) root: Option<&'a dyn Root>,
}

impl Step<'_> {
    /// The places of all accepted updates.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.good.len()).collect()
    }

    /// What the rule makes of the updates at these places; the one at `still` as if its seat had not moved.
    pub(super) fn target(&self, places: &[usize], still: Option<usize>) -> Result<Tensors> {
        let weighted = |place: &usize| {
            let update = &self.good[*place].1;
            let model = if still == Some(*place) { self.previous } else { &update.weights };
            Weighted { model, weight: update.samples }
        };
        let weighted: Vec<Weighted<'_>> = places.iter().map(weighted).collect();
        if !self.aggregation.normalise_steps {
            return aggregate::apply(self.aggregation, self.previous, &weighted, self.root);
        }
        let path = |place: &usize| aggregate::path(&self.spec.training, self.good[*place].0.samples);
        let paths: Vec<f64> = places.iter().map(path).collect();
        let normalised = aggregate::normalise_steps(&weighted, self.previous, &paths)?;
        let weighted: Vec<Weighted<'_>> =
            normalised.iter().zip(&weighted).map(|(model, input)| Weighted { model, weight: input.weight }).collect();
        aggregate::apply(self.aggregation, self.previous, &weighted, self.root)
    }
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
