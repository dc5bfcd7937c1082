//! What a seat tells of its rows in a round. First, how the values of every feature are distributed ([`Sketch`]), for seats to
//! agree on bins; then for every open node and every feature that it chooses from, how many rows of
//! which class lie in which bin (for numbers: how many, and the sum of their labels). Sums over seats are all that growing
//! needs, and whole numbers add up to the same in any order.
//!
//! ```text
//! "PRFH" 1
//! 0, or 1 + level                of the forest that this is about; 0: it has no bins yet
//! rows of each class, or rows
//! without bins, for every feature: bits dropped, buckets, each: gap, rows
//! with bins, for every open node, in the order of the forest:
//!   0                            none of the rows drawn is here
//!   1, smallest label, largest - smallest   (labels: numbers only)
//!   for every candidate feature: cells, each
//!     classes: 2 · gap + 0 | 1, draws if 1   (cell = bin · classes + class; 0: one draw)
//!     numbers: gap, draws, sum   (cell = bin)
//! ```
//! Numbers are [`varint`]s; a gap counts the cells since the previous one.

use rayon::prelude::*;

use crate::{
    Error, Result,
    forest::{
        bins::{Binned, Bins},
        cells::{read_cells, read_head, write_cells},
        draw::{BLOCK, Candidates, MOST_DRAWS, Path, row_keys},
        frontier::{Open, open_nodes},
        recipe::Recipe,
        scan::BinSums,
        sketch::Sketch,
        split::{Gini, Tally, Variance},
        tree::{Forest, Kind, index},
        varint::{self, Reader},
    },
    table::Table,
};

const MAGIC: &[u8; 5] = b"PRFH\x01";

/// Sums of a seat's rows for the open nodes of a forest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histograms {
    bytes: Vec<u8>,
    /// Rows of each class, or rows.
    pub(crate) rows: Vec<u64>,
    /// Where the nodes begin.
    start: usize,
}

/// Adds up a seat's rows for the open nodes of a forest.
///
/// # Errors
/// [`Error::Rows`] when the rows do not fit the recipe, [`Error::Forest`] when the forest does not, or is finished.
pub fn histograms(forest: &Forest, recipe: &Recipe, table: &Table) -> Result<Histograms> {
    recipe.check(table)?;
    let growth = recipe.growth_of(forest)?;
    let targets = recipe.targets(&table.labels)?;
    let rows = recipe.count(&targets);
    let mut bytes = MAGIC.to_vec();
    varint::write(&mut bytes, growth.stage());
    rows.iter().for_each(|rows| varint::write(&mut bytes, *rows));
    let start = bytes.len();
    let Some(bins) = &growth.bins else {
        Sketch::of(table).iter().for_each(|sketch| sketch.write(&mut bytes));
        return Ok(Histograms { bytes, rows, start });
    };
    let binned = Binned::new(bins, table);
    let (keys, draws) = (row_keys(table), recipe.draws());
    let seat = Seat { forest, recipe, bins, table, binned: &binned, targets: &targets };
    for (block, first) in (0..).zip((0..forest.trees.len()).step_by(BLOCK)) {
        let drawn = draws.block(recipe.seed, block, &keys);
        let trees = first..(first + BLOCK).min(forest.trees.len());
        let parts = trees.into_par_iter().zip(drawn.par_chunks(table.rows())).map(|(tree, draws)| match recipe.kind {
            Kind::Classes(classes) => seat.write(tree, draws, &Gini { weights: vec![1; classes.into()] }),
            Kind::Numbers => seat.write(tree, draws, &Variance),
        });
        parts.collect::<Vec<_>>().into_iter().for_each(|part| bytes.extend(part));
    }
    Ok(Histograms { bytes, rows, start })
}

/// A seat's rows, about to be added up.
struct Seat<'a> {
    forest: &'a Forest,
    recipe: &'a Recipe,
    bins: &'a Bins,
    table: &'a Table,
    binned: &'a Binned,
    targets: &'a [i32],
}

