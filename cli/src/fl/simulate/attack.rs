//! Faulty seats: they train on poisoned rows where the attack poisons, and send what it makes of all updates of the round.

use anyhow::{Context, bail};
use parity_learning::{
    attack::{Attack, Scene, Trigger},
    predict::{Predictions, Predictor},
    table::Table,
    tensors::Tensors,
};
use parity_protocol::spec::SessionSpec;

use super::pool::Trained;

/// What the last seats of a session do.
#[derive(Clone, Debug)]
pub(super) struct Faulty {
    attack: Attack,
    first: usize,
    trigger: Trigger,
}

impl Faulty {
    /// The last `count` seats follow this attack; their rows are poisoned.
    pub(super) fn new(attack: Attack, count: u16, classes: usize, shards: &mut [Table]) -> anyhow::Result<Self> {
        let count = usize::from(count);
        let first = shards.len().checked_sub(count).filter(|honest| count > 0 && *honest > 0).with_context(|| {
            format!(
                "--faulty {count} must lie between 1 and {}: one of the {} seats is honest",
                shards.len() - 1,
                shards.len()
            )
        })?;
        let trigger = Trigger::of(&shards[0]);
        for table in &mut shards[first..] {
            *table = attack.poison(table, i64::try_from(classes)?, &trigger);
        }
        Ok(Self { attack, first, trigger })
    }

    /// Replaces what faulty seats trained by what they send.
    pub(super) fn craft(
        &self,
        spec: &SessionSpec,
        round: u16,
        previous: &Tensors,
        trained: &mut [Trained],
    ) -> anyhow::Result<()> {
        let is_faulty = |trained: &&Trained| usize::from(trained.seat) >= self.first;
        let read = |trained: &Trained| Tensors::from_bytes(&trained.update, usize::MAX);
        let honest = trained.iter().filter(|t| !is_faulty(t)).map(read).collect::<Result<Vec<_>, _>>()?;
        let own = trained.iter().filter(is_faulty).map(read).collect::<Result<Vec<_>, _>>()?;
        if honest.is_empty() || own.is_empty() {
            return Ok(());
        }
        let scene = Scene { previous, honest: &honest, own: &own, seed: spec.training.seed, round };
        let faulty = trained.iter_mut().filter(|trained| usize::from(trained.seat) >= self.first);
        for (trained, sent) in faulty.zip(self.attack.craft(&scene)?) {
            trained.update = sent.to_bytes();
        }
        Ok(())
    }

    /// Share of held-out rows of other classes that the trigger turns into the first one; none where the attack plants no
    /// backdoor.
    pub(super) fn success(&self, spec: &SessionSpec, model: &Tensors, holdout: &Table) -> anyhow::Result<Option<f64>> {
        if !self.attack.plants_a_backdoor() {
            return Ok(None);
        }
        let rows = self.trigger.test_rows(holdout);
        let Predictions::Classes { classes, .. } = Predictor::of_spec(spec, model)?.predict(&rows.x)? else {
            bail!("a backdoor needs classes; {} attacks numbers as well", Attack::SignFlip.name())
        };
        let hits = classes.iter().filter(|class| **class == 0).count();
        Ok(Some(share(hits, classes.len())))
    }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
