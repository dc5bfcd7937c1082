//! Growing a forest level by level from summed histograms, without seeing a row.
//!
//! What comes out is what [`fit_with`](crate::forest::fit_with) makes of the rows of all seats together, bit by bit, however
//! the rows are dealt to seats and in whichever order the histograms come.

use parity_protocol::forest::ForestMethod;

use crate::{
    Error, Result,
    forest::{
        histogram::Histograms,
        level::Level,
        recipe::Recipe,
        sketch::Sketch,
        split::{Gini, Variance},
        tree::{Forest, Growth, Kind, Tree, position},
    },
};

/// The forest before the first round: every tree one open leaf, no bins; of a union, no tree yet.
pub fn start(recipe: &Recipe) -> Forest {
    if let ForestMethod::Union { .. } = recipe.shape.method {
        return recipe.forest(Vec::new());
    }
    let mut tree = Tree::new();
    tree.push_leaf(&[], Some(0));
    Forest {
        features: position(recipe.features),
        kind: recipe.kind,
        trees: vec![tree; usize::from(recipe.shape.trees)],
        growth: Some(Growth { level: 0, weights: Vec::new(), bins: None }),
        refitted: false,
    }
}

/// The forest with bins that all seats share. Where every feature has a single value, there is nothing to learn and it is
/// finished.
fn agree(forest: &Forest, recipe: &Recipe, growth: &Growth, seats: &[Histograms]) -> Result<Forest> {
    let told: Vec<Vec<Sketch>> = seats.iter().map(|seat| seat.sketches(recipe.features)).collect::<Result<_>>()?;
    let of_feature = |feature: usize| Sketch::sum(&told.iter().map(|seat| seat[feature].clone()).collect::<Vec<_>>());
    let sums: Vec<Sketch> = (0..recipe.features).map(of_feature).collect();
    let bins = Sketch::bins(&sums, recipe.shape.bins);
    if bins.usable().is_empty() {
        let mut tree = Tree::new();
        tree.push_leaf(&[], None);
        return Ok(Forest { trees: vec![tree; forest.trees.len()], growth: None, ..*forest });
    }
    let growth = Growth { bins: Some(bins), ..growth.clone() };
    Ok(Forest { growth: Some(growth), ..forest.clone() })
}

/// Makes of a forest and the histograms of all seats the forest of the next round: with bins after the first one, with one level
/// more after the others. Without any histogram the forest stays as it is.
///
/// # Errors
/// [`Error::Forest`] when forest, recipe and histograms do not belong together, [`Error::Rows`] when the seats count more than
/// 2^32 draws of a tree.
pub fn grow(forest: &Forest, recipe: &Recipe, seats: &[Histograms]) -> Result<Forest> {
    let growth = recipe.growth_of(forest)?;
    if seats.is_empty() {
        return Ok(forest.clone());
    }
    let Some(bins) = &growth.bins else {
        return agree(forest, recipe, growth, seats);
    };
    let weights = match growth.weights.is_empty() {
        false => growth.weights.clone(),
        true => {
            let mut rows = vec![0; seats[0].rows.len()];
            let each = seats.iter().flat_map(|seat| seat.rows.iter().enumerate());
            each.for_each(|(class, count)| rows[class] += count);
            recipe.weights(&rows)
        }
    };
    let trees = match recipe.kind {
        Kind::Classes(_) => {
            Level::new(forest, recipe, (bins, growth.level), seats, &Gini { weights: weights.clone() }).grow()?
        }
        Kind::Numbers => Level::new(forest, recipe, (bins, growth.level), seats, &Variance).grow()?,
    };
    let growth = Growth { level: growth.level + 1, weights, bins: Some(bins.clone()) };
    let grown = Forest { trees, growth: Some(growth), ..*forest };
    Ok(if grown.has_open_leaf() { grown } else { Forest { growth: None, ..grown } })
}

impl Recipe {
    /// The growth of a forest that belongs to this recipe.
    pub(crate) fn growth_of<'a>(&self, forest: &'a Forest) -> Result<&'a Growth> {
        if forest.features() != self.features
            || forest.kind != self.kind
            || forest.trees.len() != usize::from(self.shape.trees)
        {
            return Err(Error::Forest(format!(
                "{} trees of {} features ({:?}), the recipe says {} trees of {} features ({:?})",
                forest.trees.len(),
                forest.features(),
                forest.kind,
                self.shape.trees,
                self.features,
                self.kind
            )));
        }
        forest.growth.as_ref().ok_or_else(|| Error::Forest("it is finished; no level is left to grow".into()))
    }
}
