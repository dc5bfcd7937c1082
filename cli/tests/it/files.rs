//! Data files as people have them, made up from a fixed rule.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// The folder of the example data.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data").canonicalize().unwrap()
}

/// Writes a file and returns its path.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Deterministic noise in -1..1, with many digits.
pub(crate) fn noise(row: u32, column: u32) -> f64 {
    let angle = f64::from(row) * 12.9898 + f64::from(column) * 78.233;
    let big = angle.sin() * 43_758.545_3;
    (big - big.floor()) * 2.0 - 1.0
}

/// Rows of `features` numbers around a centre that their class (of three) moves, without label.
pub(crate) fn measurements(row: u32, features: u32) -> Vec<f64> {
    let class = f64::from(row % 3);
    (0..features).map(|column| 10.0 + 4.0 * class * f64::from(column % 2 + 1) + noise(row, column)).collect()
}

/// A headed file of `rows` rows in three classes with `features` numbers each, `first` being the number of the first row.
fn classified(names: &[&str], first: u32, rows: u32) -> String {
    let mut text = names.join(",") + ",species\n";
    for row in first..first + rows {
        for value in measurements(row, u32::try_from(names.len()).unwrap()) {
            write!(text, "{value:.7},").unwrap();
        }
        writeln!(text, "{}", ["setosa", "versicolor", "virginica"][row as usize % 3]).unwrap();
    }
    text
}

/// Four numbers a row.
pub(crate) fn flowers(first: u32, rows: u32) -> String {
    classified(&["stem_mm", "leaf_mm", "petal_mm", "sepal_mm"], first, rows)
}

/// Ten numbers a row.
pub(crate) fn wide_flowers(first: u32, rows: u32) -> String {
    let names: Vec<String> = (0..10).map(|column| format!("feature_{column}")).collect();
    classified(&names.iter().map(String::as_str).collect::<Vec<_>>(), first, rows)
}

/// All files below a folder.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
