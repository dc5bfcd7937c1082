//! `parity fl partition`: what a deal looks like before anything is paid for. Needs no network.

use std::fs;

use serde_json::Value;

use crate::{
    command::{Home, Output},
    files,
};

/// 150 rows in three classes; 120 of them are training rows.
fn partition(home: &Home, flags: &[&str]) -> Output {
    let file = files::write(home.path(), "flowers.csv", &files::flowers(0, 150));
    home.parity(&[&["--json", "fl", "partition", file.to_str().unwrap()], flags].concat())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Rows by class of every seat.
fn by_class(split: &Value) -> Vec<Vec<u64>> {
    let seats = split["seats"].as_array().unwrap().iter();
    seats.map(|seat| seat["by_class"].as_array().unwrap().iter().map(number).collect()).collect()
}

#[test]
fn every_partition_deals_every_training_row() {
    let home = Home::new();
    for how in ["iid", "sequential", "stratified", "dirichlet:0.1", "label-skew:2", "quantity_skew:0.5"] {
        let flags = ["--clients", "6", "--partition", how, "--min-samples", "3", "--seed", "4", "--dry-run"];
        let split = partition(&home, &flags).document();
        assert_eq!((number(&split["training_rows"]), number(&split["holdout_rows"])), (120, 30));
        assert_eq!(split["classes"], serde_json::json!(["setosa", "versicolor", "virginica"]));
        assert_eq!(split["partition"], how.replace('_', "-"));
        let seats = by_class(&split);
        assert_eq!(seats.len(), 6);
        for class in 0..3 {
            assert_eq!(seats.iter().map(|seat| seat[class]).sum::<u64>(), 40, "{how}: {seats:?}");
        }
        assert!(seats.iter().all(|seat| seat.iter().sum::<u64>() >= 3), "{how}: {seats:?}");
        if how == "label-skew:2" {
            assert!(seats.iter().all(|seat| seat.iter().filter(|rows| **rows > 0).count() == 2), "{seats:?}");
        }
        assert_eq!(partition(&home, &flags).document(), split);
    }
}

#[test]
fn the_table_has_a_line_per_class_and_a_total() {
    let home = Home::new();
    let file = files::write(home.path(), "flowers.csv", &files::flowers(0, 150));
    let shown = |flags: &[&str]| {
        home.parity(&[&["fl", "partition", file.to_str().unwrap(), "--dry-run"], flags].concat()).succeeded().stdout
    };
    let numbers = |text: &str, name: &str| -> Vec<u64> {
        let line = text.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
    };
    let text = shown(&["--clients", "4", "--overlap-ratio", "0.5"]);
    assert!(text.starts_with("stratified, seed 0: 120 training rows on 4 seats, 30 rows held out\n"), "{text}");
    assert_eq!(numbers(&text, "borrowed"), [15, 15, 15, 15, 60]);
    assert_eq!(numbers(&text, "│ total"), [45, 45, 45, 45, 180]);
    // Many seats stand below each other.
    let text = shown(&["--clients", "40", "--holdout", "0"]);
    assert_eq!(text.lines().filter(|line| line.contains("seat ")).count(), 40 + 1, "{text}");
    assert_eq!(numbers(&text, "│ total"), [50, 50, 50, 150]);
}

#[test]
fn a_plot_and_the_tables_are_written_where_asked() {
    let home = Home::new();
    let plot = home.path().join("split.svg");
    let split = partition(&home, &["--dry-run", "--partition", "dirichlet:0.5", "--plot", plot.to_str().unwrap()]);
    assert_eq!(split.document()["plot"], plot.to_str().unwrap());
    let svg = fs::read_to_string(&plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("versicolor") && svg.contains("dirichlet:0.5"), "{svg}");

    let folder = home.path().join("parts");
    let output = ["-o", folder.to_str().unwrap()];
    let split = partition(&home, &output).document();
    let mut written: Vec<_> = files::below(&folder).iter().map(|f| f.file_name().unwrap().to_owned()).collect();
    written.sort();
    assert_eq!(written, ["holdout.safetensors", "seat-0.safetensors", "seat-1.safetensors", "seat-2.safetensors"]);
    assert_eq!(number(&split["seats"][2]["rows"]), 40);
    partition(&home, &output).refused_with(&["creating the folder", "parts", "exists"]);
}

#[test]
fn what_cannot_be_dealt_is_refused_with_what_would_work() {
    let home = Home::new();
    let refusals: [(&[&str], &[&str]); 7] = [
        (&["--clients", "200"], &["200 seats", "120 training rows", "use at most 120 seats"]),
        (&["--clients", "7", "--min-samples", "20"], &["use a minimum of at most 17", "or at most 6 seats"]),
        (&["--min-samples", "0"], &["a minimum of 0 rows"]),
        (&["--partition", "label-skew:4"], &["have 3 classes", "use label-skew:3"]),
        (&["--partition", "label-skew:1", "--clients", "2"], &["2 places for 3 classes", "label-skew:2 or 3 seats"]),
        (&["--clients", "1", "--overlap-ratio", "0.1"], &["an overlap of 0.1", "there are 0", "at most 0"]),
        (&["--overlap-ratio", "2"], &["an overlap of 2 is not in 0 (none) to 1"]),
    ];
    for (flags, words) in refusals {
        partition(&home, &[flags, &["--dry-run"]].concat()).refused_with(words);
    }
    for flags in [
        &["--dry-run", "--partition", "dirichlet"][..],
        &["--dry-run", "--partition", "dirichlet:0"],
        &["--dry-run", "--partition", "random"],
        &["--dry-run", "--partition", "label-skew:1.5"],
        &["--dry-run", "--clients", "0"],
        &["--dry-run", "-o", "parts"],
        &[],
    ] {
        partition(&home, flags).misused();
    }
    home.parity(&["fl", "partition", "nowhere.csv", "--dry-run"]).refused_with(&["nowhere.csv", "No such file"]);
}
