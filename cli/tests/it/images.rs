//! Folders of PNG files: simulated, dealt, predicted and registered like the CSV file of the same pixels.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parity_learning::{
    card::{ModelCard, Origin, VERSION},
    defaults,
    images::{self, Folder, Target},
    scaling,
};
use parity_protocol::model::Volume;
use serde_json::Value;

use crate::{command::Home, files};

/// Pixels on a side.
const SIDE: usize = 6;
const CLASSES: [&str; 2] = ["columns", "rows"];

/// Stripes along rows or columns, with noise.
fn pixels(class: usize, at: usize) -> Vec<u8> {
    let pixel = |place: usize| {
        let (row, column) = (place / SIDE, place % SIDE);
        let along = if class == 0 { column } else { row };
        let bright = (along + at).is_multiple_of(2);
        let noise = files::noise(u32::try_from(at * 2 + class).unwrap(), u32::try_from(place).unwrap());
        let value = if bright { 180.0 } else { 60.0 } + 50.0 * noise;
        // Between 10 and 230.
        format!("{value:.0}").parse().unwrap()
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

fn write_png(file: &Path, side: usize, pixels: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let side = u32::try_from(side).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(file).unwrap(), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

/// A folder of stripes and the CSV file of the same pixels.
fn stripes(home: &Home, count: usize) -> (PathBuf, PathBuf) {
    let folder = home.path().join("stripes");
    let mut text = images::names(shape()).join(",") + ",class\n";
    for (class, name) in CLASSES.iter().enumerate() {
        for at in 0..count {
            let pixels = pixels(class, at);
            write_png(&folder.join(name).join(format!("{at:03}.png")), SIDE, &pixels);
            text += &pixels.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            text += &format!(",{name}\n");
        }
    }
    (folder, files::write(home.path(), "stripes.csv", &text))
}

fn shape() -> Volume {
    let side = u32::try_from(SIDE).unwrap();
    Volume { channels: 1, height: side, width: side }
}

fn simulate(home: &Home, data: &Path, model: &str) -> (Value, Vec<u8>) {
    let (data, file) = (data.to_str().unwrap(), home.path().join(model));
    let common = ["--json", "fl", "simulate", "--model-type", "cnn", "--clients", "3", "--rounds", "4", "-o", model];
    let document = home.parity(&[&common[..], &["--data", data]].concat()).document();
    (document, fs::read(file).unwrap())
}

#[test]
fn a_folder_and_the_csv_file_of_its_pixels_give_the_same_model_which_then_reads_folders() {
    let home = Home::new();
    let (folder, file) = stripes(&home, 30);
    let (of_folder, model) = simulate(&home, &folder, "model.safetensors");
    let (of_file, same) = simulate(&home, &file, "same.safetensors");
    assert!(model == same, "the models differ");
    assert_eq!(of_folder["accuracy"], of_file["accuracy"]);
    assert!(of_folder["accuracy"]["mean"].as_f64().unwrap() > 0.9, "{of_folder}");

    write_card(&home, &folder);
    let predict = |path: &Path, more: &[&str]| {
        let common = ["--json", "fl", "predict", "--model", "model.safetensors", path.to_str().unwrap()];
        home.parity(&[&common[..], more].concat()).document()
    };
    let known = predict(&folder, &[]);
    assert_eq!((known["rows"].as_u64(), known["files"].as_array().unwrap().len()), (Some(60), 60));
    assert!(known["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{}", known["metrics"]);
    let flat = predict(&folder.join("rows"), &[]);
    let names = flat["predictions"].as_array().unwrap();
    assert!(names.iter().filter(|name| *name == "rows").count() > 25, "{flat}");
    assert!(flat["metrics"].is_null());
    let one = predict(&folder.join("rows/007.png"), &["-o", "one.csv"]);
    assert_eq!(one["rows"], 1);
    let written = fs::read_to_string(home.path().join("one.csv")).unwrap();
    assert!(written.starts_with("file,class\n") && written.contains("007.png,rows"), "{written}");
}

/// A simulation writes no card; one lies beside the model of a session.
fn write_card(home: &Home, folder: &Path) {
    let prepared = images::prepare(&Folder::list(folder).unwrap(), Target::default(), 0.2, 0, &|| ()).unwrap();
    let card = ModelCard {
        version: VERSION,
        name: "stripes".into(),
        model: defaults::convolutional(shape()),
        scaling: scaling::per_channel(&prepared.scaling, shape()),
        schema: prepared.schema,
        metrics: None,
        origin: Origin {
            chain_id: 1,
            contract: String::new(),
            session: 1,
            round: 4,
            spec: String::new(),
            aggregate: String::new(),
            model: String::new(),
        },
    };
    fs::write(home.path().join("model.card.json"), card.to_json()).unwrap();
}

#[test]
fn sizes_that_differ_are_refused_and_scaled_when_asked() {
    let home = Home::new();
    let (folder, _) = stripes(&home, 4);
    write_png(&folder.join("rows/large.png"), 2 * SIDE, &[9; 4 * SIDE * SIDE]);
    let folder = folder.to_str().unwrap();
    home.parity(&["fl", "partition", folder, "--dry-run"]).refused_with(&[
        "large.png",
        "12 x 12",
        "6 x 6",
        "--image 6x6",
    ]);
    let dealt = home.parity(&["--json", "fl", "partition", folder, "--dry-run", "--image", "3x3"]).document();
    assert_eq!(dealt["training_rows"].as_u64().unwrap() + dealt["holdout_rows"].as_u64().unwrap(), 9);
    home.parity(&["fl", "partition", folder, "--dry-run", "--label", "x"]).refused_with(&["--label", "sub-folders"]);
}

#[test]
fn a_runner_keeps_the_pixels_of_a_folder_scaled_to_the_schema() {
    let home = Home::new();
    let (folder, _) = stripes(&home, 4);
    let folder = folder.to_str().unwrap();
    let shape = ["fl", "create-session", "--schema", folder, "--image", "4x4", "--write-schema", "shape.json"];
    home.parity(&shape).succeeded();
    let added = home.parity(&["--json", "runner", "data", "add", folder, "--schema", "shape.json"]).document();
    assert_eq!((&added[0]["rows"], &added[0]["label"]), (&8.into(), &"class".into()));
    let copies: Vec<PathBuf> =
        files::below(home.path()).into_iter().filter(|file| file.ends_with("stripes/data.csv")).collect();
    let text = fs::read_to_string(&copies[0]).unwrap();
    assert_eq!(text.lines().next().unwrap().split(',').count(), 17);
    assert!(text.contains(",columns\n") && text.contains(",rows\n"));
}
