//! `parity fl simulate`: whole sessions without a network, with the real trainer.

use std::fs;

use serde_json::Value;

use crate::{command::Home, files};

const HEALTHCARE: &str = "healthcare_data.csv";

/// The document of a simulation on an example file.
fn simulate(file: &str, arguments: &[&str]) -> Value {
    let data = files::examples().join(file);
    let all = [&["--json", "fl", "simulate", "--data", data.to_str().unwrap()], arguments].concat();
    Home::new().parity(&all).document()
}

fn mean(document: &Value, metric: &str) -> f64 {
    document[metric]["mean"].as_f64().unwrap()
}

#[test]
fn a_network_on_the_healthcare_data_is_good_with_every_seed() {
    let document = simulate(HEALTHCARE, &["--model-type", "neural_network", "--clients", "3", "--seeds", "0..2"]);
    let seeds = document["accuracy"]["per_seed"].as_array().unwrap();
    assert_eq!(seeds.len(), 3);
    assert!(seeds.iter().all(|accuracy| accuracy.as_f64().unwrap() >= 0.94), "{document}");
    assert!(document["accuracy"]["std"].as_f64().unwrap() < 0.05);
    assert_eq!(document["curve"].as_array().unwrap().len(), 10);
    assert!(mean(&document, "auc") > 0.97 && mean(&document, "macro_f1") > 0.93, "{document}");
    let counts = document["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(counts.map(|count| count.as_u64().unwrap()).sum::<u64>(), 114, "a fifth of 569 rows is held out");
    // 10 rounds of 3 and 0.1 USDFC, and a bonus of 3.
    assert_eq!(document["cost"], "34000000000000000000");
}

#[test]
fn the_number_of_threads_changes_no_digit() {
    let run = |threads| {
        let common =
            ["--model-type", "neural_network", "--dropout", "0.1", "--rounds", "3", "--partition", "dirichlet:0.5"];
        let mut document = simulate(HEALTHCARE, &[&common[..], &["--threads", threads]].concat());
        for part in ["threads", "seconds", "rounds_per_second"] {
            document.as_object_mut().unwrap().remove(part);
        }
        document
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("10"));
}

#[test]
fn every_rule_that_can_be_typed_learns() {
    for rule in ["fedadam", "scaffold", "fednova", "median", "nnm:2+trimmed-mean:0.2", "multi-krum:2", "sample:0.5"] {
        let arguments =
            ["--model-type", "logistic_regression", "--optimizer", "sgd", "--momentum", "0", "--rule", rule];
        let document = simulate(HEALTHCARE, &arguments);
        assert!(mean(&document, "accuracy") > 0.85, "{rule}: {document}");
    }
}

#[test]
fn compressed_updates_take_fewer_bytes_and_learn_as_well() {
    let run = |compression| {
        let network = ["--model-type", "neural_network", "--hidden", "64,64", "--clients", "3"];
        let document = simulate(HEALTHCARE, &[&network[..], &["--compression", compression]].concat());
        assert!(mean(&document, "accuracy") > 0.94, "{compression}: {document}");
        document["bytes"]["up"].as_u64().unwrap()
    };
    let plain = run("none");
    assert!((3.9..4.1).contains(&(ratio(plain, run("int8")))), "{plain}");
    assert!(ratio(plain, run("top-k:0.02")) > 20.0, "{plain}");
}

fn ratio(large: u64, small: u64) -> f64 {
    f64::from(u32::try_from(large).unwrap()) / f64::from(u32::try_from(small).unwrap())
}

#[test]
fn a_target_ends_a_session_early_and_curves_are_drawn() {
    let home = Home::new();
    let (plot, page) = (home.path().join("curve.svg"), home.path().join("report.html"));
    let data = files::examples().join(HEALTHCARE);
    // A forest has learned nothing yet after its first round, so there is a curve.
    let forest = ["--model-type", "random_forest", "--trees", "20"];
    let arguments = [&forest[..], &["--rounds", "50", "--target", "0.9", "--plot", plot.to_str().unwrap()]].concat();
    let arguments = [&arguments[..], &["--report", page.to_str().unwrap()]].concat();
    let all = [&["--json", "fl", "simulate", "--data", data.to_str().unwrap()][..], &arguments].concat();
    let document = home.parity(&all).document();
    assert!(document["curve"].as_array().unwrap().len() < 50);
    let page = fs::read_to_string(page).unwrap();
    for part in ["A simulation of 10 seats", "<svg", "seat 9", "malignant", "precision", "worst_"] {
        assert!(page.contains(part), "'{part}' is not on the page");
    }
    let svg = fs::read_to_string(plot).unwrap();
    assert!(svg.contains("</svg>") && svg.contains("seed 0") && svg.contains("accuracy"), "{svg}");
}

#[test]
fn a_union_of_trees_is_good_once_all_seats_have_filled_the_leaves() {
    let union = ["--model-type", "random_forest", "--forest-method", "union", "--trees", "60", "--rounds", "3"];
    let document = simulate(HEALTHCARE, &[&union[..], &["--partition", "dirichlet:0.3"]].concat());
    assert!(mean(&document, "accuracy") > 0.9, "{document}");
    let curve = document["curve"].as_array().unwrap();
    assert_eq!(curve[1], curve[2]);
}

#[test]
fn a_forest_does_not_depend_on_the_partition() {
    let run = |partition| {
        let document =
            simulate(HEALTHCARE, &["--model-type", "random_forest", "--rounds", "6", "--partition", partition]);
        assert!(mean(&document, "accuracy") > 0.9, "{document}");
        (document["curve"].clone(), document["loss"].clone())
    };
    assert_eq!(run("iid"), run("label-skew:1"));
}

#[test]
fn regressions_do_not_depend_on_the_partition() {
    let home = Home::new();
    let mut text = String::from("a,b,c,y\n");
    for row in 0..120 {
        let (a, b) = (f64::from(row % 17), f64::from(row % 11));
        text += &format!("{a},{b},{},{}\n", a + b, 3.0 * a - b + (f64::from(row) * 0.7).sin());
    }
    let numbers = files::write(home.path(), "numbers.csv", &text);
    for (data, model, more) in [
        (files::examples().join(HEALTHCARE), "logistic_regression", "newton"),
        (numbers, "linear_regression", "least-squares"),
    ] {
        let run = |partition: &str, flags: &[&str]| {
            let output = home.path().join("model");
            let common = ["--json", "fl", "simulate", "--data", data.to_str().unwrap(), "--model-type", model];
            let named = ["--partition", partition, "-o", output.to_str().unwrap()];
            let document = home.parity(&[&common[..], &named, flags].concat()).document();
            (document["curve"].clone(), fs::read(output).unwrap())
        };
        let by_default = run("iid", &[]);
        assert_eq!(by_default, run("dirichlet:0.1", &["--optimizer", more, "--threads", "2"]));
        assert_ne!(by_default.1, run("iid", &["--optimizer", more, "--ridge", "7"]).1);
        assert_ne!(by_default.1, run("iid", &["--epochs", "1", "--rounds", "1"]).1);
    }
}

#[test]
fn attacks_spoil_the_mean_and_not_a_robust_rule() {
    let run = |rule, attack| {
        let common = ["--model-type", "neural_network", "--attack", attack, "--faulty", "3", "--holdout", "0.3"];
        simulate(HEALTHCARE, &[&common[..], &["--rule", rule]].concat())
    };
    assert!(mean(&run("fedavg", "sign-flip"), "accuracy") < 0.8);
    for rule in ["nnm:3+trimmed-mean:0.3", "root-data:50"] {
        let document = run(rule, "sign-flip");
        assert!(mean(&document, "accuracy") > 0.9, "{rule}: {document}");
    }
    let planted = run("fedavg", "model-replacement");
    assert!(mean(&planted, "backdoor") > 0.5, "{planted}");
}

#[test]
fn scores_tell_free_riders_from_seats_that_work_and_change_nothing() {
    let common = [
        "--model-type",
        "neural_network",
        "--clients",
        "6",
        "--rounds",
        "3",
        "--attack",
        "free-rider",
        "--faulty",
        "2",
    ];
    let (plain, scored) = (simulate(HEALTHCARE, &common), simulate(HEALTHCARE, &[&common[..], &["--scores"]].concat()));
    let scores: Vec<f64> = scored["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
    assert_eq!(scores.len(), 6);
    assert!(scores[..4].iter().all(|score| *score > 0.0) && scores[4..] == [0.0; 2], "{scores:?}");
    assert!(plain.get("scores").is_none());
    assert_eq!(plain["loss"], scored["loss"]);
}

#[test]
fn numbers_are_predicted_and_measured_by_r2() {
    let home = Home::new();
    let mut text = String::from("a,b,y\n");
    for row in 0..200 {
        let (a, b) = (f64::from(row % 17), f64::from(row % 11));
        text += &format!("{a},{b},{}\n", 3.0 * a - b + 0.1 * (f64::from(row) * 0.7).sin());
    }
    let file = files::write(home.path(), "numbers.csv", &text);
    let document = home.parity(&["--json", "fl", "simulate", "--data", file.to_str().unwrap()]).document();
    assert!(mean(&document, "r2") > 0.99, "{document}");
    assert!(document.get("accuracy").is_none());
}

#[test]
fn what_cannot_be_simulated_is_refused_with_the_remedy() {
    let home = Home::new();
    let data = files::examples().join(HEALTHCARE);
    let refused = |arguments: &[&str], parts: &[&str]| {
        let all = [&["fl", "simulate", "--data", data.to_str().unwrap()], arguments].concat();
        home.parity(&all).refused_with(parts);
    };
    refused(&["--trainer", "nowhere"], &["nowhere", "script/trainer-image"]);
    refused(&["--rule", "krum:9", "--clients", "3"], &["9", "at most 0 with 3 seats"]);
    refused(&["--model-type", "cnn"], &["30 features", "square"]);
    refused(&["--model-type", "cnn", "--image", "4x4"], &["1 x 4 x 4", "30 features"]);
    refused(&["--learning-rate", "10", "--optimizer", "sgd", "--rounds", "30"], &["seat", "smaller learning rate"]);
    refused(&["--weight-decay", "0.1"], &["--optimizer adamw"]);
    refused(&["--attack", "alie", "--faulty", "10"], &["--faulty 10", "1 and 9"]);
    refused(&["--rule", "root-data:100"], &["root-data:100", "--holdout"]);
    refused(&["--model-type", "random_forest", "--rounds", "1"], &["2"]);
    refused(&["--model-type", "random_forest", "--rounds", "4", "--max-depth", "5"], &["--max-depth 5", "(3)"]);
    refused(
        &["--model-type", "random_forest", "--forest-method", "union", "--trees", "9"],
        &["seats is 10", "9 trees"],
    );
    refused(&["--model-type", "neural_network", "--trees", "9"], &["--trees", "neural_network"]);
    refused(&["--model-type", "random_forest", "--compression", "int8"], &["compression", "int8", "forest"]);
    refused(&["--optimizer", "newton", "--epochs", "2"], &["--epochs", "adam"]);
    refused(&["--optimizer", "newton", "--compression", "int8"], &["--compression", "adam"]);
    refused(&["--optimizer", "least-squares"], &["least_squares", "linear_regression"]);
    refused(&["--optimizer", "sgd", "--ridge", "1"], &["--ridge", "newton"]);
    refused(&["--optimizer", "newton", "--attack", "alie", "--faulty", "2"], &["--attack", "adam"]);
}
