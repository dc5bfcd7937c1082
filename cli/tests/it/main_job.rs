//! The commands of the README, as they stand, from the folder of the file.

use std::{fs, path::Path};

use parity_learning::table::Table;
use serde_json::Value;

use crate::{
    devnet::Devnet,
    files, onnxruntime, report,
    settlement::{self, Purses},
};

#[test]
fn the_commands_of_the_readme_run_as_they_stand() {
    let devnet = Devnet::start();
    println!("the network was up after {} s", devnet.ready()["seconds"]);
    let chain = devnet.chain();
    let purses = Purses::open(&devnet, &chain);
    let folder = files::examples();
    let say = |arguments: &[&str]| devnet.home().parity_in(&folder, arguments).succeeded();

    let created = say(&[
        "fl",
        "create-session-with-data",
        "./healthcare_data.csv",
        "--name",
        "Privacy-Preserving Diagnosis",
        "--model-type",
        "neural_network",
        "--total-rounds",
        "10",
    ]);
    assert!(created.stdout.contains("session 1 is running"), "{}", created.stdout);
    let network = created.stderr.find("devnet at http://127.0.0.1:").expect("the network is named");
    let signed = created.stderr.find("session 1 is created").expect("the creation is reported");
    assert!(network < signed, "the network is named before anything is signed");

    let (rounds, ended) = devnet.watch(1);
    assert_eq!(ended["state"], "Completed");
    assert_eq!(rounds.len(), 10);
    let accuracies: Vec<f64> = rounds.iter().map(|round| round["evaluation"]["accuracy"].as_f64().unwrap()).collect();
    let last = accuracies[9];
    assert!(last >= 0.95, "{accuracies:?}");

    let details = settlement::check(&devnet, &chain, 1);
    assert_eq!(details["name"], "Privacy-Preserving Diagnosis");
    let runners: Vec<_> =
        details["payouts"].as_array().unwrap().iter().filter(|payout| payout["role"] == "runner").collect();
    assert_eq!(runners.len(), 3);
    assert!(runners.iter().all(|payout| settlement::units(&payout["paid"]) > 0));
    settlement::verify(&devnet, &chain, 1);
    purses.check(&chain);

    let score = say(&["reputation", "status"]).stdout;
    assert!(score.contains("of 1000"), "{score}");
    let balance = say(&["wallet", "balance"]).stdout;
    assert!(balance.contains("USDFC") && balance.contains(&purses.requester().to_string()), "{balance}");
    let leaders = devnet.json(&["reputation", "leaderboard"]);
    assert_eq!(leaders.as_array().unwrap().iter().filter(|leader| leader["finished"] == 10).count(), 3, "{leaders}");
    let history = devnet.json(&["wallet", "history"]);
    assert!(!history.as_array().unwrap().is_empty());

    let model = devnet.home().path().join("model.safetensors");
    let model = model.to_str().unwrap();
    let card = devnet.json(&["fl", "model", "1", "-o", model]);
    let holdout = details["local"]["holdout"].as_str().unwrap();
    let again = devnet.json(&["fl", "predict", "--model", model, holdout]);
    assert!((again["metrics"]["accuracy"].as_f64().unwrap() - last).abs() < 1e-9, "{again} is not {last}");
    assert_eq!(again["confusion"], details["confusion"], "the keeper counted on the same rows");
    assert_eq!(again["per_class"][1]["class"], "malignant");
    assert!(again["metrics"]["auc"].as_f64().unwrap() > 0.95, "{again}");
    let named = devnet.json(&["content", "cid", model]);
    assert_eq!(named["cid"], card["model_cid"], "the name of the file is computed here, without a store");
    let fetched = devnet.home().path().join("fetched");
    devnet.json(&["content", "get", card["model_cid"].as_str().unwrap(), "-o", fetched.to_str().unwrap()]);
    assert_eq!(fs::read(&fetched).unwrap(), fs::read(model).unwrap());
    exports_say_the_same(&devnet, model, holdout);
    let all = devnet.json_in(&folder, &["fl", "predict", "--model", model, "./healthcare_data.csv"]);
    assert_eq!(all["rows"], 569);
    assert!(all["metrics"]["accuracy"].as_f64().unwrap() >= 0.95);
    let names = all["predictions"].as_array().unwrap();
    assert!(names.iter().all(|name| name == "benign" || name == "malignant"), "predictions are in words of the file");
}