impl Seat<'_> {
    /// What is told of the open nodes of a tree.
    fn write(&self, tree: usize, draws: &[u8], tally: &impl Tally) -> Vec<u8> {
        let open = open_nodes(&self.forest.trees[tree]);
        let mut here: Vec<Vec<usize>> = vec![Vec::new(); open.len()];
        for (row, _) in draws.iter().enumerate().filter(|(_, draws)| **draws > 0) {
            let leaf = self.forest.trees[tree].leaf_of(self.table.row(row));
            if let Ok(place) = open.binary_search_by_key(&leaf, |open| open.node) {
                here[place].push(row);
            }
        }
        let mut bytes = Vec::new();
        let mut candidates = self.recipe.candidates(self.bins);
        let mut sums = BinSums::new(self.recipe.kind.width());
        let number = u64::try_from(tree).expect("an index fits 64 bits");
        for (open, rows) in open.iter().zip(here) {
            varint::write(&mut bytes, u64::from(!rows.is_empty()));
            if rows.is_empty() {
                continue;
            }
            if self.recipe.kind == Kind::Numbers {
                let labels = || rows.iter().map(|row| i64::from(self.targets[*row]));
                let (least, most) = (labels().min().unwrap_or(0), labels().max().unwrap_or(0));
                varint::write_signed(&mut bytes, least);
                varint::write(&mut bytes, (most - least).cast_unsigned());
            }
            for feature in candidates.of(number, open.path, open.waits) {
                let column = self.binned.column(*feature);
                for row in &rows {
                    tally.add(sums.bin_mut(column[*row]), self.targets[*row], draws[*row].into());
                }
                write_cells(&mut bytes, self.recipe.kind, &sums);
                sums.clear();
            }
        }
        bytes
    }
}

impl Histograms {
    /// The file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Rows that were added up.
    pub fn samples(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Reads a file about this forest and checks every number: all features of a node must tell of the same rows, and no tree
    /// may have drawn more than the rows allow.
    ///
    /// # Errors
    /// [`Error::Forest`] when the bytes are not what [`histograms`] writes.
    pub fn from_bytes(bytes: &[u8], forest: &Forest, recipe: &Recipe) -> Result<Self> {
        let growth = recipe.growth_of(forest)?;
        let mut reader = Reader(bytes);
        if reader.array::<5>()? != *MAGIC {
            return Err(Error::Forest("the bytes do not begin as histograms of version 1 do".into()));
        }
        reader.number_in(growth.stage(), growth.stage(), "the stage of the histograms")?;
        let rows = recipe.read_rows(&mut reader)?;
        let samples: u64 = rows.iter().sum();
        let start = bytes.len() - reader.0.len();
        let told = Self { bytes: bytes.to_vec(), rows, start };
        let Some(bins) = &growth.bins else {
            for _ in 0..recipe.features {
                Sketch::read(&mut reader, samples)?;
            }
            reader.end()?;
            return Ok(told);
        };
        let mut candidates = recipe.candidates(bins);
        let mut sums = BinSums::new(recipe.kind.width());
        for (tree, number) in forest.trees.iter().zip(0..) {
            let mut drawn = 0;
            for open in open_nodes(tree) {
                drawn += check_node(&mut reader, recipe, bins, &mut candidates, (number, &open), &mut sums)?;
            }
            if drawn > u64::from(MOST_DRAWS) * samples {
                return Err(Error::Forest(format!("a tree drew {drawn} times from {samples} rows")));
            }
        }
        reader.end()?;
        Ok(told)
    }

    /// The sketch of every feature, where there are no bins yet.
    pub(crate) fn sketches(&self, features: usize) -> Result<Vec<Sketch>> {
        let mut reader = self.nodes();
        (0..features).map(|_| Sketch::read(&mut reader, self.samples())).collect()
    }

    /// The nodes, to be read in the order of the forest.
    pub(crate) fn nodes(&self) -> Reader<'_> {
        Reader(&self.bytes[self.start..])
    }
}

/// Reads a node and returns its draws.
fn check_node(
    reader: &mut Reader<'_>,
    recipe: &Recipe,
    bins: &Bins,
    candidates: &mut Candidates,
    (tree, open): (u64, &Open),
    sums: &mut BinSums,
) -> Result<u64> {
    if read_head(reader, recipe.kind)?.is_none() {
        return Ok(0);
    }
    let path: Path = open.path;
    let mut first: Option<Vec<i64>> = None;
    for feature in candidates.of(tree, path, open.waits) {
        read_cells(reader, recipe.kind, bins.values(index(*feature)).len(), sums)?;
        let total = sums.total();
        sums.clear();
        match &first {
            None => first = Some(total),
            Some(first) if *first == total => {}
            Some(first) => {
                return Err(Error::Forest(format!("the features of a node count {first:?} and {total:?} rows")));
            }
        }
    }
    let draws = match (recipe.kind, first) {
        (_, None) => 0,
        (Kind::Numbers, Some(total)) => total[0],
        (Kind::Classes(_), Some(total)) => total.iter().sum(),
    };
    Ok(draws.cast_unsigned())
}
