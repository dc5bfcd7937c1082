//! A forest in a session: what runners do in a round, and what keepers make of it.
//!
//! The model of a round is the forest so far, and says by itself what comes next. A histogram forest grows from the
//! [`Histograms`] of seats until no node is open. A union has no tree at first: seats tell their [`share`]s, with votes by what
//! these tell about rows out of bag; then the leaves of all trees are filled from the [`LeafCounts`] of seats, and it is finished.

use std::ops::Range;

use parity_protocol::{
    forest::ForestMethod,
    manifest::{AcceptedUpdate, Rejection},
    spec::{Data, SessionSpec},
};

use crate::{
    Error, Result,
    contribution::MAX_SCORE,
    forest::{
        Forest, Histograms, LeafCounts, Recipe, grow, histograms, leaf_counts, refit, score::scores, share,
        union::numbers, unite, vote,
    },
    round::{Judge, RoundOutcome, UpdateInput, check_manifest, sift, sorted},
    table::Table,
};

/// Most bytes of a model or an update, whatever the spec says.
const LARGEST: usize = 1 << 30;
/// Most bytes of a cell of a histogram and of an entry of a leaf: gap and count, or gap, count and sum.
const CELL: u64 = 8;
/// Most bytes of a split and a leaf without its entries.
const NODES: u64 = 16;
/// Most bytes of the number of classes of a leaf.
const HEAD: u64 = 2;

/// What seats tell in a round.
enum Stage {
    Histograms,
    Share { seats: u16 },
    LeafCounts,
    Nothing,
}

/// What a seat has told.
#[derive(Clone, Debug)]
enum Told {
    Histograms(Histograms),
    Share(Forest),
    LeafCounts(LeafCounts),
    Nothing,
}

impl Stage {
    fn of(forest: &Forest, recipe: &Recipe) -> Self {
        match recipe.shape.method {
            ForestMethod::Histogram {} if forest.is_finished() => Self::Nothing,
            ForestMethod::Histogram {} => Self::Histograms,
            ForestMethod::Union { seats } if forest.trees.is_empty() => Self::Share { seats },
            ForestMethod::Union { .. } if forest.is_refitted() => Self::Nothing,
            ForestMethod::Union { .. } => Self::LeafCounts,
        }
    }
}

/// The file of a seat's part in a round. A finished forest wants nothing more: the file is empty.
///
/// # Errors
/// As [`histograms`], [`share`] and [`leaf_counts`].
pub fn update(forest: &Forest, recipe: &Recipe, seat: u16, table: &Table) -> Result<Vec<u8>> {
    Ok(match Stage::of(forest, recipe) {
        Stage::Histograms => histograms(forest, recipe, table)?.as_bytes().to_vec(),
        Stage::Share { seats } => {
            let trees = share(recipe, table, seat, seats)?;
            vote::weigh(trees, numbers(recipe, seat, seats).start, recipe, table)?.to_bytes()
        }
        Stage::LeafCounts => leaf_counts(forest, recipe, table)?.to_bytes(recipe),
        Stage::Nothing => Vec::new(),
    })
}

/// Checks the file of an update alone: form, trees of its seat, and that it counts as many rows as it says. Runners use it before
/// they submit.
///
/// # Errors
/// The [`Rejection`] that the update would meet.
pub fn check_update(
    spec: &SessionSpec,
    recipe: &Recipe,
    forest: &Forest,
    seat: u16,
    samples: u64,
    file: &[u8],
) -> Result<(), Rejection> {
    read(spec, recipe, forest, seat, samples, file).map(|_| ())
}

fn read(
    spec: &SessionSpec,
    recipe: &Recipe,
    forest: &Forest,
    seat: u16,
    samples: u64,
    file: &[u8],
) -> Result<Told, Rejection> {
    let malformed = || Rejection::Malformed { part: "weights".to_owned() };
    if file.len() > update_limit(spec) {
        return Err(malformed());
    }
    let (told, counted) = match Stage::of(forest, recipe) {
        Stage::Nothing if file.is_empty() => return Ok(Told::Nothing),
        Stage::Nothing => return Err(malformed()),
        Stage::Share { seats } => {
            let trees = Forest::from_bytes(file, file.len()).map_err(|_| malformed())?;
            let expected: Range<usize> = numbers(recipe, seat, seats);
            let fits = seat < seats
                && recipe.check_united(&trees).is_ok()
                && !trees.is_refitted()
                && trees.trees.len() == expected.len()
                && trees.trees.iter().all(|tree| (1..=vote::MOST).contains(&tree.vote));
            // What it counts are draws; how many rows there were cannot be seen.
            return if fits { Ok(Told::Share(trees)) } else { Err(malformed()) };
        }
        Stage::Histograms => {
            let told = Histograms::from_bytes(file, forest, recipe).map_err(|_| malformed())?;
            let counted = told.samples();
            (Told::Histograms(told), counted)
        }
        Stage::LeafCounts => {
            let told = LeafCounts::from_bytes(file, forest, recipe).map_err(|_| malformed())?;
            let counted = told.samples();
            (Told::LeafCounts(told), counted)
        }
    };
    // Sums cannot be capped afterwards as weights of a mean can.
    let capped = matches!(spec.data, Data::Private { max_samples } if counted > max_samples);
    if counted != samples || capped {
        return Err(Rejection::WrongSamples);
    }
    Ok(told)
}