/// Writes the model of session 1 in every format, by download and from the file, and asks onnxruntime about rows.
fn exports_say_the_same(devnet: &Devnet, model: &str, rows: &str) {
    let beside = |ending: &str| Path::new(model).with_extension(ending);
    let read = |file: &Path| fs::read(file).unwrap();
    let card = read(&beside("card.json"));
    for format in ["onnx", "json"] {
        let downloaded = devnet.home().path().join(format!("downloaded.{format}"));
        let document = devnet.json(&["fl", "model", "1", "-o", downloaded.to_str().unwrap()]);
        assert_eq!(document["format"], format);
        assert_eq!(read(Path::new(document["card"].as_str().unwrap())), card);
        let document = devnet.json(&["fl", "convert", "--model", model, "--format", format]);
        assert_eq!(document["file"], beside(format).to_str().unwrap());
        assert!(read(&beside(format)) == read(&downloaded), "{format}");
    }
    assert_eq!(read(&beside("card.json")), card);
    let document: Value = serde_json::from_slice(&read(&beside("json"))).unwrap();
    assert_eq!(document["card"], serde_json::from_slice::<Value>(&card).unwrap());
    assert_onnx_says_the_same(devnet, model, &beside("onnx"), rows);

    let convert = |arguments: &[&str]| devnet.parity(&[&["fl", "convert", "--model", model], arguments].concat());
    convert(&[]).refused_with(&["would be overwritten", "--format"]);
    devnet.parity(&["fl", "convert", "--model", rows, "--format", "onnx"]).refused_with(&["card", "beside the model"]);
}

/// Classes or numbers of an exported model in onnxruntime, and by `fl predict`, of the rows of an encoded table.
fn assert_onnx_says_the_same(devnet: &Devnet, model: &str, exported: &Path, rows: &str) {
    let table = Table::from_safetensors(&fs::read(rows).unwrap()).unwrap();
    let answers = onnxruntime::run(&[(fs::read(exported).unwrap(), &table.x)]);
    let ours = devnet.json(&["fl", "predict", "--model", model, rows])["predictions"].take();
    let Some(classes) = answers[0]["properties"]["classes"].as_str() else {
        let theirs: Vec<f64> = serde_json::from_value(answers[0]["value"].clone()).unwrap();
        let ours: Vec<String> = serde_json::from_value(ours).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours.parse::<f64>().unwrap() - theirs).abs() <= 1e-10 * theirs.abs().max(1.0), "{ours} {theirs}");
        }
        return;
    };
    let classes: Vec<String> = serde_json::from_str(classes).unwrap();
    let labels: Vec<usize> = serde_json::from_value(answers[0]["label"].clone()).unwrap();
    let theirs: Vec<&str> = labels.iter().map(|label| classes[*label].as_str()).collect();
    assert_eq!(ours, Value::from(theirs));
}

