//! From accepted updates to the next model and state, as the spec's aggregation says.

use parity_protocol::{
    aggregation::{Aggregation, Rule},
    spec::SessionSpec,
    training::Optimizer,
};

use super::{UpdateInput, check::Checked};
use crate::{
    Result,
    aggregate::{self, Contribution, Evidence, Root, Trust, Weighted},
    tensors::Tensors,
};

/// What the root rows have said about every seat with this round, where there are root rows; otherwise what the state has.
pub(super) fn evidence(
    previous: &Tensors,
    state: Option<&Tensors>,
    good: &[(&UpdateInput, Checked)],
    root: Option<&dyn Root>,
) -> Result<Evidence> {
    let mut evidence = Evidence::of_state(state);
    if let Some(root) = root {
        let weighted: Vec<Weighted<'_>> =
            good.iter().map(|(_, update)| Weighted { model: &update.weights, weight: update.samples }).collect();
        let gains = aggregate::gains(&weighted, previous, root)?;
        good.iter().zip(gains).for_each(|((input, _), gain)| evidence.observe(input.seat, gain));
    }
    Ok(evidence)
}

/// What the rule is applied to.
pub(super) struct Step<'a> {
    pub(super) spec: &'a SessionSpec,
    /// The aggregation of this round: the spec's, unless the rule needs rows that nobody has.
    pub(super) aggregation: &'a Aggregation,
    pub(super) previous: &'a Tensors,
    pub(super) good: &'a [(&'a UpdateInput, Checked)],
    pub(super) root: Option<&'a dyn Root>,
    /// What the root rows have said about every seat, with this round.
    pub(super) evidence: &'a Evidence,
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
        let evidence: Vec<f64> = places.iter().map(|place| self.evidence.of_seat(self.good[*place].0.seat)).collect();
        let trust = self.root.map(|root| Trust { root, evidence: &evidence });
        let trust = trust.as_ref();
        if !self.aggregation.normalise_steps {
            return aggregate::apply(self.aggregation, self.previous, &weighted, trust);
        }
        let path = |place: &usize| aggregate::path(&self.spec.training, self.good[*place].0.samples);
        let paths: Vec<f64> = places.iter().map(path).collect();
        let normalised = aggregate::normalise_steps(&weighted, self.previous, &paths)?;
        let weighted: Vec<Weighted<'_>> =
            normalised.iter().zip(&weighted).map(|(model, input)| Weighted { model, weight: input.weight }).collect();
        aggregate::apply(self.aggregation, self.previous, &weighted, trust)
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
    evidence: &Evidence,
) -> Result<(Tensors, Option<Tensors>)> {
    let (model, mut next) = aggregate::follow(&spec.aggregation.server, previous, target, state)?;
    next.0.extend(evidence.to_state().0);
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
    // A rule with root rows that nobody had yet leaves nothing.
    Ok((model, (spec.aggregation.has_state() && !next.0.is_empty()).then_some(next)))
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^24 samples may lose their last digits")]
fn float(samples: u64) -> f32 {
    samples as f32
}
