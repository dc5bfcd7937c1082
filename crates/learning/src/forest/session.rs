//! A histogram forest in a session: what runners do in a round, and what keepers make of it.
//!
//! The model of a round is the forest grown so far; an update is the [`Histograms`] of a seat.

use parity_protocol::{
    manifest::{AcceptedUpdate, Rejection},
    spec::{Data, SessionSpec},
};

use crate::{
    Error, Result,
    forest::{Forest, Histograms, Recipe, grow, histograms},
    round::{MAX_SCORE, RoundOutcome, UpdateInput, check_manifest, sift, sorted},
    table::Table,
};

/// Most bytes of a model or an update, whatever the spec says.
const LARGEST: usize = 1 << 30;
/// Most bytes of a cell of a histogram and of an entry of a leaf: gap and count, or gap, count and sum.
const CELL: u64 = 8;
/// Most bytes of a split and a leaf without its entries.
const NODES: u64 = 16;

/// The file of a seat's part in a round. A finished forest wants nothing more: the file is empty.
///
/// # Errors
/// As [`histograms`].
pub fn update(forest: &Forest, recipe: &Recipe, table: &Table) -> Result<Vec<u8>> {
    if forest.is_finished() {
        return Ok(Vec::new());
    }
    Ok(histograms(forest, recipe, table)?.as_bytes().to_vec())
}

/// Checks the file of an update alone: form, and that it counts as many rows as it says. Runners use it before they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(
    spec: &SessionSpec,
    recipe: &Recipe,
    forest: &Forest,
    samples: u64,
    file: &[u8],
) -> Result<Option<Histograms>, Rejection> {
    let malformed = || Rejection::Malformed { part: "weights".to_owned() };
    if forest.is_finished() {
        return if file.is_empty() { Ok(None) } else { Err(malformed()) };
    }
    if file.len() > update_limit(spec) {
        return Err(malformed());
    }
    let told = Histograms::from_bytes(file, forest, recipe).map_err(|_| malformed())?;
    // Sums cannot be capped afterwards as weights of a mean can.
    let capped = matches!(spec.data, Data::Private { max_samples } if told.samples() > max_samples);
    if told.samples() != samples || capped {
        return Err(Rejection::WrongSamples);
    }
    Ok(Some(told))
}

/// Checks the updates of a round and grows the forest by the good ones. Every accepted update has the highest score.
///
/// # Errors
/// [`Error::Forest`] when `previous` is not a forest of the spec or the sums leave their range.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Forest,
    inputs: Vec<UpdateInput>,
) -> Result<RoundOutcome<Forest>> {
    let recipe = Recipe::of_spec(spec)?;
    recipe.check_forest(previous)?;
    let inputs = sorted(inputs);
    let (good, rejected) = sift(spec, round, &inputs, |input| {
        let (content, samples) = check_manifest(spec, session, round, input)?;
        Ok((check_update(spec, &recipe, previous, input.samples, &content.weights)?, samples))
    });
    let mut accepted = Vec::new();
    let mut told = Vec::new();
    for (input, (histograms, samples)) in good {
        let UpdateInput { operator, seat, digest, .. } = *input;
        accepted.push(AcceptedUpdate { operator, seat, digest, samples, score: MAX_SCORE });
        told.extend(histograms);
    }
    let model = if previous.is_finished() { previous.clone() } else { grow(previous, &recipe, &told)? };
    Ok(RoundOutcome { model, state: None, accepted, rejected })
}

/// Most bytes of the forest's file: every row of the session in a leaf of its own, in every tree.
pub fn model_limit(spec: &SessionSpec) -> usize {
    let Some(shape) = spec.model.forest() else { return 0 };
    let rows = match &spec.data {
        Data::Private { .. } => u64::MAX,
        Data::Uploaded { shard_rows, .. } => shard_rows.iter().fold(0, |sum: u64, rows| sum.saturating_add(*rows)),
    };
    let leaves = 1_u64.checked_shl(shape.levels().into()).map_or(rows, |leaves| leaves.min(rows));
    let tree = leaves.saturating_mul(NODES).saturating_add(rows.saturating_mul(CELL));
    let bins = 4 * 256 * u64::try_from(spec.schema.features()).unwrap_or(u64::MAX);
    limit(tree.saturating_mul(shape.trees.into()).saturating_add(bins))
}

/// Most bytes of an update's file: every row in a cell of its own, for every candidate feature, in every tree; or its sketches.
pub fn update_limit(spec: &SessionSpec) -> usize {
    let Some(shape) = spec.model.forest() else { return 0 };
    let rows = match &spec.data {
        Data::Private { max_samples } => *max_samples,
        Data::Uploaded { shard_rows, .. } => shard_rows.iter().copied().max().unwrap_or(0),
    };
    let features = spec.schema.features();
    let chosen = u64::try_from(shape.max_features.of(features)).unwrap_or(u64::MAX);
    let cells = rows.saturating_mul(chosen).saturating_mul(shape.trees.into());
    let sketches = rows.min(2048).saturating_mul(u64::try_from(features).unwrap_or(u64::MAX));
    limit(cells.max(sketches).saturating_mul(CELL))
}

fn limit(bytes: u64) -> usize {
    // What every file has besides, and the heads of open nodes without rows.
    usize::try_from(bytes).unwrap_or(LARGEST).saturating_add(1 << 20).min(LARGEST)
}

impl Recipe {
    /// Checks that a forest is one of this recipe, finished or not.
    pub(crate) fn check_forest(&self, forest: &Forest) -> Result<()> {
        if forest.is_finished() && (forest.features(), forest.kind) == (self.features, self.kind) {
            return Ok(());
        }
        if forest.is_finished() {
            return Err(Error::Forest(format!(
                "{} features ({:?}), the recipe says {} ({:?})",
                forest.features(),
                forest.kind,
                self.features,
                self.kind
            )));
        }
        self.growth_of(forest).map(|_| ())
    }
}