#[test]
fn a_session_ends_with_the_model_that_a_simulation_grows() {
    let devnet = Devnet::start();
    let chain = devnet.chain();
    let folder = files::examples();
    let numbers = files::write(devnet.home().path(), "numbers.csv", &numbers());
    let iris = folder.join("iris_data.csv");
    let forest = ["--model-type", "random_forest", "--total-rounds", "5"];
    let network = ["--model-type", "neural_network", "--rule", "nnm:1+median+fedyogi", "--total-rounds", "6"];
    let union = ["--model-type", "random_forest", "--forest-method", "union", "--trees", "31", "--total-rounds", "3"];
    let drifting = [
        "--optimizer",
        "sgd",
        "--momentum",
        "0",
        "--rule",
        "scaffold+sample:0.6",
        "--compression",
        "int8",
        "--total-rounds",
        "5",
    ];
    let judged = ["--model-type", "logistic_regression", "--rule", "root-data:10", "--total-rounds", "2"];
    // What is learned of a file unless a flag says otherwise: Newton's method, and least squares with rounds to spare.
    let (newton, least_squares) = (["--total-rounds", "4"], ["--total-rounds", "2"]);
    let sessions = [
        (&iris, &drifting[..], "accuracy"),
        (&iris, &forest, "accuracy"),
        (&iris, &network, "accuracy"),
        (&iris, &union, "accuracy"),
        (&iris, &judged, "accuracy"),
        (&iris, &newton, "accuracy"),
        (&numbers, &least_squares, "r2"),
    ];
    for (session, (data, flags, metric)) in (1..).zip(sessions) {
        let data = data.to_str().unwrap();
        let named =
            ["fl", "create-session-with-data", data, "--name", report::HOSTILE_NAME, "--performance-share", "0.5"];
        devnet.home().parity_in(&folder, &[&named, flags].concat()).succeeded();
        let (_, ended) = devnet.watch(session);
        assert_eq!(ended["state"], "Completed");
        settlement::check(&devnet, &chain, session);
        settlement::verify(&devnet, &chain, session);
        // With root data the keeper measures on other rows than those that it judges by; numbers have no classes.
        if flags != judged && metric == "accuracy" {
            report::check(&devnet, &chain, session);
        }

        let file = |name: &str| devnet.home().path().join(name).to_str().unwrap().to_owned();
        let (trained, simulated) = (file("trained"), file("simulated"));
        devnet.json(&["fl", "model", &session.to_string(), "-o", &trained]);
        let simulate = ["--json", "fl", "simulate", "--data", data, "--clients", "3", "-o", &simulated];
        let onnx = file("trained.onnx");
        devnet.json(&["fl", "convert", "--model", &trained, "-o", &onnx]);
        let details = devnet.json(&["fl", "get", &session.to_string()]);
        let holdout = details["local"]["holdout"].as_str().unwrap();
        assert_onnx_says_the_same(&devnet, &trained, Path::new(&onnx), holdout);
        let document = devnet.home().parity_in(&folder, &[&simulate, flags].concat()).document();
        assert!(document[metric]["mean"].as_f64().unwrap() > 0.5, "{document}");
        assert!(fs::read(&trained).unwrap() == fs::read(&simulated).unwrap(), "{flags:?}: the models differ");
        let predicted = devnet.json(&["fl", "predict", "--model", &trained, data]);
        assert!(predicted["metrics"][metric].as_f64().unwrap() > 0.5, "{predicted}");
    }
}

/// A CSV file of 90 rows with a number to predict.
fn numbers() -> String {
    let row = |row: u16| {
        let (a, b) = (f64::from(row % 17), f64::from(row % 11));
        format!("{a},{b},{}\n", 3.0 * a - b + (f64::from(row) * 0.7).sin())
    };
    std::iter::once("a,b,y\n".to_owned()).chain((0..90).map(row)).collect()
}

#[test]
fn updates_sealed_to_keepers_are_aggregated_and_paid() {
    let devnet = Devnet::start();
    let chain = devnet.chain();
    let folder = files::examples();
    let created = devnet.json_in(
        &folder,
        &["fl", "create-session-with-data", "iris_data.csv", "--privacy-level", "low", "--total-rounds", "2"],
    );
    let session = created["session"].as_u64().unwrap();
    let (rounds, ended) = devnet.watch(session);
    assert_eq!(ended["state"], "Completed");
    assert_eq!(rounds.len(), 2);
    assert!(rounds.iter().all(|round| round["accepted"] == 3), "{rounds:?}");
    settlement::check(&devnet, &chain, session);
    // Updates are for keepers alone: whoever else recomputes is told why it cannot be done.
    let refusal = devnet.parity(&["--json", "fl", "verify", &session.to_string()]).refusal();
    assert!(refusal.contains("sealed"), "{refusal}");
}
