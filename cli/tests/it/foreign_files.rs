//! Someone else's files: other delimiters, decimal commas, no header, text labels, missing cells, a number as the target;
//! dealt evenly and unevenly.

use std::{fmt::Write, path::Path};

use serde_json::Value;

use crate::{
    devnet::Devnet,
    files::{self, noise},
    settlement::{self, Purses},
};

/// What a file must come to, without any flag.
struct Expectation {
    file: &'static str,
    text: String,
    /// How it is dealt to seats.
    deal: &'static [&'static str],
    metric: &'static str,
    least: f64,
    report: &'static [&'static str],
}

fn expectations() -> Vec<Expectation> {
    vec![
        Expectation {
            file: "no_header.csv",
            text: files::flowers(0, 120).split_once('\n').unwrap().1.to_owned(),
            deal: &["--partition", "label-skew:2"],
            metric: "accuracy",
            least: 0.9,
            report: &["no header", "label 'column_5': 3 classes"],
        },
        Expectation {
            file: "european.csv",
            text: european(),
            deal: &[],
            metric: "accuracy",
            least: 0.9,
            report: &["semicolons", "decimal commas", "missing cells get the median", "column 'Stadt' becomes"],
        },
        Expectation {
            file: "houses.tsv",
            text: houses(),
            deal: &["--partition", "quantity-skew:1", "--min-samples", "20"],
            metric: "r2",
            least: 0.8,
            report: &["tabs", "label 'price': a number"],
        },
        Expectation {
            file: "label_first.csv",
            text: label_first(),
            deal: &["--partition", "dirichlet:0.5", "--min-samples", "15", "--overlap-ratio", "0.25"],
            metric: "accuracy",
            least: 0.9,
            report: &["label 'diagnosis': 2 classes (B 60, M 60)", "column 'patient_id' left out"],
        },
    ]
}

/// Semicolons, decimal commas, text labels, missing cells, a column of words, Windows line ends, a byte order mark.
fn european() -> String {
    let mut text = "\u{feff}Länge;Breite;Stadt;Art\r\n".to_owned();
    for row in 0..120 {
        let large = row % 2 == 0;
        let centre = if large { 7.5 } else { 3.25 };
        let number = |column| format!("{:.3}", centre + noise(row, column)).replace('.', ",");
        let length = if row % 11 == 5 { String::new() } else { number(0) };
        let town = ["Köln", "Lyon", "\"Graz; Nord\""][row as usize % 3];
        let kind = if large { "groß" } else { "klein" };
        write!(text, "{length};{};{town};{kind}\r\n", number(1)).unwrap();
    }
    text
}

/// Tabs and a price to predict.
fn houses() -> String {
    let mut text = "area\trooms\tage\tprice\n".to_owned();
    for row in 0..150 {
        let area = 90.0 + 40.0 * noise(row, 0);
        let rooms = 2 + row % 5;
        let age = 30.0 + 29.0 * noise(row, 1);
        let price = 2150.5 * area + 9000.25 * f64::from(rooms) - 800.0 * age + 3000.0 * noise(row, 2);
        writeln!(text, "{area:.2}\t{rooms}\t{age:.1}\t{price:.2}").unwrap();
    }
    text
}

/// An id, then the label, then the features; `?` where nothing is known.
fn label_first() -> String {
    let mut text = "patient_id,diagnosis,mean_a,mean_b\n".to_owned();
    for row in 0..120 {
        let ill = row % 2 == 0;
        let centre = if ill { 4.0 } else { 1.0 };
        let b = if row % 17 == 3 { "?".to_owned() } else { format!("{:.4}", centre * 2.0 + noise(row, 1)) };
        writeln!(text, "{},{},{:.4},{b}", 90_001 + row * 7, if ill { 'M' } else { 'B' }, centre + noise(row, 0))
            .unwrap();
    }
    text
}

/// Whole numbers that may be classes or a quantity.
fn ratings() -> String {
    let mut text = "hours,visits,rating\n".to_owned();
    for row in 0..150 {
        let rating = row % 30 + 1;
        writeln!(text, "{:.3},{:.3},{rating}", f64::from(rating) + noise(row, 0), noise(row, 1)).unwrap();
    }
    text
}

fn create(devnet: &Devnet, file: &Path, flags: &[&str]) -> u64 {
    let common = ["fl", "create-session-with-data", file.to_str().unwrap(), "--total-rounds", "3"];
    let created = devnet.json(&[&common, flags].concat());
    created["session"].as_u64().unwrap()
}

fn headline(rounds: &[Value], metric: &str) -> f64 {
    rounds.last().unwrap()["evaluation"][metric].as_f64().unwrap_or_else(|| panic!("no {metric} in {rounds:?}"))
}

#[test]
fn foreign_files_are_understood_or_ask_for_the_one_flag_they_need() {
    let devnet = Devnet::start();
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let home = devnet.home().path();

    let mut sessions = Vec::new();
    for expected in expectations() {
        let file = files::write(home, expected.file, &expected.text);
        let create = ["--json", "fl", "create-session-with-data", file.to_str().unwrap(), "--total-rounds", "3"];
        let output = devnet.parity(&[&create, expected.deal].concat()).succeeded();
        for words in expected.report {
            assert!(output.stderr.contains(words), "{}: '{words}' is not said in\n{}", expected.file, output.stderr);
        }
        sessions.push((output.document()["session"].as_u64().unwrap(), expected));
    }

    let file = files::write(home, "ratings.csv", &ratings());
    let ambiguous = ["fl", "create-session-with-data", file.to_str().unwrap()];
    devnet.parity(&ambiguous).refused_with(&["ratings.csv", "'rating' has 30 distinct whole numbers", "--task"]);
    let regression = create(&devnet, &file, &["--task", "regression"]);

    for (session, expected) in &sessions {
        let (rounds, ended) = devnet.watch(*session);
        assert_eq!(ended["state"], "Completed", "{}", expected.file);
        let reached = headline(&rounds, expected.metric);
        println!("{}: {} {reached:.4}", expected.file, expected.metric);
        assert!(reached >= expected.least, "{}: {} {reached}", expected.file, expected.metric);
        settlement::check(&devnet, &chain, *session);
    }
    let (rounds, _) = devnet.watch(regression);
    assert!(headline(&rounds, "r2") > 0.8);
    settlement::check(&devnet, &chain, regression);
    purses.check(&chain);
    predict_without_labels(&devnet, sessions[1].0);
}

/// New rows need neither the label nor the order of the columns.
fn predict_without_labels(devnet: &Devnet, session: u64) {
    let home = devnet.home().path();
    let model = home.join("european.safetensors");
    let model = model.to_str().unwrap();
    devnet.json(&["fl", "model", &session.to_string(), "-o", model]);
    let rows = files::write(home, "new.csv", "Stadt;Breite;Länge\nLyon;7,4;7,9\nKöln;3,1;\n");
    let predicted = devnet.json(&["fl", "predict", "--model", model, rows.to_str().unwrap()]);
    assert_eq!(predicted["predictions"], serde_json::json!(["groß", "klein"]));
    let rows = files::write(home, "short.csv", "Stadt;Länge\nLyon;7,9\n");
    devnet.parity(&["--json", "fl", "predict", "--model", model, rows.to_str().unwrap()]).refused_with(&[
        "short.csv",
        "does not fit the schema",
        "Breite",
    ]);
}