/// Checks the updates of a round, makes the next forest of the good ones and scores them ([`crate::contribution`]).
///
/// # Errors
/// [`Error::Forest`] when `previous` is not a forest of the spec or the sums leave their range, [`Error::Rows`] when the held-out rows
/// do not fit.
pub fn aggregate(
    spec: &SessionSpec,
    session: u64,
    round: u16,
    previous: &Forest,
    inputs: Vec<UpdateInput>,
    judge: Judge<'_>,
) -> Result<RoundOutcome<Forest>> {
    let recipe = Recipe::of_spec(spec)?;
    recipe.check_forest(previous)?;
    let inputs = sorted(inputs);
    let (mut good, rejected) = sift(spec, round, &inputs, |input| {
        let (content, samples) = check_manifest(spec, session, round, input)?;
        Ok((read(spec, &recipe, previous, input.seat, input.samples, &content.weights)?, samples))
    });
    let accepted: Vec<AcceptedUpdate> = (good.iter())
        .map(|(input, (_, samples))| {
            let UpdateInput { operator, seat, digest, .. } = **input;
            AcceptedUpdate { operator, seat, digest, samples: *samples, score: 0 }
        })
        .collect();
    // Trees stand in the order of the seats, whoever holds them.
    good.sort_by_key(|(input, _)| input.seat);
    let files = good.iter().map(|(input, _)| (input.posted, input.file())).collect::<Vec<_>>();
    let seats: Vec<u16> = good.iter().map(|(input, _)| input.seat).collect();
    let told: Vec<Told> = good.into_iter().map(|(_, (told, _))| told).collect();
    let of = |places: &[usize]| next(previous, &recipe, places.iter().map(|place| told[*place].clone()).collect());
    let model = of(&(0..told.len()).collect::<Vec<_>>())?;
    let scores = match Stage::of(previous, &recipe) {
        Stage::Nothing => vec![MAX_SCORE; seats.len()],
        Stage::Histograms if recipe.growth_of(previous)?.bins.is_none() => scores(spec, &files, None, of)?,
        Stage::Histograms | Stage::Share { .. } | Stage::LeafCounts => scores(spec, &files, judge.scoring(), of)?,
    };
    let score = |seat| seats.iter().zip(&scores).find(|(other, _)| **other == seat).map_or(0, |(_, score)| *score);
    let accepted = accepted.into_iter().map(|update| AcceptedUpdate { score: score(update.seat), ..update }).collect();
    Ok(RoundOutcome { model, state: None, accepted, rejected })
}

/// The forest after what seats have told; as it was when none has told anything.
fn next(previous: &Forest, recipe: &Recipe, told: Vec<Told>) -> Result<Forest> {
    let (mut sums, mut shares, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for told in told {
        match told {
            Told::Histograms(histograms) => sums.push(histograms),
            Told::Share(trees) => shares.push(trees),
            Told::LeafCounts(leaves) => counts.push(leaves),
            Told::Nothing => {}
        }
    }
    match Stage::of(previous, recipe) {
        Stage::Histograms => grow(previous, recipe, &sums),
        Stage::Share { .. } => unite(recipe, &shares),
        Stage::LeafCounts => refit(previous, recipe, &counts),
        Stage::Nothing => Ok(previous.clone()),
    }
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

/// Most bytes of an update's file. Histograms: every row in a cell of its own, for every candidate feature, in every tree; or the
/// sketches. Union: every row in a leaf of its own, in every tree.
pub fn update_limit(spec: &SessionSpec) -> usize {
    let Some(shape) = spec.model.forest() else { return 0 };
    let rows = match &spec.data {
        Data::Private { max_samples } => *max_samples,
        Data::Uploaded { shard_rows, .. } => shard_rows.iter().copied().max().unwrap_or(0),
    };
    let features = spec.schema.features();
    let bytes = match shape.method {
        ForestMethod::Histogram {} => {
            let chosen = u64::try_from(shape.max_features.of(features)).unwrap_or(u64::MAX);
            let cells = rows.saturating_mul(chosen).saturating_mul(shape.trees.into());
            let sketches = rows.min(2048).saturating_mul(u64::try_from(features).unwrap_or(u64::MAX));
            cells.max(sketches).saturating_mul(CELL)
        }
        ForestMethod::Union { seats } => {
            let trees = u64::from(shape.trees);
            let share = rows.saturating_mul(NODES + CELL).saturating_mul(trees.div_ceil(seats.max(1).into()));
            // Leaves of a tree: at most the rows of the seat that grew it.
            let counts = rows.saturating_mul(HEAD + CELL).saturating_mul(trees);
            share.max(counts)
        }
    };
    limit(bytes)
}

fn limit(bytes: u64) -> usize {
    // What every file has besides, and the heads of open nodes without rows.
    usize::try_from(bytes).unwrap_or(LARGEST).saturating_add(1 << 20).min(LARGEST)
}

impl Recipe {
    /// Checks that a forest is one of this recipe, finished or not.
    pub(crate) fn check_forest(&self, forest: &Forest) -> Result<()> {
        if !forest.is_finished() && self.shape.method == (ForestMethod::Histogram {}) {
            return self.growth_of(forest).map(|_| ());
        }
        self.check_united(forest)?;
        if forest.trees.len() > usize::from(self.shape.trees) {
            let (actual, most) = (forest.trees.len(), self.shape.trees);
            return Err(Error::Forest(format!("{actual} trees, the recipe says at most {most}")));
        }
        Ok(())
    }
}
