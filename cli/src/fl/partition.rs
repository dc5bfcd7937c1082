//! `parity fl partition`: shows how a file would be dealt to seats, without a network.
//!
//! A session that is created with the same file, seats, seed and flags deals the same rows.

use std::{fs, path::Path};

use anyhow::Context;
use parity_learning::{
    csv::Prepared,
    partition::{self, Group, Shard, Tally},
    table::Table,
};
use parity_protocol::schema::{Schema, Task};
use serde::Serialize;

use super::{create_with_data::say, deal};
use crate::{
    args::{GlobalArgs, PartitionArgs},
    output::{self, Output},
    plot::{self, Series, StackedBars},
};

/// Seats that stand beside each other in a table; more stand below each other.
const MOST_COLUMNS: usize = 12;

#[derive(Serialize)]
struct Split {
    partition: String,
    seed: u64,
    training_rows: usize,
    holdout_rows: usize,
    /// Names of the classes, or ranges of the label.
    classes: Vec<String>,
    seats: Vec<Seat>,
    output: Option<String>,
    plot: Option<String>,
}

#[derive(Serialize)]
struct Seat {
    seat: usize,
    rows: usize,
    borrowed: usize,
    /// All rows by class, borrowed ones included, in the order of `classes`.
    by_class: Vec<usize>,
}

/// Runs the command.
pub(crate) fn run(args: &PartitionArgs, global: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(global.json);
    let prepared = deal::read(&args.file, &args.columns, args.deal.holdout, args.seed, output)?;
    say(output, &prepared.report);
    let shards = partition::deal(&prepared.train.labels, &args.deal.dealing(args.clients, args.seed)?)?;
    let split = split(args, &prepared, &shards);
    if let Some(folder) = &args.output {
        save(folder, &prepared, &shards)?;
    }
    if let Some(file) = &args.plot {
        plot::write(file, &bars(args, &split).draw()?)?;
    }
    output.result(&split, text)
}

fn split(args: &PartitionArgs, prepared: &Prepared, shards: &[Shard]) -> Split {
    let tally = Tally::new(&prepared.train.labels, shards);
    let by_class =
        |seat: usize| tally.own.iter().zip(&tally.borrowed).map(|(own, lent)| own[seat] + lent[seat]).collect();
    let seat = |(seat, shard): (usize, &Shard)| Seat {
        seat,
        rows: shard.own.len() + shard.borrowed.len(),
        borrowed: shard.borrowed.len(),
        by_class: by_class(seat),
    };
    Split {
        partition: args.deal.partition.to_string(),
        seed: args.seed,
        training_rows: prepared.train.rows(),
        holdout_rows: prepared.holdout.rows(),
        classes: tally.groups.iter().map(|group| name(group, &prepared.schema)).collect(),
        seats: shards.iter().enumerate().map(seat).collect(),
        output: args.output.as_ref().map(|folder| folder.display().to_string()),
        plot: args.plot.as_ref().map(|file| file.display().to_string()),
    }
}

/// What people call a group.
fn name(group: &Group, schema: &Schema) -> String {
    match (group, &schema.label.task) {
        (Group::Class(class), Task::Classification { classes }) => {
            let name = usize::try_from(*class).ok().and_then(|class| classes.get(class));
            name.cloned().unwrap_or_else(|| class.to_string())
        }
        (Group::Class(class), Task::Regression { .. }) => class.to_string(),
        (Group::Range { low, high }, _) => format!("{low} to {high}"),
    }
}

/// Writes one table per seat and one of the holdout into a new folder.
fn save(folder: &Path, prepared: &Prepared, shards: &[Shard]) -> anyhow::Result<()> {
    fs::create_dir(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    let write = |name: String, table: &Table| {
        let file = folder.join(name);
        fs::write(&file, table.to_safetensors()).with_context(|| format!("writing {}", file.display()))
    };
    for (seat, shard) in shards.iter().enumerate() {
        write(format!("seat-{seat}.safetensors"), &prepared.train.select(&shard.rows()))?;
    }
    if prepared.holdout.rows() > 0 {
        write("holdout.safetensors".to_owned(), &prepared.holdout)?;
    }
    Ok(())
}

fn bars(args: &PartitionArgs, split: &Split) -> StackedBars {
    let file = args.file.file_name().unwrap_or_default().to_string_lossy();
    let series = |(class, name): (usize, &String)| Series {
        name: name.clone(),
        heights: split.seats.iter().map(|seat| height(seat.by_class[class])).collect(),
    };
    StackedBars {
        title: format!("{file}: {} on {} seats, seed {}", split.partition, split.seats.len(), split.seed),
        x_axis: "seat".to_owned(),
        y_axis: "rows".to_owned(),
        series: split.classes.iter().enumerate().map(series).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn height(rows: usize) -> f64 {
    rows as f64
}

fn text(split: &Split) -> String {
    let mut lines = vec![format!(
        "{}, seed {}: {} training rows on {} seats, {} rows held out",
        split.partition,
        split.seed,
        split.training_rows,
        split.seats.len(),
        split.holdout_rows
    )];
    let (header, rows) = cells(split);
    lines.push(output::grid(header, rows));
    if let Some(folder) = &split.output {
        lines.push(format!("the tables of the seats are in {folder}"));
    }
    if let Some(file) = &split.plot {
        lines.push(format!("the plot is in {file}"));
    }
    lines.join("\n")
}

/// Rows per class (down) and seat (across), or the other way round where there are many seats.
fn cells(split: &Split) -> (Vec<String>, Vec<Vec<String>>) {
    let line = |name: &str, of: &dyn Fn(&Seat) -> usize| {
        let counts: Vec<usize> = split.seats.iter().map(of).collect();
        let total: usize = counts.iter().sum();
        [name.to_owned()].into_iter().chain(counts.iter().chain([&total]).map(usize::to_string)).collect::<Vec<_>>()
    };
    let names = split.seats.iter().map(|seat| format!("seat {}", seat.seat));
    let mut grid = vec![["class".to_owned()].into_iter().chain(names).chain(["total".to_owned()]).collect()];
    for (class, name) in split.classes.iter().enumerate() {
        grid.push(line(name, &|seat| seat.by_class[class]));
    }
    if split.seats.iter().any(|seat| seat.borrowed > 0) {
        grid.push(line("(borrowed)", &|seat| seat.borrowed));
    }
    grid.push(line("total", &|seat| seat.rows));
    if split.seats.len() > MOST_COLUMNS.max(split.classes.len()) {
        grid = (0..grid[0].len()).map(|column| grid.iter().map(|row| row[column].clone()).collect()).collect();
        "seat".clone_into(&mut grid[0][0]);
    }
    let header = grid.remove(0);
    (header, grid)
}
