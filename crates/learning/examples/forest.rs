//! Grows forests with the defaults and measures them, for `script/bench forest`.
//!
//! `forest TRAIN TEST MODEL SEED [SEATS]`: two files of rows with classes (see `Table::to_safetensors`), `random_forest` or
//! `extra_trees`, a seed, and a text file with the seat of every training row. Grows one forest from all rows on one thread;
//! with seats, also one from what they tell each other. Prints a JSON line.
#![allow(clippy::print_stdout, reason = "the result is what it prints")]

use std::{error::Error, time::Instant};

use parity_learning::{
    forest::{
        Forest, Histograms, LeafCounts, Recipe, fit, grow, histograms, leaf_counts, out_of_bag, refit, share, start,
        unite,
    },
    table::{Labels, Table},
};
use parity_protocol::{forest::ForestShape, model::Model, schema::Task};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, model, seed, seats @ ..] = &arguments[..] else {
        return Err("usage: forest TRAIN TEST random_forest|extra_trees SEED [SEATS]".into());
    };
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let read = |path: &str| -> Outcome<Table> { Ok(Table::from_safetensors(&std::fs::read(path)?)?) };
    let (train, test) = (read(train)?, read(test)?);
    let (Labels::Classes(known), Labels::Classes(asked)) = (&train.labels, &test.labels) else {
        return Err("rows with classes are needed".into());
    };
    let classes = usize::try_from(known.iter().chain(asked).max().copied().unwrap_or(0))? + 1;
    let task = Task::Classification { classes: (0..classes).map(|class| class.to_string()).collect() };
    let model = match model.as_str() {
        "extra_trees" => Model::ExtraTrees(ForestShape::extra_trees(false)),
        _ => Model::RandomForest(ForestShape::random_forest(false)),
    };
    let recipe = Recipe::new(&model, train.features, &task, seed.parse()?)?;

    let started = Instant::now();
    let forest = fit(&recipe, &train)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut result = serde_json::json!({
        "seconds": seconds,
        "accuracy": accuracy(&forest, &test)?,
        "out_of_bag": out_of_bag(&forest, &recipe, &train)?.evaluate(&task, &train.labels)?.and_then(|all| all.metrics.accuracy),
        "bytes": forest.to_bytes().len(),
    });
    if let [seats] = seats {
        let seats: Vec<usize> =
            std::fs::read_to_string(seats)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let seats = deal(&train, &seats);
        result["together"] = together(&recipe, &seats, &forest)?;
        result["union"] = union(&recipe, &seats, &test)?;
    }
    println!("{result}");
    Ok(())
}

/// The rows of every seat that has any.
fn deal(table: &Table, seats: &[usize]) -> Vec<Table> {
    let rows = |seat| (0..table.rows()).filter(|row| seats[*row] == seat).collect::<Vec<_>>();
    let dealt = (0..=seats.iter().max().copied().unwrap_or(0)).map(rows);
    dealt.filter(|rows| !rows.is_empty()).map(|rows| table.select(&rows)).collect()
}

/// Grows the forest round by round; says what that took and whether it is the same forest.
fn together(recipe: &Recipe, seats: &[Table], alone: &Forest) -> Outcome<serde_json::Value> {
    let mut forest = start(recipe);
    let (mut largest, mut all, mut telling, mut growing) = (vec![], 0, 0.0, 0.0);
    while !forest.is_finished() {
        let started = Instant::now();
        let told: Vec<Histograms> =
            seats.iter().map(|seat| histograms(&forest, recipe, seat)).collect::<Result<_, _>>()?;
        telling += started.elapsed().as_secs_f64();
        let sizes = || told.iter().map(|told| told.as_bytes().len());
        largest.push(sizes().max().unwrap_or(0));
        all += sizes().sum::<usize>();
        let started = Instant::now();
        forest = grow(&forest, recipe, &told)?;
        growing += started.elapsed().as_secs_f64();
    }
    Ok(serde_json::json!({
        "seats": seats.len(),
        "rounds": largest.len(),
        "largest_message_per_round": largest,
        "bytes_of_all_messages": all,
        "seconds_of_all_seats": telling,
        "seconds_of_the_aggregator": growing,
        "same_as_alone": forest.to_bytes() == alone.to_bytes(),
    }))
}

/// The union of the trees that seats grow alone, before and after all seats filled the leaves.
fn union(recipe: &Recipe, seats: &[Table], test: &Table) -> Outcome<serde_json::Value> {
    let count = u16::try_from(seats.len())?;
    let shares: Vec<Forest> =
        (0..).zip(seats).map(|(seat, rows)| share(recipe, rows, seat, count)).collect::<Result<_, _>>()?;
    let united = unite(recipe, &shares)?;
    let counts: Vec<LeafCounts> =
        seats.iter().map(|rows| leaf_counts(&united, recipe, rows)).collect::<Result<_, _>>()?;
    Ok(serde_json::json!({
        "accuracy": accuracy(&united, test)?,
        "refitted_accuracy": accuracy(&refit(&united, recipe, &counts)?, test)?,
        "largest_share": shares.iter().map(|share| share.to_bytes().len()).max(),
        "largest_counts": counts.iter().map(|counts| counts.to_bytes(recipe).len()).max(),
    }))
}

fn accuracy(forest: &Forest, table: &Table) -> Outcome<f64> {
    let Labels::Classes(classes) = &table.labels else { return Err("rows with classes are needed".into()) };
    let said = forest.predict(&table.x)?;
    let right = said.chunks(forest.outputs()).zip(classes).filter(|(said, class)| is_likeliest(said, **class)).count();
    Ok(f64::from(u32::try_from(right)?) / f64::from(u32::try_from(classes.len())?))
}

fn is_likeliest(said: &[f64], class: i64) -> bool {
    let best = (1..said.len()).fold(0, |best, class| if said[class] > said[best] { class } else { best });
    i64::try_from(best).is_ok_and(|best| best == class)
}
