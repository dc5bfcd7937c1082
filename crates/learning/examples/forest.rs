//! Grows a forest with the defaults and measures it, for `script/bench forest`.
//!
//! `forest TRAIN TEST MODEL SEED RUNS`: two files of rows (see `Table::to_safetensors`), `random_forest` or `extra_trees`, the
//! seed of the first run. Every run grows one forest on one thread, with the seed increased by one each time. Prints a JSON line: seconds of
//! growing per run, accuracy and out-of-bag accuracy per run.
#![allow(clippy::print_stdout, reason = "the result is what it prints")]

use std::{error::Error, time::Instant};

use parity_learning::{
    forest::{Recipe, fit, out_of_bag},
    table::{Labels, Table},
};
use parity_protocol::{forest::ForestShape, model::Model, schema::Task};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, model, seed, runs] = &arguments[..] else {
        return Err("usage: forest TRAIN TEST random_forest|extra_trees SEED RUNS".into());
    };
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let (train, test) =
        (Table::from_safetensors(&std::fs::read(train)?)?, Table::from_safetensors(&std::fs::read(test)?)?);
    let (Labels::Classes(known), Labels::Classes(asked)) = (&train.labels, &test.labels) else {
        return Err("rows with classes are needed".into());
    };
    let classes = usize::try_from(known.iter().chain(asked).max().copied().unwrap_or(0))? + 1;
    let task = Task::Classification { classes: (0..classes).map(|class| class.to_string()).collect() };
    let model = match model.as_str() {
        "extra_trees" => Model::ExtraTrees(ForestShape::extra_trees(false)),
        _ => Model::RandomForest(ForestShape::random_forest(false)),
    };
    let first: u64 = seed.parse()?;
    let (mut seconds, mut accuracy, mut unseen, mut bytes) = (vec![], vec![], vec![], vec![]);
    for seed in first..first + runs.parse::<u64>()? {
        let recipe = Recipe::new(&model, train.features, &task, seed)?;
        let started = Instant::now();
        let forest = fit(&recipe, &train)?;
        seconds.push(started.elapsed().as_secs_f64());
        let said = forest.predict(&test.x)?;
        let right = said.chunks(classes).zip(asked).filter(|(said, class)| is_likeliest(said, **class)).count();
        accuracy.push(f64::from(u32::try_from(right)?) / f64::from(u32::try_from(asked.len())?));
        unseen.push(out_of_bag(&forest, &recipe, &train)?.accuracy(known));
        bytes.push(forest.to_bytes().len());
    }
    println!(
        "{}",
        serde_json::json!({ "seconds": seconds, "accuracy": accuracy, "out_of_bag": unseen, "bytes": bytes })
    );
    Ok(())
}

fn is_likeliest(said: &[f64], class: i64) -> bool {
    let best = (1..said.len()).fold(0, |best, class| if said[class] > said[best] { class } else { best });
    i64::try_from(best).is_ok_and(|best| best == class)
}
